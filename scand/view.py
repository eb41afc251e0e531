"""The words of deciding: View, Occurrence, Intent.

A View is what the daemon sees, an Occurrence what happens to it, an Intent what it can want done. Values only:
`decide` has the logic, `perform` the effects.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from scand import wire
    from scand.errors import ErrorCode, ScandError
    from scand.jobs import Job, StaleFile, Status
    from scand.lifecycle import Actor
    from scand.pages import BatchPdf, End, SpooledBatch
    from scand.settings import Settings


# What the daemon sees.


@dataclass(frozen=True, slots=True)
class Run:
    """A batch under way in the feeder child.

    Attributes:
        started: when the feeder was told; monotonic seconds.
        captured: sides that are safe on disk.
        duplex: two sides a sheet, once the driver has said so.
        stop: why it was asked to end (`canceled`, `interrupted`), once it was; `stop_at` says when.
    """

    job_id: int
    seq: int
    started: float = 0.0
    captured: int = 0
    duplex: bool = False
    stop: ErrorCode | None = None
    stop_at: float = 0.0


@dataclass(frozen=True, slots=True)
class FeederChild:
    """The feeder child.

    Attributes:
        heard: when it last spoke, was given something to do, or was killed; monotonic seconds.
        run: the batch under way; None: it waits, warm.
        finding: it looks whether the device is there.
        killed_for: why it was killed, while it has not ended yet.
    """

    heard: float
    run: Run | None = None
    finding: bool = False
    killed_for: ErrorCode | None = None


class Errand(StrEnum):
    """What a courier is sent for."""

    BIND = "bind"  # a batch's pages → batch.pdf, on local disk
    ASSEMBLE = "assemble"  # the kept batches → merged.pdf → the NAS, verified
    PUBLISH = "publish"  # staged file → Inbox, on the daemon's word
    UNSTAGE = "unstage"  # remove a staged file that nobody wants any more
    CHECK = "check"  # is the NAS there?

    @property
    def local(self) -> bool:
        """Whether it stays off the NAS."""
        return self is Errand.BIND


@dataclass(frozen=True, slots=True)
class CourierChild:
    """The courier child.

    Attributes:
        entered: `Job.entered` when it was sent: its result is for that stay in the status and no other.
        seq: the batch, for BIND.
        heard, killed_for: as for the feeder.
        named: the name it has found in the Inbox; it waits for the daemon's word.
        told: the word has been given.
        reported: it has said how its errand went; its end is then no fault.
    """

    errand: Errand
    job_id: int
    heard: float
    entered: int = 0
    seq: int = 0
    killed_for: ErrorCode | None = None
    named: wire.Named | None = None
    told: bool = False
    reported: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """What the config says about times, and who commits. Seconds; None: off."""

    page_timeout: float = 60.0
    ready_timeout: float | None = 900.0
    preview_timeout: float | None = None
    commits: bool = True


@dataclass(frozen=True, slots=True)
class Look:
    """One look at the rows and the disk.

    Attributes:
        job: the active job, or None.
        queued: whether one waits to be claimed.
        settings: the job's, resolved; or why they cannot be; None without a job.
        unsettled: batches on disk that are not in the database, in order.
        next_seq: the number that a new batch would get.
        stale: a file staged on the NAS that its job wants no more, if there is one.
        trouble: why the job's directory on local disk cannot be read or written; None: it can.
    """

    job: Job | None = None
    queued: bool = False
    settings: Settings | ScandError | None = None
    unsettled: tuple[SpooledBatch, ...] = ()
    next_seq: int = 1
    stale: StaleFile | None = None
    trouble: ScandError | None = None


@dataclass(frozen=True, slots=True)
class View:
    """All that deciding needs.

    Attributes:
        serving: elected, and the database is there.
        fresh: nothing has happened since `look` that could have made it untrue.
        ended: how the last run ended that left nothing on disk: (job, report).
        bound: the PDF that a courier has bound: (job, batch, PDF).
        done: what the last courier came back with: (job, entered, errand, report).
        scan_asked: when the signal "scan now" came, until it is acted on.
        stopping: the daemon was told to stop.
        progressed: when progress was last written.
        unstage_after: no errand for a stale staged file before this time.
        device: the SANE name that the feeder opened last; "" before the first time.
        feeder_after: a feeder that ended by itself is not warmed up again before this time.
        closed: the last job that the agent itself has ended.
        scanner_trouble, nas_trouble: why it is not to be had, as far as is known; None: it is.
        found_at, checked_at: when an idle agent last asked for the scanner and the NAS.
    """

    limits: Limits
    look: Look
    serving: bool = False
    fresh: bool = False
    feeder: FeederChild | None = None
    courier: CourierChild | None = None
    ended: tuple[int, wire.Ended] | None = None
    bound: tuple[int, int, BatchPdf] | None = None
    done: tuple[int, int, Errand, wire.Report] | None = None
    scan_asked: float | None = None
    stopping: bool = False
    progressed: float = 0.0
    unstage_after: float = 0.0
    device: str = ""
    feeder_after: float = 0.0
    closed: int = 0
    scanner_trouble: wire.Failed | None = None
    nas_trouble: wire.Failed | None = None
    found_at: float = float("inf")
    checked_at: float = float("inf")

    @property
    def ready(self) -> bool:
        """Whether a job could be scanned and delivered now: more than being alive."""
        return self.serving and not (self.stopping or self.scanner_trouble or self.nas_trouble)


# What happens.


@dataclass(frozen=True, slots=True)
class Looked:
    """The rows and the disk were read."""

    look: Look


@dataclass(frozen=True, slots=True)
class LookDue:
    """There is a session, and a hint or the poll says that the rows may have changed."""


@dataclass(frozen=True, slots=True)
class DatabaseLost:
    """No rows for now; scanning goes on to the end of the batch."""


@dataclass(frozen=True, slots=True)
class Displaced:
    """Another daemon leads: ours writes nothing more."""


@dataclass(frozen=True, slots=True)
class FeederSaid:
    """The feeder reported."""

    report: wire.Report


@dataclass(frozen=True, slots=True)
class FeederEnded:
    """The feeder's process is no more (or could not be started).

    Attributes:
        how: "exit status 1", "signal 11", for the log and the error sentence.
    """

    how: str


@dataclass(frozen=True, slots=True)
class CourierSaid:
    """The courier reported."""

    report: wire.Report


@dataclass(frozen=True, slots=True)
class CourierEnded:
    """The courier's process is no more (or could not be started)."""

    how: str


