"""A row of the queue: `scan_jobs` and `scan_job_batches` as the agent and the command line read them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

    from scand.jobs.lifecycle import Status


class BatchStatus(StrEnum):
    """`scan_job_batches.status`."""

    SCANNED = "scanned"  # kept: goes into the merge
    DISCARDED = "discarded"  # stays on disk, out of the merge


@dataclass(frozen=True, slots=True)
class BatchRow:
    """A row of `scan_job_batches`.

    Attributes:
        seq: 1-based merge order.
        staging_path: absolute path of the batch's PDF on the agent's host.
        error_code: the fault that ended the batch, or None.
    """

    seq: int
    staging_path: str | None
    page_count: int | None
    status: BatchStatus
    error_code: str | None = None
    file_hash: str | None = None

    @property
    def kept(self) -> bool:
        """Whether the batch goes into the merge."""
        return self.status is BatchStatus.SCANNED

    @property
    def label(self) -> str:
        """What people call it."""
        return f"Batch {self.seq}"


@dataclass(frozen=True, slots=True)
class Job:
    """A row of `scan_jobs`, with what the agent needs to know beside it, all from one look.

    Attributes:
        idle: seconds since `last_activity_at`, on the database's clock; None when it was never set.
        wait: seconds until `next_attempt_at`, on the database's clock; 0 when due or not set.
        entered: the id of the event by which it came into this status: what was begun under another is stale.
        entered_from: the status before this one.
        assembled: whether it ever was assembling: `finish` acts once.
        reopened: whether the job ever went from preview back to ready: from then on the client decides.
        batches: ordered by `batch_seq`.
    """

    id: int
    title: str
    settings: dict[str, Any]
    status: Status
    created_at: datetime
    page_count: int | None = None
    staging_path: str | None = None
    nas_staging_path: str | None = None
    inbox_path: str | None = None
    file_hash: str | None = None
    error: str | None = None
    error_code: str | None = None
    attempts: int = 0
    idle: float | None = None
    wait: float = 0.0
    entered: int = 0
    entered_from: str | None = None
    assembled: bool = False
    reopened: bool = False
    batches: tuple[BatchRow, ...] = field(default=())

    @property
    def kept(self) -> tuple[BatchRow, ...]:
        """The batches that go into the merge, in order."""
        return tuple(batch for batch in self.batches if batch.kept)

    @property
    def merged(self) -> tuple[BatchRow, ...]:
        """Those of them with pages; where nobody has counted (a row from before scand), the merge does."""
        return tuple(batch for batch in self.kept if batch.page_count != 0)

    @property
    def clean(self) -> bool:
        """Whether the agent may go on by itself: nothing waits for a person's word.

        A discarded batch that ended in a fault waits for it, too, also after later batches went well: its
        pages are safe, and whoever fed again from the sheet that the error named expects them in the
        document. They restore it, or finish without it; the agent does neither.
        """
        torn = any(batch.error_code and batch.page_count and not batch.kept for batch in self.batches)
        return self.error_code is None and not torn


@dataclass(frozen=True, slots=True)
class StaleFile:
    """A merge that is still staged on the NAS, of a job that was reopened or canceled.

    Attributes:
        path: relative to the NAS root.
    """

    job_id: int
    path: str
