"""The sentences that a person reads after a batch."""

from __future__ import annotations

import pytest

from scand.decide.sentences import at_start, in_batch
from scand.faults import ErrorCode
from scand.spool.records import End, SpooledBatch

_FAULTS = (
    ErrorCode.FEEDER_JAMMED,
    ErrorCode.COVER_OPEN,
    ErrorCode.DEVICE_ERROR,
    ErrorCode.DRIVER_CRASHED,
    ErrorCode.DRIVER_HUNG,
    ErrorCode.INTERRUPTED,
    ErrorCode.STAGING_FULL,
)


def batch(seq: int, end: End, *, captured: int, duplex: bool, halves: bool = False) -> SpooledBatch:
    """A batch with `captured` sides on disk."""
    sheets = captured // 2 if duplex else captured
    return SpooledBatch(
        seq=seq,
        duplex=duplex,
        keep_on_fault=False,
        halves=halves,
        end=end,
        captured=captured,
        bindable=captured - captured % 2 if duplex else captured,
        blank=0,
        sheets=sheets,
    )


def sentence(seq: int, end: End, *, captured: int, duplex: bool, halves: bool = False) -> str:
    """The sentence for such a batch."""
    return in_batch(batch(seq, end, captured=captured, duplex=duplex, halves=halves), end)


def test_a_jam_names_the_sheet_and_what_is_safe() -> None:
    """The sentence says what docs/design.md "Sheets" promises."""
    said = sentence(1, End(code=ErrorCode.FEEDER_JAMMED), captured=24, duplex=True)
    assert "sheet 13 jammed" in said
    assert "12 sheets (24 pages) are safe" in said
    assert said.endswith("re-feed from sheet 13")


def test_a_torn_sheet_is_fed_again_whole() -> None:
    """The front of a sheet whose back never came is safe, but not counted."""
    said = sentence(2, End(code=ErrorCode.COVER_OPEN), captured=3, duplex=True)
    assert "1 sheet (2 pages) is safe" in said
    assert "the front of sheet 2 is kept apart" in said
    assert said.endswith("re-feed from sheet 2")


def test_simplex_counts_a_page_a_sheet() -> None:
    """In simplex, the numbers of sheets and pages are the same."""
    said = sentence(
        1, End(code=ErrorCode.DEVICE_ERROR, detail="Error during device I/O"), captured=7, duplex=False
    )
    assert "7 sheets (7 pages) are safe" in said
    assert "(Error during device I/O)" in said


@pytest.mark.parametrize("code", _FAULTS)
@pytest.mark.parametrize("captured", [0, 1, 2, 5])
def test_every_fault_tells_what_to_do(code: ErrorCode, captured: int) -> None:
    """Every sentence says what to do, not only what happened."""
    said = sentence(1, End(code=code), captured=captured, duplex=True)
    assert any(mend in said for mend in ("re-feed", "scan again"))


def test_half_a_stack_is_fed_again_whole() -> None:
    """In manual duplex, a second batch of fronts would be taken for backs."""
    said = sentence(1, End(code=ErrorCode.FEEDER_JAMMED), captured=4, duplex=False, halves=True)
    assert "sheet 5 jammed" in said
    assert "re-feed the whole stack" in said


def test_what_a_setting_does_wrong_is_said_as_it_is() -> None:
    """The refusal of settings is a whole sentence, and is not changed."""
    refusal = "Asked for both sides, but the feeder scans one."
    assert at_start(End(code=ErrorCode.UNSUPPORTED_SETTINGS, detail=refusal)) == refusal


def test_the_page_limit_says_that_more_may_come() -> None:
    """The batch is complete, but the stack may not be."""
    said = sentence(1, End(code=ErrorCode.PAGE_LIMIT), captured=10, duplex=True)
    assert "may hold more sheets" in said
