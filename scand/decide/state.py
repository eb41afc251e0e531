"""What the daemon knows: the rows, the disk, its children. Values only.

Times are `monotonic()` seconds unless something else is said.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scand import wire
    from scand.decide.job_pages import JobPages
    from scand.decide.limits import Limits
    from scand.errors import ScandError
    from scand.faults import ErrorCode
    from scand.jobs.lifecycle import Status
    from scand.jobs.rows import Job, StaleFile, UnreadDocument
    from scand.jobs.settings import Settings
    from scand.jobs.staged import StagedPlace
    from scand.spool.leaves import Plan
    from scand.spool.records import BatchPdf, PaperLeft, SpooledBatch


@dataclass(frozen=True, slots=True)
class Run:
    """A batch that the feeder child is scanning.

    Attributes:
        job_id: the job that it belongs to.
        seq: the batch's number within the job.
        scanner: the value of `scanner.device` when the feeder was told.
        started: when the feeder was told.
        captured: number of sides that are safe on disk.
        duplex: each sheet has two sides; known once the driver has said so.
        stop: why the feeder was told to end the batch (`canceled`, `interrupted`); None: it was not.
        stop_at: when it was told that.
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
        heard: when it last said something, was told something, or was killed.
        run: the batch that it is scanning; None: it waits.
        resting: its batch has ended, and it has not reported `Idle` yet: the driver is in `sane_cancel`.
        finding: it is looking whether the device is there.
        killed_for: why it was killed; it has not ended yet.
    """

    heard: float
    run: Run | None = None
    resting: bool = False
    finding: bool = False
    killed_for: ErrorCode | None = None


class Task(StrEnum):
    """What a courier can be sent for."""

    BIND = "bind"  # make batch.pdf of a batch's pages, on local disk
    ASSEMBLE = "assemble"  # merge the kept batches, copy the merge to the NAS, verify it
    PUBLISH = "publish"  # move the staged file into the Inbox, once the daemon has said `Go`
    UNSTAGE = "unstage"  # remove a staged file whose job does not need it any more
    READ_BACK = "read_back"  # find the document that a client has committed, then remove the staged one
    SWEEP = "sweep"  # remove expired job directories from local disk
    CHECK = "check"  # is the NAS there?

    @property
    def local(self) -> bool:
        """Whether the task does without the NAS."""
        return self in {Task.BIND, Task.SWEEP}


@dataclass(frozen=True, slots=True)
class CourierChild:
    """The courier child.

    Attributes:
        task: what it was sent for.
        job_id: for which job; 0: for none.
        heard: when it last said something, was told something, or was killed.
        entered: `Job.entered` when it was sent; its result counts only as long as the job has the same.
        seq: number of the batch, for BIND.
        killed_for: why it was killed; it has not ended yet.
        progress: how far it has come.
        named: the name that it has found in the Inbox; it waits for `Go`.
        go_given: `Go` has been sent for that name.
        reported: it has reported its result, so that its end is no fault.
    """

    task: Task
    job_id: int
    heard: float
    entered: int = 0
    seq: int = 0
    killed_for: ErrorCode | None = None
    progress: wire.Alive | None = None
    named: wire.Named | None = None
    go_given: bool = False
    reported: bool = False


@dataclass(frozen=True, slots=True)
class WaitingJob:
    """A queued job that is next.

    Attributes:
        settings: resolved; the refusal if they are wrong.
    """

    job_id: int
    settings: Settings | ScandError


@dataclass(frozen=True, slots=True)
class ParkedJob:
    """A parked job.

    Attributes:
        resumes_in: the status in which it goes on.
        room: bytes that its merge needs on the NAS, as far as is known; for a delivery.
    """

    job_id: int
    resumes_in: Status
    room: int = 0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The rows and the disk, as they were read together.

    Attributes:
        job: the active job; None: there is none.
        queued: whether a job waits to be scanned.
        held: whether one of them was told to wait since the feeder may hold another's paper.
        paper: whose paper may be in the feeder; None: it is empty.
        waiting: with such paper, the oldest queued job that was not told to wait.
        delivery: the parked job that goes on by itself next; None: there is none.
        overdue: a parked job that has waited for too long; None: there is none.
        settings: the active job's; the refusal if they are wrong; None without a job.
        unrecorded: its batches that are on disk and not in the database, in order.
        next_seq: the number that its next batch gets.
        stale: a file staged on the NAS that its job does not need any more; None: there is none.
        trouble: why the job's directory on local disk cannot be read or written; None: it can.
        unread: a document that a client has committed and the agent has yet to read back; None: there is none.
        former: the status now of the job that was active in the snapshot before; None: there was none, or its row
            is gone.
        former_path: that job's `inbox_path`.
        place: where the active job's merge is staged on the NAS; None without a job.
    """

    job: Job | None = None
    queued: bool = False
    held: bool = False
    paper: PaperLeft | None = None
    waiting: WaitingJob | None = None
    delivery: ParkedJob | None = None
    overdue: ParkedJob | None = None
    settings: Settings | ScandError | None = None
    unrecorded: tuple[SpooledBatch, ...] = ()
    next_seq: int = 1
    stale: StaleFile | None = None
    trouble: ScandError | None = None
    unread: UnreadDocument | None = None
    former: str | None = None
    former_path: str | None = None
    place: StagedPlace | None = None


