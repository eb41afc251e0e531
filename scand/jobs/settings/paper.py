"""Sizes of paper, by name or in millimetres."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class PageSize:
    """The size of a page.

    Attributes:
        name: as it is written in settings.
        width_mm: infinite for "max", which is as large as the device allows.
        height_mm: infinite for "max".
    """

    name: str
    width_mm: float
    height_mm: float

    def __str__(self) -> str:
        return self.name


PAGE_SIZES = {
    "a3": PageSize("a3", 297.0, 420.0),
    "a4": PageSize("a4", 210.0, 297.0),
    "a5": PageSize("a5", 148.0, 210.0),
    "letter": PageSize("letter", 215.9, 279.4),
    "legal": PageSize("legal", 215.9, 355.6),
    "max": PageSize("max", math.inf, math.inf),
}
_FREE_SIZE = re.compile(r"(\d{1,5}(?:\.\d{1,3})?)x(\d{1,5}(?:\.\d{1,3})?)mm")
WIDEST, LONGEST, SMALLEST = 1000.0, 6000.0, 10.0
"""Limits of a size in mm: width, height, and the least of both."""


def page_size(value: Any) -> Any:
    """Parse a page size: a name, or "100x250mm".

    Raises:
        ValueError: it is neither.
    """
    if isinstance(value, PageSize):
        return value
    if not isinstance(value, str):
        raise ValueError  # noqa: TRY004 - pydantic listens to ValueError only
    text = value.casefold().replace(" ", "")
    if text in PAGE_SIZES:
        return PAGE_SIZES[text]
    match = _FREE_SIZE.fullmatch(text)
    if match is None:
        raise ValueError
    width, height = float(match[1]), float(match[2])
    if not (SMALLEST <= width <= WIDEST and SMALLEST <= height <= LONGEST):
        raise ValueError
    return PageSize(f"{width:g}x{height:g}mm", width, height)
