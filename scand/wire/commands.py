"""What the parent says."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from scand.jobs.settings import Settings
from scand.wire.message import Message


class Scan(Message):
    """To the feeder: one batch, from the feeder's first sheet until it is empty.

    Attributes:
        directory: absolute path of the batch's directory, which the feeder makes.
        device: SANE name or pattern, `scanner.device`.
        last_device: the SANE name that was opened last, tried first; "" when none.
    """

    do: Literal["scan"] = "scan"
    directory: str
    device: str
    last_device: str = ""
    settings: Settings
    min_free: int = 0


class Probe(Message):
    """To the feeder: open the device and apply the settings, but do not scan."""

    do: Literal["probe"] = "probe"
    device: str
    settings: Settings


class ListDevices(Message):
    """To the feeder: what `sane_get_devices` finds."""

    do: Literal["devices"] = "devices"


class Find(Message):
    """To the feeder: is the device there? It is looked for, not opened."""

    do: Literal["find"] = "find"
    device: str


class Finish(Message):
    """To the feeder: finish the sheet under way (both sides), then end the batch as interrupted."""

    do: Literal["finish"] = "finish"


class Cancel(Message):
    """To the feeder: stop within this page."""

    do: Literal["cancel"] = "cancel"


class Nas(Message):
    """Where the NAS is and how to know it; part of each task that goes there.

    Attributes:
        outside: the staging directory, where that lies outside the root.
    """

    root: str
    outside: str | None = None
    volume_id: str
    require_mount: bool
    file_mode: str
    group: str = ""


class Bind(Message):
    """To a courier: make `batch.pdf` of what the batch's directory holds."""

    do: Literal["bind"] = "bind"
    directory: str


class MergePart(Message):
    """One kept batch of a merge. `pages` is None where nobody has counted."""

    path: str
    pages: int | None
    sha256: str | None
    label: str


class Assemble(Message):
    """To a courier: merge the kept batches and put the merge, verified, on the NAS.

    Attributes:
        halves: `sides: "manual-duplex"`: the parts are fronts and backs in turn, each in a batch's directory.
        target: absolute path of `merged.pdf`.
        staged: where the merge goes, relative to the NAS root.
        created: ISO 8601, the job's own time, so that the same job gives the same bytes.
    """

    do: Literal["assemble"] = "assemble"
    parts: tuple[MergePart, ...]
    halves: bool = False
    title: str
    created: str
    target: str
    staged: str
    nas: Nas


class Publish(Message):
    """To a courier: put the staged file into the Inbox, on the parent's `Go`.

    Attributes:
        merged: absolute path of the local merge, whose hash says what was previewed.
        inbox_path, sha256: what the row already says, or None when no name has been given yet.
    """

    do: Literal["publish"] = "publish"
    job_id: int
    title: str
    merged: str
    staged: str
    inbox: str
    inbox_path: str | None
    sha256: str | None
    nas: Nas


class Sweep(Message):
    """To a courier: remove the directories of jobs whose time on local disk is over.

    Attributes:
        jobs: the absolute directory in which they lie, each marked as expired.
    """

    do: Literal["sweep"] = "sweep"
    jobs: str


class Unstage(Message):
    """To a courier: remove a staged merge that nobody wants any more."""

    do: Literal["unstage"] = "unstage"
    staged: str
    nas: Nas


class Check(Message):
    """To a courier: is the NAS there, and the right one?"""

    do: Literal["check"] = "check"
    nas: Nas


class Survey(Message):
    """To a courier: can documents be written to the NAS, and who may read them there? For `scand doctor`.

    Attributes:
        staging, inbox: relative to the NAS root.
    """

    do: Literal["survey"] = "survey"
    staging: str
    inbox: str
    nas: Nas


class Go(Message):
    """To a courier that has named its file: the row has the name; publish.

    Attributes:
        inbox_path: the name that the row has: a word for another name is none.
        same_as: the same document is in the Inbox already, there: remove the staged file instead.
    """

    do: Literal["go"] = "go"
    inbox_path: str
    same_as: str | None = None


Task: TypeAlias = Bind | Assemble | Publish | Sweep | Unstage | Check
Command: TypeAlias = Annotated[
    Scan | Probe | ListDevices | Find | Finish | Cancel | Task | Survey | Go,
    Field(discriminator="do"),
]
