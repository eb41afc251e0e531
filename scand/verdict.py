"""What a batch's end means for a person: which sheet, how many are safe, from where to feed again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scand.errors import ErrorCode

if TYPE_CHECKING:
    from scand.pages import End

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
    ErrorCode.DRIVER_CRASHED: "The scanner's driver crashed before the first page: check the feeder, scan again.",
    ErrorCode.DRIVER_HUNG: (
        "The scanner's driver was silent too long before the first page: switch the scanner off and on, "
        "check the feeder, then scan again."
    ),
    ErrorCode.INTERRUPTED: (
        "Scanning was interrupted before the first page was safe: put the sheet that was under way back "
        "onto the stack, then scan again."
    ),
    ErrorCode.STAGING_FULL: "The staging disk is nearly full: make room (`scand doctor`), then scan again.",
    ErrorCode.DEVICE_ERROR: "The scanner failed before the first page: check it and the feeder, then scan again.",
}


def sentence(seq: int, end: End, *, captured: int, duplex: bool) -> str:
    """The job's `error` after a batch.

    Args:
        seq: the batch's number.
        end: how it ended; not complete, or at the page limit.
        captured: sides that are safe on disk.
        duplex: two sides a sheet.

    Returns:
        For example "batch 2: sheet 13 jammed (or two were pulled at once); 12 sheets (24 pages) are safe;
        re-feed from sheet 13".
    """
    code = end.code or ErrorCode.DEVICE_ERROR
    if code in {ErrorCode.UNSUPPORTED_SETTINGS, ErrorCode.BAD_SETTINGS} and end.detail:
        return end.detail
    detail = f" ({end.detail})" if end.detail else ""
    if captured == 0:
        return _NOTHING_YET.get(code, "Scanning failed before the first page.") + detail
    sheets = captured // 2 if duplex else captured
    next_sheet = sheets + 1
    safe = f"{_count(sheets, 'sheet')} ({_count(captured - captured % 2 if duplex else captured, 'page')})"
    dangling = f"; the front of sheet {next_sheet} is kept apart" if duplex and captured % 2 else ""
    what = _WHAT.get(code, "scanning stopped at sheet {sheet}").format(sheet=next_sheet)
    verb = "is" if sheets == 1 else "are"
    refeed = f"; re-feed from sheet {next_sheet}" if code is not ErrorCode.PAGE_LIMIT else ""
    return f"batch {seq}: {what}{detail}; {safe} {verb} safe{dangling}{refeed}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
