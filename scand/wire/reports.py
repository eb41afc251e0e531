"""The messages from the children to the daemon."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field

from scand.faults import ErrorCode
from scand.spool.records import BatchPdf, Document, End, Page
from scand.wire.answers import Marked, Surveyed
from scand.wire.message import Message


class Hello(Message):
    """The child has started and waits for its first command.

    Attributes:
        version: of scand.
    """

    say: Literal["hello"] = "hello"
    version: str


class Opened(Message):
    """The device is open and its options are set.

    Attributes:
        device: its SANE name.
        duplex: front and back of each sheet come in turn.
        applied: the options that were set, in order: (name, value asked for, value read back).
        warnings: what is not quite as asked for.
    """

    say: Literal["opened"] = "opened"
    device: str
    duplex: bool
    applied: tuple[tuple[str, Any, Any], ...]
    warnings: tuple[str, ...] = ()


class Alive(Message):
    """The child is making progress; sent about every `throttle.ALIVE_EVERY` seconds.

    Attributes:
        step: what it is doing, such as "page 3" or "copying".
        done: how far it has come, in the step's own unit: lines of a page, pages of a PDF, bytes of a copy.
        total: how far there is to go, in the same unit; 0 when unknown.
    """

    say: Literal["alive"] = "alive"
    step: str
    done: int = 0
    total: int = 0


class Captured(Message):
    """A page is safe on disk: fsynced under its final name, with its line in pages.jsonl."""

    say: Literal["captured"] = "captured"
    page: Page


class Ended(Message):
    """The batch has ended; if paper had been asked for, end.json is written (or the daemon must write it).

    Attributes:
        end: how it ended.
        leaving: the child ends now, since its driver can no longer be trusted.
        offers: for `unsupported_settings`, what the device has instead (option name → values).
    """

    say: Literal["ended"] = "ended"
    end: End
    leaving: bool = False
    offers: dict[str, Any] | None = None


class Idle(Message):
    """The child waits for its next command. A feeder has called `sane_cancel` before; a driver may hang in it."""

    say: Literal["idle"] = "idle"


class Probed(Message):
    """What a device makes of the settings. The fields are those of `scand probe --json`.

    Attributes:
        device: its SANE name.
        assignments: the options that were set, in order: (name, value asked for, value read back).
        sides: as asked for.
        source: as the driver spells it; None when it has no such option.
        mode: as the driver spells it; None when it has no such option.
        resolution: dots per inch.
        page_size_mm: width and height; 0 where unknown.
        warnings: what is not quite as asked for.
    """

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
    """One device of `sane_get_devices`."""

    name: str
    vendor: str
    model: str
    type: str


class Devices(Message):
    """All devices that libsane finds."""

    say: Literal["devices"] = "devices"
    devices: tuple[Device, ...]


class FoundDevice(Message):
    """The device is there.

    Attributes:
        device: its SANE name.
    """

    say: Literal["found"] = "found"
    device: str


class BoundPdf(Message):
    """A courier has made a batch's PDF."""

    say: Literal["bound"] = "bound"
    pdf: BatchPdf


class Staged(Message):
    """A courier has copied the merge to the NAS and verified the copy.

    Attributes:
        document: the local merge.
        title: the title that is in it.
        staged: path of the copy, relative to the NAS root.
        left: a copy that is another document, and so was left; relative to the NAS root.
    """

    say: Literal["staged"] = "staged"
    document: Document
    title: str
    staged: str
    left: str | None = None


class Named(Message):
    """A courier has found a free name in the Inbox, and waits for `Go` before it publishes.

    Attributes:
        inbox_path: that name, relative to the NAS root.
        sha256: of the document, 64 hex digits.
    """

    say: Literal["named"] = "named"
    inbox_path: str
    sha256: str


class Published(Message):
    """The document is in the Inbox.

    Attributes:
        inbox_path: where, relative to the NAS root.
        sha256: of the document, 64 hex digits.
        granted: it has the group and the permissions that the config says.
    """

    say: Literal["published"] = "published"
    inbox_path: str
    sha256: str
    granted: bool = True


class Withdrawn(Message):
    """The document is not in the Inbox, and the staged file is what was previewed: the job can be taken back."""

    say: Literal["withdrawn"] = "withdrawn"


class Unstaged(Message):
    """Nothing of the job is staged on the NAS any more.

    Attributes:
        left: what its row named, and nobody can prove to be the job's; relative to the NAS root.
    """

    say: Literal["unstaged"] = "unstaged"
    left: str | None = None


class Found(Message):
    """The document that a client has committed was read back, and the staged merge is gone."""

    say: Literal["found_document"] = "found_document"


class Swept(Message):
    """No expired directory is on local disk any more."""

    say: Literal["swept"] = "swept"


class Checked(Message):
    """The NAS is there, and the right one."""

    say: Literal["checked"] = "checked"


class Failed(Message):
    """The command failed.

    Attributes:
        code: the fault; None when the trouble has no code.
        sentence: what happened and what to do about it, for a person.
        offers: for `unsupported_settings`, what the device has instead (option name → values).
    """

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
    | Withdrawn
    | Unstaged
    | Found
    | Swept
    | Checked
    | Surveyed
    | Marked
    | Failed,
    Field(discriminator="say"),
]
"""Whatever a child can say."""
