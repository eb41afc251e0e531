"""What a person reads after a batch."""

from __future__ import annotations

import pytest

from scand.errors import ErrorCode
from scand.pages import End
from scand.verdict import sentence

_FAULTS = [
    code
    for code in ErrorCode
    if code
    in {
        ErrorCode.FEEDER_JAMMED,
        ErrorCode.COVER_OPEN,
        ErrorCode.DEVICE_ERROR,
        ErrorCode.DRIVER_CRASHED,
        ErrorCode.DRIVER_HUNG,
        ErrorCode.INTERRUPTED,
        ErrorCode.STAGING_FULL,
    }
]


def test_a_jam_names_the_sheet_and_what_is_safe() -> None:
    """The sentence of DESIGN §3."""
    said = sentence(1, End(code=ErrorCode.FEEDER_JAMMED), captured=24, duplex=True)
    assert "sheet 13 jammed" in said
    assert "12 sheets (24 pages) are safe" in said
    assert said.endswith("re-feed from sheet 13")


def test_a_torn_sheet_is_fed_again_whole() -> None:
    """Its front is safe, but not counted."""
    said = sentence(2, End(code=ErrorCode.COVER_OPEN), captured=3, duplex=True)
    assert "1 sheet (2 pages) is safe" in said
    assert "the front of sheet 2 is kept apart" in said
    assert said.endswith("re-feed from sheet 2")


def test_simplex_counts_a_page_a_sheet() -> None:
    """Sheets and pages are the same number."""
    said = sentence(
        1, End(code=ErrorCode.DEVICE_ERROR, detail="Error during device I/O"), captured=7, duplex=False
    )
    assert "7 sheets (7 pages) are safe" in said
    assert "(Error during device I/O)" in said


@pytest.mark.parametrize("code", _FAULTS)
@pytest.mark.parametrize("captured", [0, 1, 2, 5])
def test_every_fault_tells_what_to_do(code: ErrorCode, captured: int) -> None:
    """Feed again, check, make room: never only what happened."""
    said = sentence(1, End(code=code), captured=captured, duplex=True)
    assert any(mend in said for mend in ("re-feed", "scan again"))


def test_the_page_limit_says_that_more_may_come() -> None:
    """The batch is complete, the stack perhaps not."""
    said = sentence(1, End(code=ErrorCode.PAGE_LIMIT), captured=10, duplex=True)
    assert "may hold more sheets" in said
