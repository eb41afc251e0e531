"""The sides that belong in a batch's PDF and in the merge, and their order."""

from __future__ import annotations

from scand.spool.records import Begin, Page, Side
from scand.spool.sheets import Leaf, bindable, collated, unmatched

DUPLEX, SIMPLEX = Begin(device="d", duplex=True), Begin(device="d", duplex=False)


def sides(count: int, *, duplex: bool, blank: frozenset[int] = frozenset()) -> list[Page]:
    """`count` sides in feeding order."""
    return [
        Page(
            sheet=number // 2 + 1 if duplex else number + 1,
            side=Side.BACK if duplex and number % 2 else Side.FRONT,
            file=f"page-{number + 1:04d}.jpg",
            sha256="0" * 64,
            size=1,
            width=1,
            height=1,
            dpi=300.0,
            blank=number in blank,
        )
        for number in range(count)
    ]


def test_a_batch_that_ended_well_holds_every_side() -> None:
    """Every captured side is bound, also when their number is odd."""
    pages = sides(5, duplex=True)
    assert bindable(pages, DUPLEX, complete=True) == pages


def test_a_batch_that_ended_in_a_fault_holds_whole_sheets() -> None:
    """The front of a sheet whose back never came is not bound; it stays in the spool."""
    pages = sides(5, duplex=True)
    assert bindable(pages, DUPLEX, complete=False) == pages[:4]
    assert bindable(pages[:4], DUPLEX, complete=False) == pages[:4]
    assert bindable(pages[:1], DUPLEX, complete=False) == []


def test_a_simplex_sheet_is_whole_with_its_front() -> None:
    """In simplex, a fault leaves no captured side out."""
    pages = sides(5, duplex=False)
    assert bindable(pages, SIMPLEX, complete=False) == pages


def test_blank_sides_are_left_out() -> None:
    """Blank sides are not bound; they stay in the spool."""
    pages = sides(4, duplex=True, blank=frozenset({1}))
    assert bindable(pages, DUPLEX, complete=True) == [pages[0], pages[2], pages[3]]
    pages = sides(4, duplex=False, blank=frozenset({1}))
    assert bindable(pages, SIMPLEX, complete=True) == [pages[0], pages[2], pages[3]]


def test_a_sheet_that_is_blank_on_both_sides_stays_unless_such_sheets_are_dropped() -> None:
    """It may be a separator, so only `blank_sheets: "drop"` removes it."""
    pages = sides(6, duplex=True, blank=frozenset({1, 2, 3}))
    assert bindable(pages, DUPLEX, complete=True) == [pages[0], *pages[2:]]
    asked = Begin(device="d", duplex=True, drop_blank_sheets=True)
    assert bindable(pages, asked, complete=True) == [pages[0], *pages[4:]]


def test_a_stack_of_nothing_but_blank_paper_stays() -> None:
    """The scanner may be broken, and a document without pages would have lost everything."""
    for duplex in (True, False):
        asked = Begin(device="d", duplex=duplex, drop_blank_sheets=True)
        pages = sides(4, duplex=duplex, blank=frozenset(range(4)))
        assert bindable(pages, asked, complete=True) == pages


def test_a_half_keeps_its_blank_sides() -> None:
    """In manual duplex, the sheet of a side is known only when fronts and backs have been counted."""
    pages = sides(3, duplex=False, blank=frozenset({1}))
    assert bindable(pages, Begin(device="d", duplex=False, halves=True), complete=True) == pages


def test_backs_are_taken_from_their_end() -> None:
    """A stack that is turned over as a whole comes out last sheet first."""
    leaves = collated([[False] * 3, [False] * 3], rotate_back=180)
    assert [(leaf.batch, leaf.page, leaf.turn) for leaf in leaves] == [
        (0, 0, 0), (1, 2, 180), (0, 1, 0), (1, 1, 180), (0, 2, 0), (1, 0, 180),
    ]  # fmt: skip


def test_a_third_batch_is_the_next_stack_of_fronts() -> None:
    """Batches are taken in pairs: fronts, backs, fronts, backs."""
    leaves = collated([[False], [False], [False] * 2, [False] * 2])
    assert [(leaf.batch, leaf.page) for leaf in leaves] == [(0, 0), (1, 0), (2, 0), (3, 1), (2, 1), (3, 0)]


def test_blank_backs_are_dropped_sheet_by_sheet() -> None:
    """The last back of the stack belongs to the first sheet."""
    halves = [[False, True], [True, True]]
    assert collated(halves) == [Leaf(0, 0), Leaf(0, 1, blank=True), Leaf(1, 0, blank=True)]
    assert collated(halves, blank_sheets_too=True) == [Leaf(0, 0)]


def test_halves_that_do_not_match_say_both_counts() -> None:
    """The sentence names both batches and both counts, since only a person can tell which batch is wrong."""
    assert unmatched([("Batch 1", 12), ("Batch 2", 12)]) is None
    assert unmatched([("Batch 1", 12), ("Batch 2", None)]) is None
    for batches, said in (
        ([("Batch 1", 12), ("Batch 2", 11)], "Batch 1 has 12 fronts, but Batch 2 has 11 backs"),
        ([("Batch 1", 12)], "Batch 1 has 12 fronts, and there are 0 backs"),
        ([("Batch 1", 2), ("Batch 2", 2), ("Batch 4", 3)], "Batch 4 has 3 fronts, and there are 0 backs"),
    ):
        assert (unmatched(batches) or "").startswith(said)