@dataclass(frozen=True, slots=True)
class ScanAsked:
    """SIGUSR1."""


@dataclass(frozen=True, slots=True)
class StopAsked:
    """SIGTERM."""


@dataclass(frozen=True, slots=True)
class Configured:
    """The config was read, or read again."""

    limits: Limits


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed."""


Occurrence: TypeAlias = (
    Looked
    | LookDue
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


# What can be wanted. The intents of one decision are performed in order; the first that fails ends them.


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
    """

    job_id: int
    status: Status
    seq: int
    pdf: BatchPdf | None
    kept: bool
    code: ErrorCode | None
    error: str | None


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
    """The job moves: `last_progress_at`, and while scanning the pages so far."""

    job_id: int
    pages: int | None


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
class ForgetStaged:
    """Nothing of the job is staged on the NAS any more."""

    job_id: int


@dataclass(frozen=True, slots=True)
class StartFeeder:
    """Spawn the feeder child, so that it is warm when it is wanted."""


@dataclass(frozen=True, slots=True)
class Scan:
    """Tell the feeder to pull a batch."""

    job_id: int
    seq: int
    settings: Settings
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
    """Send a courier on an errand for a job.

    Attributes:
        entered: `Job.entered`.
        job: for ASSEMBLE and PUBLISH.
        seq: for BIND.
        staged: for UNSTAGE.
    """

    errand: Errand
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


Intent: TypeAlias = (
    LookAgain
    | Claim
    | MakeManualJob
    | Advance
    | Record
    | Postpone
    | Progress
    | Name
    | Commit
    | ForgetStaged
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
