"""Actions on this host: its processes, and its disk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scand import wire
    from scand.decide.state import Task
    from scand.faults import ErrorCode
    from scand.jobs.lifecycle import Status
    from scand.jobs.rows import Job, UnreadDocument
    from scand.jobs.settings import Settings
    from scand.spool.leaves import Run
    from scand.spool.records import End


@dataclass(frozen=True, slots=True)
class StartFeeder:
    """Start the feeder child."""


@dataclass(frozen=True, slots=True)
class Scan:
    """Tell the feeder to scan a batch.

    Attributes:
        device: the value of `scanner.device`.
        last_device: the SANE name that was opened for that value last; "" when there is none.
    """

    job_id: int
    seq: int
    settings: Settings
    device: str = ""
    last_device: str = ""


@dataclass(frozen=True, slots=True)
class TellFeeder:
    """Tell the feeder to end the batch that it is scanning."""

    command: wire.Finish | wire.Cancel


@dataclass(frozen=True, slots=True)
class FindScanner:
    """Ask the feeder whether the device is there."""


@dataclass(frozen=True, slots=True)
class RetireFeeder:
    """Let the idle feeder end, so that other programs can use the scanner."""


@dataclass(frozen=True, slots=True)
class KillFeeder:
    """Send SIGKILL to the feeder; `code` says why."""

    code: ErrorCode


@dataclass(frozen=True, slots=True)
class AbandonFeeder:
    """Go on without a feeder that was killed and does not end: it is stuck in the kernel."""


@dataclass(frozen=True, slots=True)
class EndBatch:
    """Write end.json for a batch whose feeder could not. If there is one already, nothing happens."""

    job_id: int
    seq: int
    end: End


@dataclass(frozen=True, slots=True)
class DropBatch:
    """Remove the directory of a batch that has no page."""

    job_id: int
    seq: int


@dataclass(frozen=True, slots=True)
class Send:
    """Send a courier to do a task.

    Attributes:
        job_id: 0 for a task without a job.
        job: the job, for ASSEMBLE and PUBLISH.
        seq: number of the batch, for BIND.
        runs: which pages of its kept batches the merge holds, for ASSEMBLE.
        staged: path of the staged file relative to the NAS root, for UNSTAGE.
        unread: the document, for READ_BACK.
        room: bytes that must be free on the NAS, for CHECK.
    """

    task: Task
    job_id: int
    entered: int = 0
    job: Job | None = None
    seq: int = 0
    runs: tuple[Run, ...] = ()
    staged: str = ""
    unread: UnreadDocument | None = None
    room: int = 0


@dataclass(frozen=True, slots=True)
class KillCourier:
    """Send SIGKILL to the courier; `code` says why, None that another daemon leads."""

    code: ErrorCode | None


@dataclass(frozen=True, slots=True)
class AbandonCourier:
    """Go on without a courier that was killed and does not end: it is stuck in the kernel, as when a NAS hangs."""


@dataclass(frozen=True, slots=True)
class RefuseScan:
    """Log why the signal "scan now" has no effect.

    Attributes:
        status: of the job that is being worked on; None: the database is away.
    """

    status: Status | None


@dataclass(frozen=True, slots=True)
class Exit:
    """Everything that had to be done is done: leave the loop."""
