"""The sentences that a person reads after a batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from scand.decide.sentences import at_start, beside, in_batch, still_open
from scand.faults import ErrorCode
from scand.jobs.rows import BatchRow, BatchStatus
from scand.spool.records import End, SpooledBatch

if TYPE_CHECKING:
    from collections.abc import Sequence

_FAULTS = (
    ErrorCode.FEEDER_JAMMED,
    ErrorCode.COVER_OPEN,
    ErrorCode.DEVICE_ERROR,
    ErrorCode.DRIVER_CRASHED,
    ErrorCode.DRIVER_HUNG,
    ErrorCode.INTERRUPTED,
    ErrorCode.STAGING_FULL,
)
_JAM = End(code=ErrorCode.FEEDER_JAMMED)


def batch(seq: int, end: End, *, captured: int, duplex: bool = True, halves: bool = False) -> SpooledBatch:
    """A batch with `captured` sides on disk."""
    sheets = captured // 2 if duplex else captured
    return SpooledBatch(
        seq=seq,
        duplex=duplex,
        keep_on_fault=True,
        halves=halves,
        end=end,
        captured=captured,
        bindable=captured - captured % 2 if duplex else captured,
        blank=0,
        sheets=sheets,
    )


def waiting(seq: int, status: str = "scanned", error: str | None = None) -> BatchRow:
    """A recorded batch of 8 pages that nobody has answered."""
    return BatchRow(
        seq, "/b.pdf", 8, BatchStatus(status), error_code="feeder_jammed", answered=False, error=error
    )


def sentence(spooled: SpooledBatch, before: Sequence[BatchRow] = (), *, kept: bool = True) -> str:
    """The sentence for such a batch of job 7."""
    return in_batch(7, spooled, spooled.end or End(), before, kept=kept)


def test_a_jam_names_the_sheet_and_what_is_kept() -> None:
    """The sentence of docs/design.md, "Sheets"."""
    assert sentence(batch(1, _JAM, captured=24)) == (
        "batch 1: sheet 13 jammed (or two were pulled at once); 12 sheets (24 pages) are kept: feed again from "
        "sheet 13; to start over: scand discard 7 1, then the whole stack"
    )


def test_what_is_discarded_is_said_to_be() -> None:
    """And with it the command that takes it in again, before feeding the rest."""
    assert sentence(batch(1, _JAM, captured=24), kept=False) == (
        "batch 1: sheet 13 jammed (or two were pulled at once); 12 sheets (24 pages) are discarded: scand "
        "restore 7 1, then feed again from sheet 13; to start over: scand discard 7 1, then the whole stack"
    )


def test_a_torn_sheet_is_fed_again_whole() -> None:
    """The front of a sheet whose back never came is on disk, and not counted."""
    said = sentence(batch(2, End(code=ErrorCode.COVER_OPEN), captured=3))
    assert "1 sheet (2 pages) is kept, the front of sheet 2 is set aside: feed again from sheet 2;" in said
    nothing = sentence(batch(1, End(code=ErrorCode.COVER_OPEN), captured=1), kept=False)
    assert nothing.endswith("its back never came: feed the whole stack again")


def test_starting_over_discards_every_piece_of_the_stack() -> None:
    """A second jam on the way: the whole stack is in both batches."""
    said = sentence(batch(2, _JAM, captured=4), [waiting(1)])
    assert said.endswith(
        "feed again from sheet 3; to start over: scand discard 7 1, scand discard 7 2, then the whole stack"
    )


def test_what_nobody_has_answered_is_asked_again() -> None:
    """No later batch answers a discarded one, and an empty feeder says nothing of the stack before it."""
    (asked,) = beside(7, [waiting(1), waiting(2, "discarded")])
    assert asked == (
        "batch 2: its 8 pages are not in the document: scand restore 7 2 takes them in, scand discard 7 2 "
        "leaves them out"
    )
    jams = [waiting(1, error="batch 1: feed again from sheet 5"), waiting(2, error="batch 2: from sheet 3")]
    assert still_open(7, jams) == "Still open: batch 2: from sheet 3."
    jams = [waiting(1, "discarded", error="from sheet 5"), *jams[1:]]
    assert still_open(7, jams).startswith(
        "Still open: batch 2: from sheet 3; batch 1: its 8 pages are not in the"
    )
    assert still_open(7, []) == ""


def test_simplex_counts_a_page_a_sheet() -> None:
    """In simplex, the numbers of sheets and pages are the same."""
    end = End(code=ErrorCode.DEVICE_ERROR, detail="Error during device I/O")
    said = sentence(batch(1, end, captured=7, duplex=False))
    assert "7 sheets (7 pages) are kept" in said
    assert "(Error during device I/O)" in said


@pytest.mark.parametrize("code", _FAULTS)
@pytest.mark.parametrize("captured", [0, 1, 2, 5])
@pytest.mark.parametrize("kept", [True, False])
def test_every_fault_tells_what_to_do(code: ErrorCode, captured: int, kept: bool) -> None:
    """Every sentence says what to do, and none calls safe what is not going to be in the document."""
    said = sentence(batch(1, End(code=code), captured=captured), kept=kept)
    assert any(mend in said for mend in ("feed again from", "feed the whole stack again", "scan again"))
    assert captured == 0 or "safe" not in said


def test_half_a_stack_is_fed_again_whole() -> None:
    """In manual duplex, a second batch of fronts would be taken for backs."""
    said = sentence(batch(1, _JAM, captured=4, duplex=False, halves=True), kept=False)
    assert "sheet 5 jammed" in said
    assert "4 sheets (4 pages) are discarded: feed the whole stack again" in said


def test_what_a_setting_does_wrong_is_said_as_it_is() -> None:
    """The refusal of settings is a whole sentence, and is not changed."""
    refusal = "Asked for both sides, but the feeder scans one."
    assert at_start(End(code=ErrorCode.UNSUPPORTED_SETTINGS, detail=refusal)) == refusal


def test_the_page_limit_says_that_more_may_come() -> None:
    """The batch is complete, but the stack may not be."""
    said = sentence(batch(1, End(code=ErrorCode.PAGE_LIMIT), captured=10))
    assert said.endswith("may hold more sheets, from sheet 6 on; 5 sheets (10 pages) are kept")