@dataclass(frozen=True, slots=True)
class EndedRun:
    """How the last batch of a job ended, as its feeder reported it, or as its end was judged."""

    job_id: int
    report: wire.Ended


@dataclass(frozen=True, slots=True)
class BoundBatch:
    """The PDF that a courier has made of a batch, whose row does not tell of it yet."""

    job_id: int
    seq: int
    pdf: BatchPdf


@dataclass(frozen=True, slots=True)
class TaskResult:
    """What the last courier reported of its task.

    Attributes:
        job_id: the job that it was sent for; 0: for none.
        entered: `Job.entered` when it was sent.
        task: what it was sent for.
        report: its result, or why there is none.
    """

    job_id: int
    entered: int
    task: Task
    report: wire.Report


@dataclass(frozen=True, slots=True)
class State:
    """All that deciding needs to know.

    Attributes:
        limits: from the config.
        snapshot: the rows and the disk when they were last read.
        serving: this daemon leads, and the database is there.
        fresh: nothing has happened since that could have changed the rows or the disk.
        feeder: the feeder child; None: there is none.
        courier: the courier child; None: there is none.
        ended: how the last batch ended; it matters where that left no batch on disk.
        bound: the PDF of a batch whose row does not tell of it yet.
        pages: what the merge of the job in assembling is made from; None: it has yet to be read.
        plan: what the merge that a courier makes, or has made last, holds.
        done: what the last courier reported, until it is acted on.
        scan_asked: when the signal "scan now" came, until it is acted on; None: it is.
        stopping: the daemon was told to stop.
        progressed: when progress was last written.
        pages_written: when pages of a running batch were last written.
        pages_repaired: the job whose pages were compared with the disk since this daemon leads; 0: none.
        unstage_after: when a stale staged file may be removed again, at the earliest.
        unstage_failed: the job whose staged file could not be removed last; the others' come first.
        device: the SANE name that the feeder opened last; "" before that.
        device_for: the value of `scanner.device` when it did.
        feeder_after: when a feeder may be started ahead of need, at the earliest: some time after one has ended
            by itself.
        closed: id of the last job that this agent itself has ended.
        scanner_trouble: why the scanner cannot be used, as far as is known; None: it can.
        nas_trouble: why the NAS cannot be used, as far as is known; None: it can.
        nas_proved: a document was delivered, or a check went well, since the start and since its last trouble.
        nas_refusals: deliveries in a row that failed on the NAS although a check had gone well.
        access_refused: the last document could not be given the group and permissions that the config says.
        delivered: the last job that was claimed was a parked one.
        scanner_checked: when an idle agent last asked whether the scanner is there.
        nas_checked: when an idle agent last asked whether the NAS is there.
        swept: when an idle agent last removed expired files.
        canceled: a job that was canceled while it was scanning, and whose batch has no row yet; 0: any job, after
            the start; None: there is none.
    """

    limits: Limits
    snapshot: Snapshot
    serving: bool = False
    fresh: bool = False
    feeder: FeederChild | None = None
    courier: CourierChild | None = None
    ended: EndedRun | None = None
    bound: BoundBatch | None = None
    pages: JobPages | None = None
    plan: Plan | None = None
    done: TaskResult | None = None
    scan_asked: float | None = None
    stopping: bool = False
    progressed: float = 0.0
    pages_written: float = 0.0
    pages_repaired: int = 0
    unstage_after: float = 0.0
    unstage_failed: int = 0
    device: str = ""
    device_for: str = ""
    feeder_after: float = 0.0
    closed: int = 0
    scanner_trouble: wire.Failed | None = None
    nas_trouble: wire.Failed | None = None
    nas_proved: bool = False
    nas_refusals: int = 0
    access_refused: bool = False
    delivered: bool = False
    scanner_checked: float = float("inf")
    nas_checked: float = float("inf")
    swept: float = float("inf")
    canceled: int | None = None

    @property
    def nas_well(self) -> bool:
        """Whether the NAS is known to be well, so that parked jobs can go on."""
        return self.nas_proved and self.nas_trouble is None

    @property
    def ready(self) -> bool:
        """Whether a job could be scanned and delivered now."""
        return self.serving and not (self.stopping or self.scanner_trouble or self.nas_trouble)
