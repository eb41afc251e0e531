"""The option table of the simulated scanner: what a frontend may set, within what, and what follows from it.

It behaves as production scanners do (modelled on the fujitsu and canon_dr backends): the defaults are Lineart
and Letter, so a frontend that sets nothing gets it wrong; the scan area cannot leave the page, so page-width
and page-height come before br-x and br-y; a value out of range is clamped and reported INEXACT.
"""

from typing import Final

from scand.simulator.area import MODES, PAGE_SIZES, Area, pixels
from scand.simulator.standard import (
    Cap,
    Info,
    OptionDescriptor,
    Range,
    Status,
    StatusError,
    Unit,
    Value,
    ValueType,
)

FLATBED: Final = "Flatbed"
SOURCES: Final[dict[str, tuple[str, ...]]] = {
    FLATBED: ("front",),
    "ADF Front": ("front",),
    "ADF Back": ("back",),
    "ADF Duplex": ("front", "back"),
}
"""The sides that each source scans of a sheet, in order."""

_GLASS: Final = (215.9, 297.18)  # mm; what lies beyond is out of the lamp's reach
_FEEDER: Final = PAGE_SIZES["legal"]
_AREA: Final = ("tl-x", "tl-y", "br-x", "br-y")
_SETTABLE: Final = Cap.SOFT_SELECT | Cap.SOFT_DETECT


class Options:
    """The options of an opened device; lengths are in mm. Each open starts from the defaults."""

    def __init__(self, source: str) -> None:
        width, height = _GLASS if source == FLATBED else PAGE_SIZES["letter"]
        self._values: dict[str, Value] = {
            "source": source,
            "mode": "Lineart",
            "resolution": 200,
            "page-width": PAGE_SIZES["letter"][0],
            "page-height": PAGE_SIZES["letter"][1],
            "tl-x": 0.0,
            "tl-y": 0.0,
            "br-x": width,
            "br-y": height,
        }

    @property
    def source(self) -> str:
        """The source that is set, a key of SOURCES."""
        return str(self._values["source"])

    def descriptors(self) -> tuple[OptionDescriptor, ...]:
        """List the options as they are now; their count and order never change (net.c refuses that)."""
        width, height = self._reach()
        paper = _SETTABLE | (Cap.INACTIVE if self.source == FLATBED else Cap(0))
        return (
            OptionDescriptor(
                "", "Number of options", "How many options there are", ValueType.INT, cap=Cap.SOFT_DETECT
            ),
            _group("standard", "Standard"),
            _choice("source", "Scan source", "Where the sheets come from, and which sides", tuple(SOURCES)),
            _choice("mode", "Scan mode", "Black and white, grey, or colour", MODES),
            OptionDescriptor(
                "resolution",
                "Scan resolution",
                "Dots an inch",
                ValueType.INT,
                Unit.DPI,
                constraint=Range(75, 600, 1),
            ),
            _group("geometry", "Geometry"),
            _length("page-width", "Page width", _FEEDER[0], paper),
            _length("page-height", "Page height", _FEEDER[1], paper),
            _length("tl-x", "Top-left x", width, _SETTABLE | Cap.AUTOMATIC),
            _length("tl-y", "Top-left y", height, _SETTABLE | Cap.AUTOMATIC),
            _length("br-x", "Bottom-right x", width, _SETTABLE | Cap.AUTOMATIC),
            _length("br-y", "Bottom-right y", height, _SETTABLE | Cap.AUTOMATIC),
        )

    def get(self, index: int) -> Value:
        """Read option `index`; raises StatusError(INVAL) where there is nothing to read."""
        option = self._active(index)
        return self._values[option.name] if index else len(self.descriptors())

    def set(self, index: int, value: Value | None) -> tuple[Value, Info]:
        """Set option `index`, and say to what and with what consequence.

        Raises StatusError(INVAL) where the option cannot be set or the value is none of the list.
        """
        option = self._active(index)
        if not option.cap & Cap.SOFT_SELECT or value is None:
            raise StatusError(Status.INVAL)
        granted = _constrain(option, value)
        self._values[option.name] = granted
        info = Info.RELOAD_PARAMS | (Info.INEXACT if granted != value else Info.NONE)
        if option.name in {"source", "page-width", "page-height"}:
            self._clamp_area()
            info |= Info.RELOAD_OPTIONS
        return granted, info

    def set_auto(self, index: int) -> Info:
        """Set option `index` to what suits the page; raises StatusError(UNSUPPORTED) where it knows none."""
        option = self._active(index)
        if not option.cap & Cap.AUTOMATIC or not isinstance(option.constraint, Range):
            raise StatusError(Status.UNSUPPORTED)
        self._values[option.name] = option.constraint.max if option.name in {"br-x", "br-y"} else 0.0
        return Info.RELOAD_PARAMS

    def area(self) -> Area:
        """Compute the scan area; raises StatusError(INVAL) where it is empty."""
        resolution = int(self._values["resolution"])
        left, top, right, bottom = (float(self._values[name]) for name in _AREA)
        width, height = pixels(right - left, resolution), pixels(bottom - top, resolution)
        if width < 1 or height < 1:
            raise StatusError(Status.INVAL)
        return Area(
            str(self._values["mode"]),
            resolution,
            pixels(left, resolution),
            pixels(top, resolution),
            width,
            height,
        )

    def _active(self, index: int) -> OptionDescriptor:
        descriptors = self.descriptors()
        if not 0 <= index < len(descriptors):
            raise StatusError(Status.INVAL)
        option = descriptors[index]
        if option.type is ValueType.GROUP or option.cap & Cap.INACTIVE:
            raise StatusError(Status.INVAL)
        return option

    def _reach(self) -> tuple[float, float]:
        if self.source == FLATBED:
            return _GLASS
        return float(self._values["page-width"]), float(self._values["page-height"])

    def _clamp_area(self) -> None:
        for name, reach in zip(_AREA, self._reach() * 2, strict=True):
            self._values[name] = min(float(self._values[name]), reach)


def _constrain(option: OptionDescriptor, value: Value) -> Value:
    match option.constraint, value:
        case Range(min=low, max=high), int() | float():
            return type(value)(min(max(value, low), high))
        case tuple() as strings, str() if value in strings:
            return value
        case _:
            raise StatusError(Status.INVAL)


def _group(name: str, title: str) -> OptionDescriptor:
    return OptionDescriptor(name, title, "", ValueType.GROUP, size=0, cap=Cap(0))


def _choice(name: str, title: str, desc: str, strings: tuple[str, ...]) -> OptionDescriptor:
    size = 1 + max(map(len, strings))
    return OptionDescriptor(name, title, desc, ValueType.STRING, size=size, constraint=strings)


def _length(name: str, title: str, most: float, cap: Cap) -> OptionDescriptor:
    desc = f"{title}, in millimetres from the sheet's top left corner"
    return OptionDescriptor(name, title, desc, ValueType.FIXED, Unit.MM, cap=cap, constraint=Range(0.0, most))
