"""How far a job is, and whether it rests, by its rows and the database's clock. Pure."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from scand.jobs.lifecycle import MERGED, Status
from scand.jobs.rows import BatchStatus

if TYPE_CHECKING:
    from datetime import datetime

    from scand.queue.intents import JobRow, JobView

QUIET = 2.0
"""Seconds after which a job that could go on by itself is taken to rest: the agent acts within one second."""


class Progress(NamedTuple):
    """A job in numbers.

    Attributes:
        pages: captured so far, discarded batches not counted; of the merge, once there is one.
        batch: the number of the batch under way, or of the last.
        batch_pages: captured in the batch under way; None while none is.
        per_minute: images a minute in the batch under way; None until that can be told.
        left: seconds until the end of the step or of the batch (`max_pages`); None: not known.
        step: what the agent does with the pages now: merging, copying …; None: nothing that takes long.
        share: how much of the step is done, 0 to 1.
    """

    pages: int
    batch: int
    batch_pages: int | None = None
    per_minute: float | None = None
    left: float | None = None
    step: str | None = None
    share: float = 0.0


def pages(job: JobRow) -> int | None:
    """The pages of the merge, where there is one that still counts; else those captured so far."""
    return job.page_count if job.stage in MERGED and job.page_count is not None else job.pages_scanned


def progress(view: JobView) -> Progress:
    """How far a job is."""
    job, batches, events = view.job, view.batches, view.events
    last = max((batch.batch_seq for batch in batches), default=0)
    if job.status in {Status.ASSEMBLING, Status.COMMITTING}:
        entered = max((event.at for event in events if event.to_status == job.status), default=job.created_at)
        return _step(job, entered, Progress(pages(job) or 0, last))
    if job.status != Status.SCANNING:
        return Progress(pages(job) or 0, last)
    kept = sum(batch.page_count or 0 for batch in batches if batch.status == BatchStatus.SCANNED)
    begun = max((event.at for event in events if event.to_status == Status.SCANNING), default=None)
    captured = max(0, (job.pages_scanned or 0) - kept)
    per_minute = left = None
    if begun is not None and job.last_progress_at is not None and captured:
        # The count is as old as the row's last progress, so that is the end of the time it took.
        seconds = (job.last_progress_at - begun).total_seconds()
        per_minute = 60 * captured / seconds if seconds >= 1 else None
    most = job.setting("max_pages")
    if per_minute and isinstance(most, int):
        left = 60 * max(0, most - captured) / per_minute
    return Progress(kept + captured, last + 1, captured, per_minute, left)


def _step(job: JobRow, entered: datetime, so_far: Progress) -> Progress:
    """Add the step, if it has a known end and began in this status; until then the row still shows an old one."""
    if job.step is None or not job.step_total or job.step_since is None or job.last_progress_at is None:
        return so_far
    if job.step_since < entered:
        return so_far
    seconds = (job.last_progress_at - job.step_since).total_seconds()
    share = min(1.0, (job.step_done or 0) / job.step_total)
    left = seconds * (1 - share) / share if share and seconds >= 1 else None
    return so_far._replace(step=job.step, share=share, left=left)


def rests(job: JobRow) -> bool:
    """Whether nothing will happen to the job until a client says so.

    In ready with a batch, and in preview, the agent may be about to go on by itself (`finish`): such a job rests
    once it has been quiet. In ready without a batch a job waits for somebody at the scanner; that is not rest. A
    parked preview stays parked until a client answers it.
    """
    match job.status:
        case Status.QUEUED if job.resumes_in == Status.PREVIEW:
            return True
        case Status.QUEUED | Status.SCANNING | Status.ASSEMBLING | Status.COMMITTING:
            return False
        case Status.READY | Status.PREVIEW if job.error_code:
            return True
        case Status.READY:
            return job.batch_count > 0 and quiet(job)
        case Status.PREVIEW:
            return quiet(job)
        case _:
            return True


def quiet(job: JobRow) -> bool:
    """Whether the job has not moved for `QUIET` seconds, so that the next step is a person's."""
    moved = job.last_progress_at or job.created_at
    return (job.seen_at - moved).total_seconds() > QUIET


def exit_status(job: JobRow) -> int:
    """The exit status for a job that rests.

    0: it has what was asked for, as far as the agent goes by itself. 75: a person must do something before it goes
    on (after a fault, or when it is canceled or a draft). 65: it has failed.
    """
    match job.status:
        case Status.FAILED:
            return os.EX_DATAERR
        case Status.CANCELED | Status.DRAFT:
            return os.EX_TEMPFAIL
        case _:
            return os.EX_TEMPFAIL if job.error_code or job.error else os.EX_OK
