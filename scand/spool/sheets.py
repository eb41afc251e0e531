"""The sides that belong in a PDF, and their order. Pure.

In manual duplex, a batch of fronts and one of backs, fed in turn, become one sequence of sheets: of the kept
batches in order, the first, third … are fronts, and the second, fourth … are their backs. A stack that is turned
over as a whole comes out last sheet first, so the backs are taken from their end.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Protocol, TypeVar

from scand.spool.records import Begin, Page, Side

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Leaf:
    """A page of the merge.

    Attributes:
        batch: index of the batch, from 0.
        page: index of the page in that batch's PDF, from 0.
        blank: the page is blank.
        turn: degrees by which viewers turn it.
    """

    batch: int
    page: int
    blank: bool = False
    turn: int = 0


def unmatched(batches: Sequence[tuple[str, int | None]]) -> str | None:
    """Why the batches cannot be fronts and backs of the same sheets.

    Args:
        batches: name and number of pages of each, in order; None where the pages have not been counted.

    Returns:
        A sentence with both counts; None when fronts and backs match.
    """
    for first in range(0, len(batches), 2):
        (front, fronts), *rest = batches[first : first + 2]
        if not rest:
            return (
                f"{front} has {fronts or 'some'} fronts, and there are 0 backs: lay the whole stack in turned "
                "over, scan it, and finish again."
            )
        ((back, backs),) = rest
        if None not in {fronts, backs} and fronts != backs:
            return (
                f"{front} has {fronts} fronts, but {back} has {backs} backs, so that nobody can say which belong "
                "together: discard the one that is wrong, scan it again in its turn, and finish again."
            )
    return None


def collated(
    halves: Sequence[Sequence[bool]], *, blank_sheets_too: bool = False, rotate_back: int = 0
) -> list[Leaf]:
    """The pages of the merge, sheet by sheet, front before back, without the blank ones that are dropped.

    Args:
        halves: for each batch, whether each of its pages is blank. Fronts and backs match (see `unmatched`).
        blank_sheets_too: see `without_blanks`.
        rotate_back: degrees by which viewers turn backs, 0 or 180.
    """
    sheets: list[list[Leaf]] = []
    for first in range(0, len(halves), 2):
        fronts, backs = halves[first], halves[first + 1]
        for number, blank in enumerate(fronts):
            back = len(backs) - 1 - number
            sheets.append([Leaf(first, number, blank), Leaf(first + 1, back, backs[back], turn=rotate_back)])
    return [leaf for sheet in without_blanks(sheets, sheets_too=blank_sheets_too) for leaf in sheet]


def bindable(pages: Sequence[Page], begin: Begin, *, complete: bool) -> list[Page]:
    """The pages that belong in the batch's PDF, in feeding order.

    A batch that ended well has every side. One that ended in a fault has whole sheets only: in duplex, the front
    of a sheet whose back never came stays in the spool and out of the PDF. So whoever restores the batch and
    feeds again from that sheet gets every side once. Source: docs/design.md "Sheets".

    Args:
        pages: all captured pages of the batch, in feeding order.
        begin: the batch's begin.json.
        complete: `End.complete`.
    """
    whole = list(pages)
    if begin.duplex and not complete and whole and whole[-1].side is Side.FRONT:
        whole.pop()
    if begin.halves:
        return whole
    sheets = [list(sides) for _, sides in groupby(whole, key=lambda page: page.sheet)]
    return [page for sheet in without_blanks(sheets, sheets_too=begin.drop_blank_sheets) for page in sheet]


class _Blankable(Protocol):
    @property
    def blank(self) -> bool: ...


_SideOfSheet = TypeVar("_SideOfSheet", bound=_Blankable)


def without_blanks(sheets: Sequence[list[_SideOfSheet]], *, sheets_too: bool) -> list[list[_SideOfSheet]]:
    """Drop the blank sides of sheets.

    A sheet that is blank on both sides may be a separator that somebody put there: it stays whole unless
    `sheets_too`. If nothing at all would be left, everything stays: a stack of nothing but blank paper more
    likely means that the scanner no longer sees anything.

    Args:
        sheets: the sides of each sheet, one or two.
        sheets_too: also drop sheets that are blank on both sides.
    """

    def sides_kept(sheet: list[_SideOfSheet]) -> list[_SideOfSheet]:
        inked = [page for page in sheet if not page.blank]
        return inked if inked or sheets_too or len(sheet) == 1 else sheet

    kept = [sides_kept(sheet) for sheet in sheets]
    return kept if any(kept) else list(sheets)
