"""What a batch's end means for a person: which sheet, how many are safe, from where to feed again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scand.errors import ErrorCode

if TYPE_CHECKING:
    from scand.spool.records import End, SpooledBatch

_WHAT = {
    ErrorCode.FEEDER_JAMMED: "sheet {sheet} jammed (or two were pulled at once)",
    ErrorCode.COVER_OPEN: "the cover was opened at sheet {sheet}",
    ErrorCode.DEVICE_ERROR: "the scanner failed at sheet {sheet}",
    ErrorCode.DEVICE_BUSY: "the scanner was busy at sheet {sheet}",
    ErrorCode.DEVICE_NOT_FOUND: "the scanner was gone at sheet {sheet}",
    ErrorCode.ACCESS_DENIED: "the scanner denied access at sheet {sheet}",
    ErrorCode.DRIVER_CRASHED: "the scanner's driver crashed at sheet {sheet}",
    ErrorCode.DRIVER_HUNG: "the scanner fell silent at sheet {sheet}",
    ErrorCode.INTERRUPTED: "scanning was interrupted at sheet {sheet}",
    ErrorCode.STAGING_FULL: "the staging disk is full; scanning stopped before sheet {sheet}",
    ErrorCode.CANCELED: "scanning was canceled at sheet {sheet}",
    ErrorCode.PAGE_LIMIT: "max_pages was reached; the feeder may hold more sheets, from sheet {sheet} on",
}

_NOTHING_YET = {
    ErrorCode.FEEDER_EMPTY: "The feeder is empty: put the stack in and scan again.",
    ErrorCode.FEEDER_JAMMED: "The feeder is jammed before the first page: check the feeder, then scan again.",
    ErrorCode.COVER_OPEN: "The scanner's cover is open: close it, then scan again.",
    ErrorCode.DEVICE_BUSY: "The scanner is busy: another program is using it. Close that, then scan again.",
    ErrorCode.DEVICE_NOT_FOUND: (
        "The scanner is not found: check its power and cable (`scand devices`), then scan again."
    ),
    ErrorCode.ACCESS_DENIED: (
        "Access to the scanner is denied: is scand's user in the group scanner? `scand doctor` tells."
    ),
    ErrorCode.DRIVER_CRASHED: (
        "The scanner's driver crashed before the first page was safe: put back what went through, then scan again."
    ),
    ErrorCode.DRIVER_HUNG: (
        "The scanner's driver was silent too long before the first page was safe: switch the scanner off and on, "
        "put back what went through, then scan again."
    ),
    ErrorCode.INTERRUPTED: (
        "Scanning was interrupted before the first page was safe: put the sheet that was under way back "
        "onto the stack, then scan again."
    ),
    ErrorCode.STAGING_FULL: "The staging disk is nearly full: make room (`scand doctor`), then scan again.",
    ErrorCode.DEVICE_ERROR: (
        "The scanner failed before the first page was safe: check it, put back what went through, then scan again."
    ),
}


def sentence(batch: SpooledBatch, end: End) -> str:
    """The job's `error` after a batch that is not complete, or that came to the page limit.

    Returns:
        For example "batch 2: sheet 13 jammed (or two were pulled at once); 12 sheets (24 pages) are safe;
        re-feed from sheet 13".
    """
    if batch.captured == 0:
        return nothing_yet(end)
    pages = batch.captured - batch.captured % 2 if batch.duplex else batch.captured
    next_sheet = batch.sheets + 1
    what = _WHAT.get(_code(end), "scanning stopped at sheet {sheet}").format(sheet=next_sheet)
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


_REFEED_HALF = "re-feed the whole stack (in manual duplex all fronts are one batch, and all backs one)"


def nothing_yet(end: End) -> str:
    """The job's `error` when no page is safe yet."""
    code = _code(end)
    if code in {ErrorCode.UNSUPPORTED_SETTINGS, ErrorCode.BAD_SETTINGS} and end.detail:
        return end.detail
    return _NOTHING_YET.get(code, "Scanning failed before the first page.") + _detail(end)


def _code(end: End) -> ErrorCode:
    return end.code or ErrorCode.DEVICE_ERROR


def _detail(end: End) -> str:
    return f" ({end.detail})" if end.detail else ""


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
