"""Where a page goes that is moved: its new sort key. Pure."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from enum import Enum, auto
from typing import TYPE_CHECKING

from scand.errors import BadData

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scand.jobs.rows import PageRow

_DIGITS = Decimal("1e-10")
"""The finest place that the database takes."""


class Where(Enum):
    """Where pages go, seen from another page."""

    INSTEAD = (
        auto()
    )  # they share its place; where both are in the document, the one that was fed first comes first
    BEFORE = auto()
    AFTER = auto()


def moved(
    places: Mapping[tuple[int, int], Decimal], pages: Sequence[PageRow], target: PageRow, where: Where
) -> list[PageRow]:
    """The pages with their new places, in the order in which they are given.

    Args:
        places: by what every page of the job is ordered now: (batch, page) → place.
        pages: to be moved.
        target: the page from which their place is seen; it stays where it is.

    Raises:
        BadData: the target is among them, or there is no room left between two places.
    """
    if any(page.name == target.name for page in pages):
        raise BadData(f"Page {target.name} cannot be moved to itself.")
    here = places[target.batch_seq, target.page]
    if where is Where.INSTEAD:
        return [replace(page, place=here) for page in pages]
    staying = {
        key: place for key, place in places.items() if key not in {(p.batch_seq, p.page) for p in pages}
    }
    if where is Where.AFTER:
        beyond = min((place for place in staying.values() if place > here), default=here + 1)
        low, high = here, beyond
    else:
        beyond = max((place for place in staying.values() if place < here), default=here - 1)
        low, high = beyond, here
    step = (high - low) / (len(pages) + 1)
    found = [(low + step * number).quantize(_DIGITS) for number in range(1, len(pages) + 1)]
    if len({low, high, *found}) < len(found) + 2:
        raise BadData(f"There is no room left beside page {target.name}: move it to another place first.")
    return [replace(page, place=place.normalize()) for page, place in zip(pages, found, strict=True)]
