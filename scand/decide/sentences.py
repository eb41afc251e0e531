"""What a batch's end means for a person: which sheet, what became of the pages, and from where to feed again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scand.faults import FAULTS, ErrorCode, Then
from scand.jobs.answers import question
from scand.wording import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scand.jobs.rows import BatchRow
    from scand.spool.records import End, PaperLeft, SpooledBatch

NOTHING_FOR_THE_SIGNAL = "The feeder was empty: nothing was scanned. Put the stack in, then press again."
"""The `error` of a job that the signal has made."""

NOBODY_ASKED = (
    "Another program put this job into its status; no step led there, so nothing was started. Take the next "
    "step, if it is meant."
)
"""The job's `error` where nobody has asked for what its status means."""

NOT_ANSWERED = "The preview was not answered in time. Nothing is deleted."
"""The `error` of a preview that nobody has answered."""

UNPUBLISHED = (
    "An operator gave this job up while nobody could say whether its document was in the Inbox. Its pages stay on "
    "the scan host. Once the NAS is there it can be tried again: the agent looks into the Inbox first."
)
"""The `error` of a job whose NAS never came back."""

_HALF = "feed the whole stack again (in manual duplex all fronts are one batch, and all backs one)"


def in_batch(job_id: int, batch: SpooledBatch, end: End, before: Sequence[BatchRow], *, kept: bool) -> str:
    """What a person must know of a batch that ended in a fault, or at the page limit, and do.

    Args:
        job_id: `scan_jobs.id`.
        batch: as it is on disk.
        end: how it ended.
        before: the batches before it that are not answered.
        kept: whether it goes into the merge.

    Returns:
        For example "batch 2: sheet 13 jammed (or two were pulled at once); 12 sheets (24 pages) are kept: feed
        again from sheet 13; to start over: scand discard 7 2, then the whole stack".
    """
    if batch.captured == 0:
        return at_start(end)
    here = batch.sheets + 1
    what = (FAULTS[_code(end)].in_batch or "scanning stopped at sheet {sheet}").format(sheet=here)
    said = f"batch {batch.seq}: {what}{_detail(end)}"
    if batch.sheets == 0 and not end.complete:
        return f"{said}; its back never came: feed the whole stack again"
    pages = 2 * batch.sheets if batch.duplex and not end.complete else batch.captured
    became = f"{'is' if batch.sheets == 1 else 'are'} {'kept' if kept else 'discarded'}"
    said += f"; {counted(batch.sheets, 'sheet')} ({counted(pages, 'page')}) {became}"
    if end.code is ErrorCode.PAGE_LIMIT:
        return said
    if batch.duplex and batch.captured % 2:
        said += f", the front of sheet {here} is set aside"
    if batch.halves:
        return f"{said}: {_HALF}"
    restore = "" if kept else f"scand restore {job_id} {batch.seq}, then "
    over = [row.seq for row in before if row.kept and kept] + [batch.seq]
    discard = ", ".join(f"scand discard {job_id} {seq}" for seq in over)
    return f"{said}: {restore}feed again from sheet {here}; to start over: {discard}, then the whole stack"


def at_start(end: End) -> str:
    """The job's `error` after a batch without a page."""
    code = _code(end)
    if FAULTS[code].then is Then.FAILED and end.detail:
        return end.detail
    return (FAULTS[code].at_start or "Scanning failed before the first page.") + _detail(end)


def paper_left(paper: PaperLeft, job_id: int) -> str:
    """The `error` of a job that would scan by itself while the feeder may hold another stack's paper."""
    whose = f"of job {paper.job_id}, batch {paper.batch_seq}" if paper.job_id else "of another job"
    return (
        f"The feeder may still hold paper {whose}, which was stopped. Take it out and put this job's paper in, "
        f"then: scand scan {job_id}"
    )


def beside(job_id: int, before: Sequence[BatchRow]) -> list[str]:
    """What a job still waits for after a batch: no later one answers those that are discarded.

    Args:
        job_id: `scan_jobs.id`.
        before: the batches before it that are not answered.
    """
    return [question(job_id, row) for row in before if not row.kept]


def still_open(job_id: int, waiting: Sequence[BatchRow]) -> str:
    """What is to be done about the batches of a job that are not answered; "" where there are none.

    Only the last one says from which sheet to feed: each is what came of the rest of the one before.
    """
    if not waiting:
        return ""
    *others, last = waiting
    said = "; ".join([last.error or question(job_id, last), *beside(job_id, others)])
    return f"Still open: {said}."


def _code(end: End) -> ErrorCode:
    return end.code or ErrorCode.DEVICE_ERROR


def _detail(end: End) -> str:
    return f" ({end.detail})" if end.detail else ""
