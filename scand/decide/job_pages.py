"""What a job's merge is made from. A value; `agent.merging` reads it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scand.errors import ScandError
    from scand.jobs.rows import BatchRow, Job
    from scand.spool.leaves import FedBatch
    from scand.spool.records import SpooledBatch


@dataclass(frozen=True, slots=True)
class JobPages:
    """What a job's merge is made from, as rows and disk say together.

    Attributes:
        job_id: the job.
        entered: `Job.entered` when it was read.
        rows: its kept batches with pages, as they were then.
        batches: the same batches with their pages.
        unbound: those of them whose PDF is not the one that the disk tells of, so that it is made anew first.
        trouble: why the disk cannot be read; None: it can.
    """

    job_id: int
    entered: int
    rows: tuple[BatchRow, ...]
    batches: tuple[FedBatch, ...] = ()
    unbound: tuple[SpooledBatch, ...] = ()
    trouble: ScandError | None = None

    def are_of(self, job: Job) -> bool:
        """Whether they still are what the job's merge is made from."""
        return (self.job_id, self.entered, self.rows) == (job.id, job.entered, job.merged)
