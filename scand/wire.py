"""The protocol between the daemon and its children: one JSON object a line, both ways on one socket.

Pixels never cross it: only paths, hashes and sizes do. The parent writes commands, the child writes
reports; end of file means that the other is gone. Lines are UTF-8, ended by a newline.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from scand.errors import ErrorCode
from scand.pages import BatchPdf, Document, End, Page
from scand.settings import Settings


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


# What the parent says.


class Scan(_Message):
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


class Probe(_Message):
    """To the feeder: open the device and apply the settings, but do not scan."""

    do: Literal["probe"] = "probe"
    device: str
    settings: Settings


class ListDevices(_Message):
    """To the feeder: what `sane_get_devices` finds."""

    do: Literal["devices"] = "devices"


class Find(_Message):
    """To the feeder: is the device there? It is looked for, not opened."""

    do: Literal["find"] = "find"
    device: str


class Finish(_Message):
    """To the feeder: finish the sheet under way (both sides), then end the batch as interrupted."""

    do: Literal["finish"] = "finish"


class Cancel(_Message):
    """To the feeder: stop within this page."""

    do: Literal["cancel"] = "cancel"


class Nas(_Message):
    """Where the NAS is and how to know it; part of each task that goes there."""

    root: str
    volume_id: str
    require_mount: bool
    file_mode: str
    group: str = ""


class Bind(_Message):
    """To a courier: make `batch.pdf` of what the batch's directory holds."""

    do: Literal["bind"] = "bind"
    directory: str


class MergePart(_Message):
    """One kept batch of a merge. `pages` is None where nobody has counted."""

    path: str
    pages: int | None
    sha256: str | None
    label: str


class Assemble(_Message):
    """To a courier: merge the kept batches and put the merge, verified, on the NAS.

    Attributes:
        target: absolute path of `merged.pdf`.
        staged: where the merge goes, relative to the NAS root.
        created: ISO 8601, the job's own time, so that the same job gives the same bytes.
    """

    do: Literal["assemble"] = "assemble"
    parts: tuple[MergePart, ...]
    title: str
    created: str
    target: str
    staged: str
    nas: Nas


class Publish(_Message):
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


class Unstage(_Message):
    """To a courier: remove a staged merge that nobody wants any more."""

    do: Literal["unstage"] = "unstage"
    staged: str
    nas: Nas


class Check(_Message):
    """To a courier: is the NAS there, and the right one?"""

    do: Literal["check"] = "check"
    nas: Nas


class Go(_Message):
    """To a courier that has named its file: the row has the name; publish.

    Attributes:
        inbox_path: the name that the row has: a word for another name is none.
        same_as: the same document is in the Inbox already, there: remove the staged file instead.
    """

    do: Literal["go"] = "go"
    inbox_path: str
    same_as: str | None = None


Task: TypeAlias = Bind | Assemble | Publish | Unstage | Check
Command: TypeAlias = Annotated[
    Scan | Probe | ListDevices | Find | Finish | Cancel | Bind | Assemble | Publish | Unstage | Check | Go,
    Field(discriminator="do"),
]


# What a child says.


class Hello(_Message):
    """The child is up, and waits for its first command."""

    say: Literal["hello"] = "hello"
    version: str


class Opened(_Message):
    """The device is open and its options are set."""

    say: Literal["opened"] = "opened"
    device: str
    duplex: bool
    applied: tuple[tuple[str, Any, Any], ...]
    warnings: tuple[str, ...] = ()


class Alive(_Message):
    """Data is flowing: lines of a page, bytes of a copy. At most a few a second.

    Attributes:
        done, total: in the step's own unit; total is 0 when unknown.
    """

    say: Literal["alive"] = "alive"
    step: str
    done: int = 0
    total: int = 0


class Captured(_Message):
    """A page is safe on disk: fsynced under its final name, its line in pages.jsonl."""

    say: Literal["captured"] = "captured"
    page: Page


class Ended(_Message):
    """The batch has ended; end.json is written where a page had been asked for.

    Attributes:
        leaving: the child ends now, since its driver is not to be trusted any more.
    """

    say: Literal["ended"] = "ended"
    end: End
    leaving: bool = False
    offers: dict[str, Any] | None = None


class Probed(_Message):
    """What a device makes of the settings. Field names are those of `scand probe --json`."""

    say: Literal["probed"] = "probed"
    device: str
    assignments: tuple[tuple[str, Any, Any], ...]
    sides: str
    source: str | None
    mode: str | None
    resolution: float
    page_size_mm: tuple[float, float]
    warnings: tuple[str, ...]


class Device(_Message):
    """One line of `sane_get_devices`."""

    name: str
    vendor: str
    model: str
    type: str


class Devices(_Message):
    """All that libsane finds."""

    say: Literal["devices"] = "devices"
    devices: tuple[Device, ...]


class FoundDevice(_Message):
    """The device is there, under this name."""

    say: Literal["found"] = "found"
    device: str


class BoundPdf(_Message):
    """A courier has made a batch's PDF."""

    say: Literal["bound"] = "bound"
    pdf: BatchPdf


class Staged(_Message):
    """A courier has put the merge on the NAS and read it back.

    Attributes:
        staged: where, relative to the NAS root.
    """

    say: Literal["staged"] = "staged"
    document: Document
    staged: str


class Named(_Message):
    """A courier has verified the staged file, knows a free name, and waits for `Go`."""

    say: Literal["named"] = "named"
    inbox_path: str
    sha256: str


class Published(_Message):
    """The document is in the Inbox."""

    say: Literal["published"] = "published"
    inbox_path: str
    sha256: str


class Unstaged(_Message):
    """The staged merge is gone."""

    say: Literal["unstaged"] = "unstaged"


class Checked(_Message):
    """The NAS is there, and the right one."""

    say: Literal["checked"] = "checked"


class Failed(_Message):
    """The command could not be done."""

    say: Literal["failed"] = "failed"
    code: ErrorCode | None
    sentence: str
    offers: dict[str, Any] | None = None


Report: TypeAlias = Annotated[
    Hello
    | Opened
    | Alive
    | Captured
    | Ended
    | Probed
    | Devices
    | FoundDevice
    | BoundPdf
    | Staged
    | Named
    | Published
    | Unstaged
    | Checked
    | Failed,
    Field(discriminator="say"),
]

_COMMAND: TypeAdapter[Command] = TypeAdapter(Command)
_REPORT: TypeAdapter[Report] = TypeAdapter(Report)


def encode(message: BaseModel) -> bytes:
    """One line, with its newline."""
    return message.model_dump_json().encode() + b"\n"


class Lines:
    """Bytes as they come from the socket → whole messages; a torn last line stays until the rest comes."""

    def __init__(self) -> None:
        self._rest = b""

    def _whole(self, data: bytes) -> list[bytes]:
        *lines, self._rest = (self._rest + data).split(b"\n")
        return lines

    def commands(self, data: bytes) -> list[Command]:
        """What the parent said.

        Raises:
            pydantic.ValidationError: a line is none of `Command`: the two are of different versions.
        """
        return [_COMMAND.validate_json(line) for line in self._whole(data)]

    def reports(self, data: bytes) -> list[Report]:
        """What the child said.

        Raises:
            pydantic.ValidationError: a line is none of `Report`.
        """
        return [_REPORT.validate_json(line) for line in self._whole(data)]
