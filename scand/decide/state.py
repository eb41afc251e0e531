"""What the daemon sees: rows, disk, children. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scand import wire
    from scand.errors import ScandError
    from scand.faults import ErrorCode
    from scand.jobs.rows import Job, StaleFile
    from scand.jobs.settings import Settings
    from scand.spool.records import BatchPdf, SpooledBatch


@dataclass(frozen=True, slots=True)
class Run:
    """A batch under way in the feeder child.

    Attributes:
        scanner: what `scanner.device` said when it was told.
        started: when the feeder was told; monotonic seconds.
        captured: sides that are safe on disk.
        duplex: two sides a sheet, once the driver has said so.
        stop: why it was asked to end (`canceled`, `interrupted`), once it was; `stop_at` says when.
    """

    job_id: int
    seq: int
    scanner: str = ""
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
        resting: its batch has ended, and the driver comes to rest.
        finding: it looks whether the device is there.
        killed_for: why it was killed, while it has not ended yet.
    """

    heard: float
    run: Run | None = None
    resting: bool = False
    finding: bool = False
    killed_for: ErrorCode | None = None


class Task(StrEnum):
    """What a courier is sent for."""

    BIND = "bind"  # a batch's pages → batch.pdf, on local disk
    ASSEMBLE = "assemble"  # the kept batches → merged.pdf → the NAS, verified
    PUBLISH = "publish"  # staged file → Inbox, on the daemon's word
    UNSTAGE = "unstage"  # remove a staged file that nobody wants any more
    SWEEP = "sweep"  # remove from local disk what is past its time there
    CHECK = "check"  # is the NAS there?

    @property
    def local(self) -> bool:
        """Whether it stays off the NAS."""
        return self in {Task.BIND, Task.SWEEP}


@dataclass(frozen=True, slots=True)
class CourierChild:
    """The courier child.

    Attributes:
        entered: `Job.entered` when it was sent: its result is for that stay in the status and no other.
        seq: the batch, for BIND.
        heard, killed_for: as for the feeder.
        at: how far it has come.
        named: the name it has found in the Inbox; it waits for the daemon's word.
        told: the word has been given.
        reported: it has said how its task went; its end is then no fault.
    """

    task: Task
    job_id: int
    heard: float
    entered: int = 0
    seq: int = 0
    killed_for: ErrorCode | None = None
    at: wire.Alive | None = None
    named: wire.Named | None = None
    told: bool = False
    reported: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """What the config says about times, who commits, and which scanner. Seconds; None: off."""

    page_timeout: float = 60.0
    ready_timeout: float | None = 900.0
    preview_timeout: float | None = None
    keep: float | None = None
    commits: bool = True
    scanner: str = ""


@dataclass(frozen=True, slots=True)
class Snapshot:
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
class State:
    """All that deciding needs.

    Attributes:
        serving: elected, and the database is there.
        fresh: nothing has happened since `look` that could have made it untrue.
        ended: how the last run ended that left nothing on disk: (job, report).
        bound: the PDF that a courier has bound: (job, batch, PDF).
        done: what the last courier came back with: (job, entered, task, report).
        scan_asked: when the signal "scan now" came, until it is acted on.
        stopping: the daemon was told to stop.
        progressed: when progress was last written.
        unstage_after: no task for a stale staged file before this time.
        device: the SANE name that the feeder opened last, and what `scanner.device` said then; "" before that.
        feeder_after: a feeder that ended by itself is not warmed up again before this time.
        closed: the last job that the agent itself has ended.
        scanner_trouble, nas_trouble: why it is not to be had, as far as is known; None: it is.
        found_at, checked_at: when an idle agent last asked for the scanner and the NAS.
        swept_at: when it last looked for files that are past their time.
    """

    limits: Limits
    look: Snapshot
    serving: bool = False
    fresh: bool = False
    feeder: FeederChild | None = None
    courier: CourierChild | None = None
    ended: tuple[int, wire.Ended] | None = None
    bound: tuple[int, int, BatchPdf] | None = None
    done: tuple[int, int, Task, wire.Report] | None = None
    scan_asked: float | None = None
    stopping: bool = False
    progressed: float = 0.0
    unstage_after: float = 0.0
    device: str = ""
    device_for: str = ""
    feeder_after: float = 0.0
    closed: int = 0
    scanner_trouble: wire.Failed | None = None
    nas_trouble: wire.Failed | None = None
    found_at: float = float("inf")
    checked_at: float = float("inf")
    swept_at: float = float("inf")

    @property
    def ready(self) -> bool:
        """Whether a job could be scanned and delivered now: more than being alive."""
        return self.serving and not (self.stopping or self.scanner_trouble or self.nas_trouble)
