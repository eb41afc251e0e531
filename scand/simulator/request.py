"""What a client has asked for when it starts a scan: which sides, which area, which mode.

Drivers call the same things by different names; `scand.sane_words` knows them.
"""

import re
from collections.abc import Sequence
from typing import Final

from scand.sane_words import (
    DEPTH,
    MODE,
    PAGE_HEIGHT,
    PAGE_WIDTH,
    RESOLUTION,
    SHEETFED_SIGNS,
    SOURCE,
    SWITCHES,
    SourceKind,
    mode_kind,
    plain,
    side_kind,
    source_kind,
    words,
)
from scand.simulator.area import MM_PER_INCH, PAGE_SIZES, Area, pixels
from scand.simulator.options import Options, Setting
from scand.simulator.standard import Status, StatusError, Unit

_MODES: Final = {"lineart": "Lineart", "gray": "Gray", "color": "Color"}
_HALFTONES: Final = frozenset(
    {"diffusion", "dither", "dithered", "halftone"}
)  # modes of black dots that look grey
_SIDES: Final[dict[SourceKind, tuple[str, ...]]] = {
    SourceKind.BACK: ("back",),
    SourceKind.DUPLEX: ("front", "back"),
}


def sides(options: Options) -> tuple[str, ...]:
    """Return the sides of each sheet that are scanned, in order; none if the page lies on the glass."""
    source = _find(options, SOURCE)
    kind = source_kind(str(source.value)) if source else None
    if kind is SourceKind.FLATBED or (not source and not _has_feeder(options)):
        return ()
    if kind in _SIDES:
        return _SIDES[kind]
    return ("front", "back") if any(map(_is_duplex, _all(options, SWITCHES))) else ("front",)


def area(options: Options) -> Area:
    """Return the scan area.

    Raises:
        StatusError: INVAL, the area is empty.
    """
    resolution = round(_number(_find(options, RESOLUTION), 300))
    left, top = (_mm(options, (f"tl-{axis}",), resolution) or 0.0 for axis in "xy")
    right, bottom = (
        next(
            (mm for names in ((f"br-{axis}",), page) if (mm := _mm(options, names, resolution)) is not None),
            a4,
        )
        for axis, page, a4 in zip("xy", (PAGE_WIDTH, PAGE_HEIGHT), PAGE_SIZES["a4"], strict=True)
    )
    width, height = pixels(right - left, resolution), pixels(bottom - top, resolution)
    if width < 1 or height < 1:
        raise StatusError(Status.INVAL)
    return Area(_mode(options), resolution, pixels(left, resolution), pixels(top, resolution), width, height)


def _mode(options: Options) -> str:
    setting = _find(options, MODE)
    name = str(setting.value) if setting else "color"
    spelt = frozenset(words(name))
    if _HALFTONES & spelt or (mode_kind(name) == "gray" and _number(_find(options, DEPTH), 8) == 1):
        return "Lineart"
    return _MODES[mode_kind(name) or ("gray" if "gray" in spelt else "color")]


def _has_feeder(options: Options) -> bool:
    return any(plain(name) in SHEETFED_SIGNS for name in options.settings())


def _is_duplex(switch: Setting) -> bool:
    if not switch.active:
        return False
    return switch.value == 1 or side_kind(str(switch.value)) is SourceKind.DUPLEX


def _all(options: Options, names: Sequence[str]) -> list[Setting]:
    return [setting for name, setting in options.settings().items() if plain(name) in names]


def _find(options: Options, names: Sequence[str]) -> Setting | None:
    """The option that has one of the names; an active one is preferred."""
    return min(_all(options, names), key=lambda setting: not setting.active, default=None)


def _number(setting: Setting | None, default: float) -> float:
    """The number in a value, as in "300dpi"."""
    found = re.search(r"\d+(\.\d+)?", str(setting.value)) if setting and setting.active else None
    return float(found[0]) if found else default


def _mm(options: Options, names: Sequence[str], resolution: int) -> float | None:
    setting = _find(options, names)
    if setting is None or not setting.active:
        return None
    return float(setting.value) / (resolution / MM_PER_INCH if setting.unit is Unit.PIXEL else 1.0)
