"""The sides that belong in a batch's PDF and in the merge, and their order."""

from __future__ import annotations

from scand.spool.records import Begin, Page, Side
from scand.spool.sheets import bindable, left_out, unmatched

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


def test_a_blank_side_is_bound_like_any_other() -> None:
    """A batch's PDF holds it, so that a client can take it back; and it is counted."""
    for how, duplex, blank, counted in (
        (DUPLEX, True, {1}, 1),
        (SIMPLEX, False, {1}, 1),
        (DUPLEX, True, {1, 2, 3}, 1),  # a sheet that is blank on both sides may be a separator
        (Begin(device="d", duplex=True, drop_blank_sheets=True), True, {1, 2, 3}, 3),
        (Begin(device="d", duplex=True, drop_blank_sheets=True), True, {0, 1, 2, 3, 4, 5}, 0),
    ):
        pages = sides(6, duplex=duplex, blank=frozenset(blank))
        assert bindable(pages, how, complete=True) == pages
        assert left_out(pages, how) == counted


def test_a_half_counts_every_blank_side() -> None:
    """In manual duplex, the sheet of a side is known only with the other half."""
    pages = sides(3, duplex=False, blank=frozenset({0, 1, 2}))
    half = Begin(device="d", duplex=False, halves=True)
    assert left_out(pages, half) == 3
    assert left_out(pages, SIMPLEX) == 0, "a stack of nothing but blank paper stays whole"


def test_halves_that_do_not_match_say_both_counts() -> None:
    """The sentence names both batches and both counts, since only a person can tell which batch is wrong."""
    assert unmatched([("Batch 1", 12), ("Batch 2", 12)]) is None
    for batches, said in (
        ([("Batch 1", 12), ("Batch 2", 11)], "Batch 1 has 12 fronts, but Batch 2 has 11 backs"),
        ([("Batch 1", 12)], "Batch 1 has 12 fronts, and there are 0 backs"),
        ([("Batch 1", 2), ("Batch 2", 2), ("Batch 4", 3)], "Batch 4 has 3 fronts, and there are 0 backs"),
    ):
        assert (unmatched(batches) or "").startswith(said)
