"""What can happen to the daemon, and what became of what it wanted. Values only.

An `Occurrence` is decided on. A `Note` changes nothing that deciding goes by: only the log tells of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from scand import wire
    from scand.decide.actions import LocalAction, RowWrite
    from scand.decide.job_pages import JobPages
    from scand.decide.limits import Limits
    from scand.decide.state import Snapshot
    from scand.jobs.lifecycle import Status


@dataclass(frozen=True, slots=True)
class Looked:
    """The rows and the disk were read."""

    snapshot: Snapshot


@dataclass(frozen=True, slots=True)
class PagesRead:
    """The rows of a job's pages were compared with the disk."""

    pages: JobPages


@dataclass(frozen=True, slots=True)
class LookDue:
    """The rows may have changed: a notification came, or the poll is due."""


@dataclass(frozen=True, slots=True)
class Written:
    """A row was written as an action wanted it."""

    action: RowWrite


@dataclass(frozen=True, slots=True)
class NotWritten:
    """A row was not written: it had changed since the action was decided on. The next look tells how."""

    action: RowWrite


@dataclass(frozen=True, slots=True)
class Claimed:
    """A queued job was claimed.

    Attributes:
        status: ready; or where a parked job goes on.
    """

    job_id: int
    title: str
    status: Status


@dataclass(frozen=True, slots=True)
class ManualJobMade:
    """A job was made for the signal "scan now"."""

    job_id: int
    title: str


@dataclass(frozen=True, slots=True)
class DatabaseLost:
    """The database does not answer. A batch that is being scanned goes on to its end."""


@dataclass(frozen=True, slots=True)
class Displaced:
    """Another daemon leads: this one writes nothing more."""


@dataclass(frozen=True, slots=True)
class FeederSaid:
    """The feeder sent a report."""

    report: wire.Report


@dataclass(frozen=True, slots=True)
class FeederEnded:
    """The feeder's process has ended, or could not be started.

    Attributes:
        how: "exit status 1", "signal 11" …, for the log and the error sentence.
    """

    how: str


@dataclass(frozen=True, slots=True)
class CourierSaid:
    """The courier sent a report."""

    report: wire.Report


@dataclass(frozen=True, slots=True)
class CourierEnded:
    """The courier's process has ended or could not be started, or it waits for another task.

    Attributes:
        how: "exit status 1", "signal 11", "done" …, for the error sentence.
    """

    how: str


@dataclass(frozen=True, slots=True)
class ScanAsked:
    """SIGUSR1: "scan now"."""


@dataclass(frozen=True, slots=True)
class StopAsked:
    """SIGTERM or SIGINT."""


@dataclass(frozen=True, slots=True)
class Configured:
    """The config was read, or read again."""

    limits: Limits


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed.

    Attributes:
        listened: when the reports of children were last read, `monotonic()` seconds. Silence is counted up to
            then, since what a child has said later is still unread.
    """

    listened: float = float("inf")


@dataclass(frozen=True, slots=True)
class Performed:
    """An action that needs no database was performed."""

    action: LocalAction


@dataclass(frozen=True, slots=True)
class StatusRowMade:
    """The agent's row was missing; this daemon has made it again, and leads on."""

    epoch: int


@dataclass(frozen=True, slots=True)
class CanceledBatchRecorded:
    """What was scanned of a batch before its job was canceled is in the database.

    Attributes:
        pages: number of safe sides.
    """

    job_id: int
    seq: int
    pages: int


@dataclass(frozen=True, slots=True)
class FilesExpired:
    """A job's directory on local disk was put out of the way, to be removed."""

    job_id: int


@dataclass(frozen=True, slots=True)
class SpoolPutAside:
    """A directory with a job's number belongs to another job, and was renamed.

    Attributes:
        path: where it is now.
    """

    job_id: int
    path: str


@dataclass(frozen=True, slots=True)
class DiskRefused:
    """The staging disk did not take a write; `why` is a sentence."""

    why: str


Occurrence: TypeAlias = (
    Looked
    | PagesRead
    | LookDue
    | Written
    | NotWritten
    | Claimed
    | ManualJobMade
    | DatabaseLost
    | Displaced
    | FeederSaid
    | FeederEnded
    | CourierSaid
    | CourierEnded
    | ScanAsked
    | StopAsked
    | Configured
    | Tick
)
"""What is decided on."""

Note: TypeAlias = (
    Performed | StatusRowMade | CanceledBatchRecorded | FilesExpired | SpoolPutAside | DiskRefused
)
"""What only the log tells of."""

Outcome: TypeAlias = Occurrence | Note
"""What can become of an action."""
