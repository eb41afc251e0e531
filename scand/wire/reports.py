"""What a child says."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field

from scand.faults import ErrorCode
from scand.spool.records import BatchPdf, Document, End, Page
from scand.wire.message import Message


class Hello(Message):
    """The child is up, and waits for its first command."""

    say: Literal["hello"] = "hello"
    version: str


class Opened(Message):
    """The device is open and its options are set."""

    say: Literal["opened"] = "opened"
    device: str
    duplex: bool
    applied: tuple[tuple[str, Any, Any], ...]
    warnings: tuple[str, ...] = ()


class Alive(Message):
    """Data is flowing: lines of a page, bytes of a copy. At most a few a second.

    Attributes:
        done, total: in the step's own unit; total is 0 when unknown.
    """

    say: Literal["alive"] = "alive"
    step: str
    done: int = 0
    total: int = 0


class Captured(Message):
    """A page is safe on disk: fsynced under its final name, its line in pages.jsonl."""

    say: Literal["captured"] = "captured"
    page: Page


class Ended(Message):
    """The batch has ended; end.json is written where a page had been asked for.

    Attributes:
        leaving: the child ends now, since its driver is not to be trusted any more.
    """

    say: Literal["ended"] = "ended"
    end: End
    leaving: bool = False
    offers: dict[str, Any] | None = None


class Idle(Message):
    """The child waits for its next command; a feeder has let the driver come to rest first, which may hang."""

    say: Literal["idle"] = "idle"


class Probed(Message):
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


class Device(Message):
    """One line of `sane_get_devices`."""

    name: str
    vendor: str
    model: str
    type: str


class Devices(Message):
    """All that libsane finds."""

    say: Literal["devices"] = "devices"
    devices: tuple[Device, ...]


class FoundDevice(Message):
    """The device is there, under this name."""

    say: Literal["found"] = "found"
    device: str


class BoundPdf(Message):
    """A courier has made a batch's PDF."""

    say: Literal["bound"] = "bound"
    pdf: BatchPdf


class Staged(Message):
    """A courier has put the merge on the NAS and read it back.

    Attributes:
        staged: where, relative to the NAS root.
    """

    say: Literal["staged"] = "staged"
    document: Document
    staged: str


class Named(Message):
    """A courier has verified the staged file, knows a free name, and waits for `Go`."""

    say: Literal["named"] = "named"
    inbox_path: str
    sha256: str


class Published(Message):
    """The document is in the Inbox."""

    say: Literal["published"] = "published"
    inbox_path: str
    sha256: str


class Unstaged(Message):
    """The staged merge is gone."""

    say: Literal["unstaged"] = "unstaged"


class Swept(Message):
    """Nothing expired is on local disk any more."""

    say: Literal["swept"] = "swept"


class Checked(Message):
    """The NAS is there, and the right one."""

    say: Literal["checked"] = "checked"


class Folder(Message):
    """A directory on the NAS.

    Attributes:
        path: relative to the NAS root; "" is the root itself.
        mode: permissions, such as 0o750.
    """

    path: str
    mode: int
    uid: int
    gid: int


class Surveyed(Message):
    """What the NAS is like.

    Attributes:
        free: bytes that the daemon's user may still write.
        gid: the group that the file system gives to new files.
        folders: those that there are, of the root and the way to staging and Inbox.
    """

    say: Literal["surveyed"] = "surveyed"
    free: int
    gid: int
    folders: tuple[Folder, ...]


class Failed(Message):
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
    | Idle
    | Probed
    | Devices
    | FoundDevice
    | BoundPdf
    | Staged
    | Named
    | Published
    | Unstaged
    | Swept
    | Checked
    | Surveyed
    | Failed,
    Field(discriminator="say"),
]
