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
"""Length of "max" in mm, that of a ledger sheet. fujitsu's feeders take pages of 2.7 m, and a driver that does not
look for the sheet's end would deliver all of it. For longer pages, settings give the size in mm."""

_MARGIN = 0.1  # mm; fujitsu and canon_dr refuse a page-height of exactly their own maximum
_TOLERANCE = 0.5  # mm cut off without a warning: drivers round, and A4 is 296.93 mm long on some flatbeds


def area(options: Options, settings: Settings) -> Iterator[Assignment]:
    """Set the size of the page, then the area on it; a size that is too large becomes the largest there is.

    fujitsu and canon_dr cut A4 to Letter unless page-height is set before br-y.
    """
    for option in all_of(options, PAPER):
        yield from (Assignment(option.name, name) for name in option.choices if is_free_size(name))
    width, height = _size_asked(settings)
    left, top = settings.offset
    left += _justified(options, settings, width)
    yield from _set(options, PAGE_WIDTH, left + width, _MARGIN)
    yield from _set(options, PAGE_HEIGHT, top + height, _MARGIN)
    yield from _set(options, ("tl-x",), left)
    yield from _set(options, ("tl-y",), top)
    yield from _set(options, ("br-x",), width + (_mm(options, ("tl-x",)) or 0.0))
    yield from _set(options, ("br-y",), height + (_mm(options, ("tl-y",)) or 0.0))


def _justified(options: Options, settings: Settings, width: float) -> float:
    """How far from the left edge of the scan area the feeder's sheets lie, in mm; 0 for a flatbed.

    airscan only tells on which side of the area a narrower sheet is fed; programs have to add the offset.
    """
    side, edge = find(options, JUSTIFICATION), find(options, ("br-x",))
    if settings.source == "flatbed" or side is None or edge is None:
        return 0.0
    widest = edge.constraint.max if isinstance(edge.constraint, Range) else 0.0
    spare = max(0.0, widest / _per_mm(options, edge) - width)
    return {"center": spare / 2, "right": spare}.get(str(side.value), 0.0)


def _size_asked(settings: Settings) -> tuple[float, float]:
    size = settings.page_size
    return size.width_mm, LONGEST_MAX if math.isinf(size.height_mm) else size.height_mm


def _set(options: Options, names: Sequence[str], mm: float, margin: float = 0.0) -> Iterator[Assignment]:
    for option in all_of(options, names):
        if option.constraint is not None or math.isfinite(mm):
            scale = _per_mm(options, option)
            yield Assignment(option.name, option.up_to(mm * scale, margin * scale))


def _mm(options: Options, names: Sequence[str]) -> float | None:
    """A length in mm; None where the device has no such option, or it cannot be read."""
    option = find(options, names)
    value = number(option.value) if option is not None and option.active else math.nan
    return None if option is None or math.isnan(value) else value / _per_mm(options, option)


def _per_mm(options: Options, option: DeviceOption) -> float:
    """How many of the option's units make a millimetre: some drivers count pixels at the set resolution."""
    if option.unit is not Unit.PIXEL:
        return 1.0
    return (set_dpi(options) or 300.0) / 25.4


def size(options: Options, settings: Settings) -> tuple[float, float]:
    """Width and height of the page in mm, as read back; 0 where neither the driver nor the settings tell."""
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
    """A warning when a part of the page is cut off."""
    width, height = size(options, settings)
    asked = settings.page_size
    cut = max(asked.width_mm - width, asked.height_mm - height)
    if math.isfinite(cut) and cut > _TOLERANCE:
        wanted = f"{asked.width_mm:g} x {asked.height_mm:g}"
        yield f"page_size: asked {asked} ({wanted} mm), the scanner does {width:g} x {height:g} mm"
