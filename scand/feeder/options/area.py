"""The part of the glass, or of the sheet, that becomes the page."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from scand.feeder.options.descriptors import Assignment, DeviceOption, Range, Unit, all_of, find, number
from scand.feeder.options.picture import set_dpi
from scand.sane_words import JUSTIFICATION, PAGE_HEIGHT, PAGE_WIDTH, PAPER, is_free_size

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scand.feeder.options.descriptors import Options
    from scand.jobs.settings import Settings

LONGEST_MAX = 431.8
"""mm. "max" is no longer than a ledger sheet: fujitsu's feeders take pages of 2.7 m, and a driver that does
not look for the sheet's end fills up as much. Who wants more writes the size out."""

_INSIDE = 0.1  # mm; fujitsu and canon_dr refuse a page-height of exactly their own maximum
_CUT = 0.5  # mm that nobody misses: drivers round, and A4 is 296.93 mm long on some flatbeds


def area(options: Options, settings: Settings) -> Iterator[Assignment]:
    """The page, then the area on it; what is too large becomes the largest there is.

    fujitsu and canon_dr cut A4 to Letter unless page-height comes before br-y.
    """
    for option in all_of(options, PAPER):
        yield from (Assignment(option.name, name) for name in option.choices if is_free_size(name))
    width, height = _asked(settings)
    left, top = settings.offset
    left += _justified(options, settings, width)
    yield from _set(options, PAGE_WIDTH, left + width, _INSIDE)
    yield from _set(options, PAGE_HEIGHT, top + height, _INSIDE)
    yield from _set(options, ("tl-x",), left)
    yield from _set(options, ("tl-y",), top)
    yield from _set(options, ("br-x",), width + (_mm(options, ("tl-x",)) or 0.0))
    yield from _set(options, ("br-y",), height + (_mm(options, ("tl-y",)) or 0.0))


def _justified(options: Options, settings: Settings, width: float) -> float:
    """How far right of the scan area's left edge the feeder's sheets lie, mm; a flatbed's lie at the edge.

    airscan only tells on which side of the area a narrower sheet goes in; offsetting is left to programs.
    """
    side, edge = find(options, JUSTIFICATION), find(options, ("br-x",))
    if settings.source == "flatbed" or side is None or edge is None:
        return 0.0
    widest = edge.constraint.max if isinstance(edge.constraint, Range) else 0.0
    spare = max(0.0, widest / _per_mm(options, edge) - width)
    return {"center": spare / 2, "right": spare}.get(str(side.value), 0.0)


def _asked(settings: Settings) -> tuple[float, float]:
    size = settings.page_size
    return size.width_mm, LONGEST_MAX if math.isinf(size.height_mm) else size.height_mm


def _set(options: Options, names: Sequence[str], mm: float, margin: float = 0.0) -> Iterator[Assignment]:
    for option in all_of(options, names):
        if option.constraint is not None or math.isfinite(mm):
            scale = _per_mm(options, option)
            yield Assignment(option.name, option.up_to(mm * scale, margin * scale))


def _mm(options: Options, names: Sequence[str]) -> float | None:
    """A length in millimetres; None where the device has none, or it cannot be read."""
    option = find(options, names)
    value = number(option.value) if option is not None and option.active else math.nan
    return None if option is None or math.isnan(value) else value / _per_mm(options, option)


def _per_mm(options: Options, option: DeviceOption) -> float:
    """The option's own units in a millimetre: some drivers count pixels of the resolution that is set."""
    if option.unit is not Unit.PIXEL:
        return 1.0
    return (set_dpi(options) or 300.0) / 25.4


def size(options: Options, settings: Settings) -> tuple[float, float]:
    """Width and height of the page in millimetres, by what the driver reads back; 0 where nobody says."""
    page = settings.page_size
    width, height = (page.width_mm, page.height_mm) if math.isfinite(page.width_mm) else (0.0, 0.0)
    return _side(options, "x", PAGE_WIDTH, width), _side(options, "y", PAGE_HEIGHT, height)


def _side(options: Options, axis: str, page: Sequence[str], asked: float) -> float:
    top, bottom = _mm(options, (f"tl-{axis}",)), _mm(options, (f"br-{axis}",))
    if bottom is not None:
        return round(bottom - (top or 0.0), 2)
    length = _mm(options, page)  # epjitsu has no br-x
    if length is not None:
        return round(length, 2)
    return asked


def warnings(options: Options, settings: Settings) -> Iterator[str]:
    """What of the page is cut off."""
    width, height = size(options, settings)
    asked = settings.page_size
    if math.isfinite(asked.width_mm) and (asked.width_mm > width + _CUT or asked.height_mm > height + _CUT):
        wanted = f"{asked.width_mm:g} x {asked.height_mm:g}"
        yield f"page_size: asked {asked} ({wanted} mm), the scanner does {width:g} x {height:g} mm"
