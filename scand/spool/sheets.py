"""Manual duplex: a batch of fronts and one of backs, fed in turn, become one run of sheets. Pure.

Of the kept batches in order, the first, third … are fronts, and the second, fourth … their backs. A stack that is
turned over as a whole comes out last sheet first, so the backs are taken from their end.
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
    """A page of the merge: which page of which batch's PDF, both from 0.

    Attributes:
        turn: degrees by which viewers are to turn it.
    """

    batch: int
    page: int
    blank: bool = False
    turn: int = 0


def unmatched(batches: Sequence[tuple[str, int | None]]) -> str | None:
    """Why the batches cannot be sides of the same sheets, as a sentence with both counts; None: they can.

    Args:
        batches: name and number of pages of each, in order; None where nobody has counted yet.
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
    """The merge, sheet by sheet, front and back, without what is to be dropped as blank.

    Args:
        halves: for each batch, whether each of its pages is blank; matched (see `unmatched`).
        blank_sheets_too: see `pages.without_blanks`.
        rotate_back: degrees to turn backs by.
    """
    sheets: list[list[Leaf]] = []
    for first in range(0, len(halves), 2):
        fronts, backs = halves[first], halves[first + 1]
        for number, blank in enumerate(fronts):
            behind = len(backs) - 1 - number
            sheets.append(
                [Leaf(first, number, blank), Leaf(first + 1, behind, backs[behind], turn=rotate_back)]
            )
    return [leaf for sheet in without_blanks(sheets, sheets_too=blank_sheets_too) for leaf in sheet]


def bound(pages: Sequence[Page], begin: Begin, *, complete: bool) -> list[Page]:
    """The pages that belong into the batch's PDF, in feeding order.

    A batch that ended well holds every side. One that ended in a fault holds whole sheets: with duplex the
    front of a sheet whose back never came stays in the spool only, so that restoring the batch and feeding
    again from that sheet gives every side once (DESIGN §3, "Sheets").
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
    """Sheets without their blank sides.

    A sheet of two sides that are both blank was put there by somebody, perhaps as a separator: it stays whole.
    So does everything where nothing would be left: a stack of nothing but blank paper is rather a scanner
    that has gone blind.

    Args:
        sheets: the sides of each; one or two.
        sheets_too: sheets that are blank on both sides go, too.
    """

    def left(sheet: list[_SideOfSheet]) -> list[_SideOfSheet]:
        inked = [page for page in sheet if not page.blank]
        return inked if inked or sheets_too or len(sheet) == 1 else sheet

    kept = [left(sheet) for sheet in sheets]
    return kept if any(kept) else list(sheets)
