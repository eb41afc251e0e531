"""What a batch's end means for a person: which sheet, how many are safe, and from where to feed again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scand.faults import FAULTS, ErrorCode, Then

if TYPE_CHECKING:
    from scand.spool.records import End, PaperLeft, SpooledBatch

NOTHING_FOR_THE_SIGNAL = "The feeder was empty: nothing was scanned. Put the stack in, then press again."
"""The `error` of a job that the signal has made."""

NOBODY_ASKED = (
    "Another program put this job into its status; no step led there, so nothing was started. Take the next "
    "step, if it is meant."
)
"""The job's `error` where nobody has asked for what its status means."""

_REFEED_HALF = "re-feed the whole stack (in manual duplex all fronts are one batch, and all backs one)"


def in_batch(batch: SpooledBatch, end: End) -> str:
    """The job's `error` after a batch that ended in a fault, or at the page limit.

    Returns:
        For example "batch 2: sheet 13 jammed (or two were pulled at once); 12 sheets (24 pages) are safe;
        re-feed from sheet 13".
    """
    if batch.captured == 0:
        return at_start(end)
    pages = batch.captured - batch.captured % 2 if batch.duplex else batch.captured
    next_sheet = batch.sheets + 1
    what = (FAULTS[_code(end)].in_batch or "scanning stopped at sheet {sheet}").format(sheet=next_sheet)
    verb = "is" if batch.sheets == 1 else "are"
    parts = [
        f"batch {batch.seq}: {what}{_detail(end)}",
        f"{_count(batch.sheets, 'sheet')} ({_count(pages, 'page')}) {verb} safe",
    ]
    if pages < batch.captured:
        parts[-1] += f"; the front of sheet {next_sheet} is kept apart"
    if end.code is not ErrorCode.PAGE_LIMIT:
        parts.append(_REFEED_HALF if batch.halves else f"re-feed from sheet {next_sheet}")
    return "; ".join(parts)


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


def _code(end: End) -> ErrorCode:
    return end.code or ErrorCode.DEVICE_ERROR


def _detail(end: End) -> str:
    return f" ({end.detail})" if end.detail else ""


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
