"""The messages from the daemon to its children."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from scand.jobs.settings import Settings
from scand.jobs.staged import StagedPlace
from scand.spool.leaves import Run
from scand.wire.message import Message


class Scan(Message):
    """To the feeder: scan one batch, from the first sheet until the scanner's feeder is empty.

    Attributes:
        directory: absolute path of the batch's directory, which the feeder makes.
        device: a SANE name or a pattern, from `scanner.device`.
        last_device: the SANE name that was opened last; it is tried first. "" when there is none.
        settings: of the job.
        min_free: bytes that must be free on the staging disk before each sheet.
        paper: absolute path of the record of whose paper is in the scanner's feeder.
        picture: pixels of the longer side of each side's picture; 0: none is made.
    """

    do: Literal["scan"] = "scan"
    directory: str
    device: str
    last_device: str = ""
    settings: Settings
    min_free: int = 0
    paper: str
    picture: int = 0


class Probe(Message):
    """To the feeder: open the device and apply the settings, but do not scan.

    Attributes:
        device: a SANE name or a pattern.
        settings: to apply.
    """

    do: Literal["probe"] = "probe"
    device: str
    settings: Settings


class ListDevices(Message):
    """To the feeder: list what `sane_get_devices` finds."""

    do: Literal["devices"] = "devices"


class Find(Message):
    """To the feeder: is the device there? It is opened only if it is not listed.

    Attributes:
        device: a SANE name or a pattern.
    """

    do: Literal["find"] = "find"
    device: str


class Finish(Message):
    """To the feeder: finish the sheet under way (both sides), then end the batch as interrupted."""

    do: Literal["finish"] = "finish"


class Cancel(Message):
    """To the feeder: stop before the page under way is complete."""

    do: Literal["cancel"] = "cancel"


class Nas(Message):
    """Where the NAS is and how to recognize it; a part of each task that goes there.

    Attributes:
        root: `nas.root`, absolute.
        volume_id: what the marker file must contain.
        outside: the staging directory, where that lies outside the root.
        require_mount: `nas.require_mount`.
        file_mode: `nas.file_mode`, octal digits.
        group: `nas.group`, a name; "" when not set.
    """

    root: str
    outside: str | None = None
    volume_id: str
    require_mount: bool
    file_mode: str
    group: str = ""


class Bind(Message):
    """To a courier: make `batch.pdf` from the pages of a batch that has ended.

    Attributes:
        directory: absolute path of the batch's directory.
    """

    do: Literal["bind"] = "bind"
    directory: str


class MergePart(Message):
    """One kept batch of a merge.

    Attributes:
        path: absolute path of the batch's PDF.
        pages: how many it must have; None for a row from before scand, which is counted.
        sha256: what it must hash to, 64 hex digits; None for a row from before scand.
        label: its name for people, "Batch 1".
    """

    path: str
    pages: int | None
    sha256: str | None
    label: str


class Assemble(Message):
    """To a courier: merge pages of the kept batches, copy the merge to the NAS and verify it there.

    Attributes:
        parts: the kept batches, in order.
        runs: which of their pages, in which order, and how they are turned; `batch` counts the parts.
        title: of the document.
        created: when the job was made, ISO 8601; not "now", so that the same job gives the same bytes.
        target: absolute path of `merged.pdf`.
        place: where on the NAS the merge goes.
        nas: where that is.
    """

    do: Literal["assemble"] = "assemble"
    parts: tuple[MergePart, ...]
    runs: tuple[Run, ...]
    title: str
    created: str
    target: str
    place: StagedPlace
    nas: Nas


class Publish(Message):
    """To a courier: move the staged file into the Inbox, once the parent has answered `Named` with `Go`.

    Attributes:
        job_id: `scan_jobs.id`.
        title: of the document; its file name follows it.
        merged: absolute path of the local merge, whose hash says what was previewed.
        pages: of the merge.
        attempt: absolute path of the record of an attempt to publish.
        place: where on the NAS the merge is.
        inbox: path of the Inbox, relative to the NAS root.
        inbox_path: where the row says that the document goes, relative to the NAS root; None: no name yet. Only
            for a merge that scand 0.1 has staged; it kept no record of its attempts.
        sha256: the hash that the row has, 64 hex digits; None: none yet. A local merge with the same hash is what
            was previewed, and is staged again if the staged file is gone.
        nas: where that is.
        withdraw: the job is to be taken back, unless an earlier try has published it: nothing is moved.
    """

    do: Literal["publish"] = "publish"
    job_id: int
    title: str
    merged: str
    pages: int
    attempt: str
    place: StagedPlace
    inbox: str
    inbox_path: str | None
    sha256: str | None
    nas: Nas
    withdraw: bool = False


class Sweep(Message):
    """To a courier: remove the expired directories of jobs from local disk.

    Attributes:
        jobs: absolute path of the directory that has them, each renamed as expired.
    """

    do: Literal["sweep"] = "sweep"
    jobs: str


class Unstage(Message):
    """To a courier: remove the staged merges of a job that does not need them any more.

    Attributes:
        place: where on the NAS they are.
        merged: absolute path of the local merge, if it is still there: only by it a file that scand 0.1 has staged
            is known.
        nas: where that is.
    """

    do: Literal["unstage"] = "unstage"
    place: StagedPlace
    merged: str
    nas: Nas


class ReadBack(Message):
    """To a courier: is the document that a client has committed in the Inbox? Then remove the staged merge.

    Attributes:
        inbox_path: where the client says that it is, relative to the NAS root.
        sha256: what it must read back with, 64 hex digits.
        place: where on the NAS the merge is staged.
        merged: absolute path of the local merge, if it is still there; as in `Unstage`.
        nas: where that is.
    """

    do: Literal["read_back"] = "read_back"
    inbox_path: str
    sha256: str
    place: StagedPlace
    merged: str
    nas: Nas


class Check(Message):
    """To a courier: is the NAS there, and the right one; can it be written and read back; and is there room?

    Attributes:
        nas: where that is.
        staging: the installation's own folder there, relative to the NAS root.
        room: bytes that must be free.
    """

    do: Literal["check"] = "check"
    nas: Nas
    staging: str
    room: int = 0


class Survey(Message):
    """To a courier: can documents be written to the NAS, and who may read them there? For `scand doctor`.

    Attributes:
        staging, inbox: relative to the NAS root.
    """

    do: Literal["survey"] = "survey"
    staging: str
    inbox: str
    nas: Nas


class Mark(Message):
    """To a courier, for `scand nas init`: give the NAS its marker, unless it has one; let its readers in.

    Attributes:
        staging, inbox: relative to the NAS root.
        own: this installation's folders in the staging directory, relative to the NAS root.
        nas: its `volume_id` is not known yet: "".
    """

    do: Literal["mark"] = "mark"
    own: tuple[str, ...] = ()
    staging: str
    inbox: str
    nas: Nas


class Go(Message):
    """To a courier that has reported `Named`: the name is in the row, so publish.

    Attributes:
        inbox_path: the name in the row, relative to the NAS root. A courier with another name ignores this.
        same_as: where the same document is in the Inbox already, relative to the NAS root: the courier then
            removes the staged file and publishes nothing. None: it is not there.
    """

    do: Literal["go"] = "go"
    inbox_path: str
    same_as: str | None = None


Task: TypeAlias = Bind | Assemble | Publish | ReadBack | Sweep | Unstage | Check
"""What a courier can be sent for."""

Command: TypeAlias = Annotated[
    Scan | Probe | ListDevices | Find | Finish | Cancel | Task | Survey | Mark | Go,
    Field(discriminator="do"),
]
"""Whatever the parent can say."""
