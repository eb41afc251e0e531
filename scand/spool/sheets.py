"""The sides of sheets: which belong in a batch's PDF, and which of them are left out as blank. Pure."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Protocol, TypeVar

from scand.spool.records import Begin, Page, Side

if TYPE_CHECKING:
    from collections.abc import Sequence


def unmatched(batches: Sequence[tuple[str, int]]) -> str | None:
    """Why the batches cannot be fronts and backs of the same sheets.

    Args:
        batches: name and number of sides of each, in order.

    Returns:
        A sentence with both counts; None when fronts and backs match.
    """
    for first in range(0, len(batches), 2):
        (front, fronts), *rest = batches[first : first + 2]
        if not rest:
            return (
                f"{front} has {fronts} fronts, and there are 0 backs: lay the whole stack in turned "
                "over, scan it, and finish again."
            )
        ((back, backs),) = rest
        if fronts != backs:
            return (
                f"{front} has {fronts} fronts, but {back} has {backs} backs, so that nobody can say which belong "
                "together: discard the one that is wrong, scan it again in its turn, and finish again."
            )
    return None


def bindable(pages: Sequence[Page], begin: Begin, *, complete: bool) -> list[Page]:
    """The pages that belong in the batch's PDF, in feeding order: every side of every whole sheet, blank or not.

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
    return whole


def left_out(pages: Sequence[Page], begin: Begin) -> int:
    """How many pages of the batch's PDF are blank, and so out of the merge unless a client keeps them.

    Args:
        pages: those of the PDF.
        begin: the batch's begin.json. Of one half in manual duplex all blank sides count: which sheets are blank
            on both sides is known only with the other half.
    """
    if begin.halves:
        return sum(page.blank for page in pages)
    sheets = [list(sides) for _, sides in groupby(pages, key=lambda page: page.sheet)]
    return len(pages) - sum(map(len, without_blanks(sheets, sheets_too=begin.drop_blank_sheets)))


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
