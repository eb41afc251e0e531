"""What the daemon can want done. Values only; `perform` has the effects.

The actions of one decision are performed in order; the first that fails ends them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from scand import wire
    from scand.decide.state import State, Task
    from scand.faults import ErrorCode
    from scand.jobs.lifecycle import Actor, Status
    from scand.jobs.rows import Job
    from scand.jobs.settings import Settings
    from scand.spool.records import BatchPdf, End


@dataclass(frozen=True, slots=True)
class LookAgain:
    """Read the rows and the disk."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Take the oldest queued job."""


@dataclass(frozen=True, slots=True)
class MakeManualJob:
    """A new job from `[manual]`, as a client would."""


@dataclass(frozen=True, slots=True)
class Advance:
    """One step of the job, with its results. `error` and `code` replace what the row says.

    Attributes:
        entered: `Job.entered` as it was decided on.
        staged: for assembling → preview: the merge and where it is.
    """

    job_id: int
    from_status: Status
    to_status: Status
    actor: Actor
    entered: int = 0
    error: str | None = None
    code: ErrorCode | None = None
    staged: wire.Staged | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """Write a batch into the database; a scanning job becomes ready in the same transaction.

    Attributes:
        pdf: None for a batch whose only side is the front of a torn sheet.
        kept: 'scanned', else 'discarded'.
        code: the batch's `error_code`.
        error: the job's `error` (with `code`), or None when the job stays clean.
        blank: sides that are left out as blank.
    """

    job_id: int
    status: Status
    seq: int
    pdf: BatchPdf | None
    kept: bool
    code: ErrorCode | None
    error: str | None
    blank: int = 0


@dataclass(frozen=True, slots=True)
class Postpone:
    """Stay in the status, say why, and try the step again after `seconds`. `attempt` is the one that failed."""

    job_id: int
    status: Status
    code: ErrorCode
    error: str
    seconds: float
    attempt: int


@dataclass(frozen=True, slots=True)
class Progress:
    """The job moves: `last_progress_at`; while scanning the pages so far, and else how far a courier has come."""

    job_id: int
    pages: int | None
    step: wire.Alive | None = None


@dataclass(frozen=True, slots=True)
class Name:
    """Write the name and the hash into the row, then give the courier the word."""

    job_id: int
    named: wire.Named


@dataclass(frozen=True, slots=True)
class Commit:
    """The document is in the Inbox: say so, and link it."""

    job_id: int
    published: wire.Published


@dataclass(frozen=True, slots=True)
class ExpectStaged:
    """Say in the row where on the NAS the job's merge is going to be, before the first byte is there."""

    job_id: int


@dataclass(frozen=True, slots=True)
class ForgetStaged:
    """Nothing of the job is staged on the NAS any more."""

    job_id: int


@dataclass(frozen=True, slots=True)
class Expire:
    """Let go of the local files of jobs that were committed or canceled `keep` seconds ago."""

    keep: float


@dataclass(frozen=True, slots=True)
class StartFeeder:
    """Spawn the feeder child, so that it is warm when it is wanted."""


@dataclass(frozen=True, slots=True)
class Scan:
    """Tell the feeder to pull a batch.

    Attributes:
        device: what `scanner.device` says.
        last_device: the SANE name that was good for that last; "": none was.
    """

    job_id: int
    seq: int
    settings: Settings
    device: str = ""
    last_device: str = ""


@dataclass(frozen=True, slots=True)
class TellFeeder:
    """Tell the feeder to finish or to cancel."""

    command: wire.Finish | wire.Cancel


@dataclass(frozen=True, slots=True)
class FindScanner:
    """Ask a feeder whether the device is there."""


@dataclass(frozen=True, slots=True)
class RetireFeeder:
    """Let the idle feeder go: the scanner is free for other programs."""


@dataclass(frozen=True, slots=True)
class KillFeeder:
    """SIGKILL the feeder."""

    code: ErrorCode


@dataclass(frozen=True, slots=True)
class AbandonFeeder:
    """It was killed and does not end (uninterruptible sleep): go on without it."""


@dataclass(frozen=True, slots=True)
class EndBatch:
    """Write end.json for a batch whose feeder could not; nothing happens where there is one already."""

    job_id: int
    seq: int
    end: End


@dataclass(frozen=True, slots=True)
class DropBatch:
    """Remove the directory of a batch that captured nothing."""

    job_id: int
    seq: int


@dataclass(frozen=True, slots=True)
class Send:
    """Send a courier on an task for a job.

    Attributes:
        entered: `Job.entered`.
        job: for ASSEMBLE and PUBLISH.
        seq: for BIND.
        staged: for UNSTAGE.
    """

    task: Task
    job_id: int
    entered: int = 0
    job: Job | None = None
    seq: int = 0
    staged: str = ""


@dataclass(frozen=True, slots=True)
class KillCourier:
    """SIGKILL the courier."""

    code: ErrorCode | None


@dataclass(frozen=True, slots=True)
class AbandonCourier:
    """It was killed and does not end: it is stuck in the kernel, as with a NAS that hangs."""


@dataclass(frozen=True, slots=True)
class RefuseScan:
    """The signal "scan now" changes nothing; the log says why."""

    status: Status | None


@dataclass(frozen=True, slots=True)
class Exit:
    """All that has to be is done; leave the loop."""


Action: TypeAlias = (
    LookAgain
    | Claim
    | MakeManualJob
    | Advance
    | Record
    | Postpone
    | Progress
    | Name
    | Commit
    | ExpectStaged
    | ForgetStaged
    | Expire
    | StartFeeder
    | Scan
    | TellFeeder
    | FindScanner
    | RetireFeeder
    | KillFeeder
    | AbandonFeeder
    | EndBatch
    | DropBatch
    | Send
    | KillCourier
    | AbandonCourier
    | RefuseScan
    | Exit
)

Decided: TypeAlias = "tuple[State, list[Action]]"
"""What a decision comes to: the next state, and what is wanted, in order."""
