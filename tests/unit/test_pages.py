"""Which sides belong into a batch's PDF."""

from __future__ import annotations

from scand.pages import Page, Side, bound


def sides(count: int, *, duplex: bool, blank: frozenset[int] = frozenset()) -> list[Page]:
    """So many sides, in feeding order."""
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
    """Also an odd one."""
    pages = sides(5, duplex=True)
    assert bound(pages, duplex=True, complete=True) == pages


def test_a_batch_that_ended_in_a_fault_holds_whole_sheets() -> None:
    """The front of the torn sheet stays in the spool only."""
    pages = sides(5, duplex=True)
    assert bound(pages, duplex=True, complete=False) == pages[:4]
    assert bound(pages[:4], duplex=True, complete=False) == pages[:4]
    assert bound(pages[:1], duplex=True, complete=False) == []


def test_a_simplex_sheet_is_whole_with_its_front() -> None:
    """Nothing is left out."""
    pages = sides(5, duplex=False)
    assert bound(pages, duplex=False, complete=False) == pages


def test_blank_sides_are_left_out() -> None:
    """They stay in the spool."""
    pages = sides(4, duplex=True, blank=frozenset({1}))
    assert bound(pages, duplex=True, complete=True) == [pages[0], pages[2], pages[3]]
