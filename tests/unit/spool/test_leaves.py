"""Which pages a merge holds, how they are turned, and their order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scand.errors import BadData
from scand.faults import ErrorCode
from scand.spool.leaves import FedBatch, Plan, Run, own_places, plan


@dataclass(frozen=True, slots=True)
class Row:
    """A row of scan_job_pages."""

    page: int
    sheet: int
    blank: bool = False
    suspect: bool = False
    choice: str | None = None
    turn: int = 0
    place: Decimal | None = None


def fed(
    seq: int, count: int, *, duplex: bool = False, blank: frozenset[int] = frozenset(), **how: Any
) -> FedBatch:
    """A batch of so many pages; `blank` are the numbers of those that are."""
    rows = tuple(
        Row(page, (page + 1) // 2 if duplex else page, page in blank) for page in range(1, count + 1)
    )
    return FedBatch(seq, f"Batch {seq}", tuple(range(1, count + 1)), rows, **how)


def edited(batch: FedBatch, **edits: dict[str, Any]) -> FedBatch:
    """The batch with edits, each by the number of its page: `_2={"choice": "dropped"}`."""
    by_page = {int(name.removeprefix("_")): edit for name, edit in edits.items()}
    pages = tuple(replace(row, **by_page.get(row.page, {})) for row in batch.pages)  # type: ignore[type-var]
    return replace(batch, pages=pages)


def names(*batches: FedBatch) -> list[str]:
    """The pages of the merge, as people name them."""
    return [
        f"{batches[run.batch].seq}.{index + 1}"
        for run in plan(batches).runs
        for index in range(run.first, (run.last or run.first) + 1)
    ]


def test_as_fed_is_one_run_a_batch() -> None:
    """Nothing edited: every page, batch by batch."""
    assert plan([fed(1, 3), fed(4, 2)]) == Plan((Run(0, 0, 2), Run(1, 0, 1)))


def test_a_dropped_page_is_left_out_and_a_blank_one_is_taken_back() -> None:
    """The choice of a client comes before what the settings say."""
    batch = fed(1, 6, duplex=True, blank=frozenset({2, 4}))
    assert names(batch) == ["1.1", "1.3", "1.5", "1.6"]
    chosen = edited(batch, _3={"choice": "dropped"}, _4={"choice": "kept"})
    assert names(chosen) == ["1.1", "1.4", "1.5", "1.6"]
    assert (plan([chosen]).blank, plan([chosen]).dropped) == (1, 1)


def test_blank_sides_are_judged_as_they_were_fed() -> None:
    """A drop does not change what the settings say of the other side, nor of the stack."""
    batch = fed(1, 4, duplex=True, blank=frozenset({2}))
    assert names(edited(batch, _1={"choice": "dropped"})) == ["1.3", "1.4"]
    separator = fed(1, 4, duplex=True, blank=frozenset({1, 2}))
    assert names(separator) == ["1.1", "1.2", "1.3", "1.4"]
    assert names(edited(separator, _1={"choice": "dropped"})) == ["1.2", "1.3", "1.4"]
    assert names(replace(separator, drop_blank_sheets=True)) == ["1.3", "1.4"]


def test_a_stack_of_nothing_but_blank_paper_stays_but_for_what_is_dropped() -> None:
    """The scanner may have gone blind; and with every page dropped nothing is left."""
    blind = fed(1, 2, duplex=True, blank=frozenset({1, 2}), drop_blank_sheets=True)
    assert names(blind) == ["1.1", "1.2"]
    assert names(edited(blind, _2={"choice": "dropped"})) == ["1.1"]
    assert plan([edited(blind, _1={"choice": "dropped"}, _2={"choice": "dropped"})]) == Plan((), dropped=2)


def test_a_suspect_page_is_out_until_a_client_keeps_it() -> None:
    """Its sheet may have hidden another."""
    batch = edited(fed(1, 3), _2={"suspect": True}, _3={"suspect": True, "choice": "kept"})
    assert names(batch) == ["1.1", "1.3"]
    assert plan([batch]).suspect == 1


def test_a_turn_is_added_to_what_the_pdf_says() -> None:
    """Pages that are turned alike stay in one run."""
    batch = edited(fed(1, 4), _2={"turn": 90}, _3={"turn": 90})
    assert plan([batch]).runs == (Run(0, 0, 0), Run(0, 1, 2, 90), Run(0, 3, 3))


def test_a_page_that_was_scanned_again_takes_the_place_of_the_old_one() -> None:
    """It is dropped, and a batch of one sheet gets its place."""
    again = edited(fed(3, 1), _1={"place": Decimal(10002)})
    assert names(edited(fed(1, 3), _2={"choice": "dropped"}), fed(2, 1), again) == [
        "1.1",
        "3.1",
        "1.3",
        "2.1",
    ]


def test_equal_places_are_in_the_order_of_feeding() -> None:
    """Also where a page of a later batch is given the place of one that stays."""
    again = edited(fed(2, 2), _1={"place": Decimal(10001)}, _2={"place": Decimal(-1)})
    assert names(fed(1, 2), again) == ["2.2", "1.1", "2.1", "1.2"]


def test_backs_are_taken_from_their_end_and_turned() -> None:
    """A stack that is turned over as a whole comes out last sheet first."""
    halves = [fed(1, 2, halves=True, rotate_back=180), edited(fed(2, 2, halves=True), _1={"turn": 270})]
    assert plan(halves).runs == (Run(0, 0, 0), Run(1, 1, 1, 180), Run(0, 1, 1), Run(1, 0, 0, 90))


def test_a_third_half_is_the_next_stack_of_fronts() -> None:
    """Batches are taken in pairs: fronts, backs, fronts, backs; one that is no half is in no pair."""
    halves = [fed(seq, count, halves=True) for seq, count in ((1, 1), (2, 1), (4, 2), (5, 2))]
    whole = fed(3, 2)
    assert names(*halves[:2], whole, *halves[2:]) == ["1.1", "2.1", "3.1", "3.2", "4.1", "5.2", "4.2", "5.1"]


def test_blank_backs_are_dropped_sheet_by_sheet() -> None:
    """The last back of the stack belongs to the first sheet."""
    fronts = fed(1, 2, halves=True, blank=frozenset({2}))
    backs = fed(2, 2, halves=True, blank=frozenset({1, 2}))
    assert names(fronts, backs) == ["1.1", "1.2", "2.1"]
    assert names(replace(fronts, drop_blank_sheets=True), backs) == ["1.1"]


def test_fronts_and_backs_are_counted_as_fed() -> None:
    """Dropping a page changes no count, and halves that differ are refused with both counts."""
    fronts, backs = fed(1, 2, halves=True), fed(2, 2, halves=True)
    assert names(edited(fronts, _1={"choice": "dropped"}), backs) == ["2.2", "1.2", "2.1"]
    with pytest.raises(BadData, match="2 fronts, but Batch 2 has 3 backs") as refused:
        plan([fronts, fed(2, 3, halves=True)])
    assert refused.value.code is ErrorCode.SIDES_MISMATCH


def test_a_sheet_that_was_scanned_again_stands_outside_the_pairs() -> None:
    """It comes before the back of the front that it replaces, which has a place of its own half a step behind."""
    fronts, backs = fed(1, 2, halves=True, rotate_back=180), fed(2, 2, halves=True, rotate_back=180)
    assert own_places([fronts, backs])[2, 1] == Decimal("10002.5")
    again = edited(fed(3, 1, halves=True, rotate_back=180), _1={"place": Decimal(10002)})
    batches = [edited(fronts, _2={"choice": "dropped"}), backs, again]
    assert names(*batches) == ["1.1", "2.2", "3.1", "2.1"]
    assert plan(batches).runs[2] == Run(2, 0, 0), "it is not turned as a back is"


def test_another_programs_batch_goes_in_whole() -> None:
    """Nobody knows its pages; it has its place among the batches."""
    batches = [fed(1, 2), FedBatch(2, "Batch 2"), edited(fed(3, 2), _2={"place": Decimal(15000)})]
    assert plan(batches).runs == (Run(0, 0, 1), Run(2, 1, 1), Run(1, 0, None), Run(2, 0, 0))


def test_a_torn_front_is_in_no_merge() -> None:
    """It has a row and is not in the PDF, whatever a client chooses."""
    torn = edited(fed(1, 3, duplex=True), _3={"choice": "kept"})
    assert names(replace(torn, bound=(1, 2))) == ["1.1", "1.2"]


def test_a_page_without_a_row_is_refused() -> None:
    """Kept, dropped and blank pages together are those that were fed, or nothing is merged."""
    with pytest.raises(BadData, match=r"1\.3") as refused:
        plan([replace(fed(1, 2), bound=(1, 2, 3))])
    assert refused.value.code is ErrorCode.SPOOL_DAMAGED


def test_more_pages_than_places_stay_in_order() -> None:
    """A batch of more than 9,999 pages does not reach into the next one, in manual duplex neither."""
    assert plan([fed(1, 12_000), fed(2, 3)]).runs == (Run(0, 0, 11_999), Run(1, 0, 2))
    places = own_places([fed(1, 10_002, halves=True), fed(2, 10_002, halves=True)])
    fronts = [places[1, page] for page in range(1, 10_003)]
    backs = [places[2, page] for page in range(10_002, 0, -1)]
    turned = [place for sheet in zip(fronts, backs, strict=True) for place in sheet]
    assert turned == sorted(set(turned))


PLACES = st.one_of(st.none(), st.integers(-3, 40_003).map(Decimal))
ROWS = st.tuples(
    st.booleans(),
    st.booleans(),
    st.sampled_from([None, "kept", "dropped"]),
    st.sampled_from([0, 90, 180, 270]),
    PLACES,
)


@given(st.lists(st.lists(ROWS, min_size=1, max_size=8), min_size=1, max_size=4), st.booleans())
def test_every_page_is_kept_once_or_left_out_for_a_reason(batches: list[list[Any]], duplex: bool) -> None:
    """Whatever the rows say: none twice, those that are wanted are there, and places rise."""
    given_batches = [
        FedBatch(
            seq,
            f"Batch {seq}",
            tuple(range(1, len(rows) + 1)),
            tuple(Row(page, (page + 1) // 2 if duplex else page, *row) for page, row in enumerate(rows, 1)),
        )
        for seq, rows in enumerate(batches, 1)
    ]
    planned = plan(given_batches)
    leaves = [(run.batch, index) for run in planned.runs for index in range(run.first, (run.last or 0) + 1)]
    fed_pages = {(batch, index): row for batch, rows in enumerate(batches) for index, row in enumerate(rows)}
    assert len(leaves) == len(set(leaves))
    assert len(leaves) + planned.blank + planned.dropped + planned.suspect == len(fed_pages)
    for leaf, (blank, suspect, choice, _, _) in fed_pages.items():
        if choice or not (blank or suspect):
            assert (leaf in leaves) is (choice != "dropped")
        assert not (suspect and choice is None and leaf in leaves)
    own = own_places(given_batches)
    given_places = [(fed_pages[leaf][4], own[leaf[0] + 1, leaf[1] + 1]) for leaf in leaves]
    order = [
        (usual if given is None else given, leaf)
        for (given, usual), leaf in zip(given_places, leaves, strict=True)
    ]
    assert order == sorted(order)
