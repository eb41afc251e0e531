"""What is known about a scanner: its options as the driver describes them, and how they depend on each other.

A facts file is a JSON list of devices, {"name", "device", "options"}. `device` is the SANE name. An option has
name, type (bool, int, fixed, string, button, group), `list` or `range` ([min, max, step]; step 0 means any value),
unit (mm, dpi, pixel, bit, %), value, inactive, read_only, hardware and advanced. It may also have

    bounded_by   the option whose value is the maximum of this one, while that option is active
    active_when  {option: [values]}: this option is inactive while any of those has another value
    write_only, automatic

What a file leaves out follows from the names: page-width and page-height bound the scan area ("bounded_by": null
says that they do not), and an inactive adf-mode or page size becomes active with a source that has a feeder.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from scand.sane_words import PAGE_HEIGHT, PAGE_WIDTH, SOURCE, SourceKind, plain, source_kind
from scand.simulator.standard import Cap, OptionDescriptor, Range, Unit, Value, ValueType

DEFAULT: Final = Path(__file__).with_name("default.json")
"""The scanner that is simulated unless a facts file is given."""

_BOUNDS: Final = {"tl-x": PAGE_WIDTH, "br-x": PAGE_WIDTH, "tl-y": PAGE_HEIGHT, "br-y": PAGE_HEIGHT}  # fujitsu
_WAKES_WITH_FEEDER: Final = frozenset({"adf-mode", *PAGE_WIDTH, *PAGE_HEIGHT})  # epson2; fujitsu
_FEEDER_SOURCES: Final = frozenset({SourceKind.FEEDER, SourceKind.FRONT, SourceKind.BACK, SourceKind.DUPLEX})
_UNITS: Final = {"mm": Unit.MM, "dpi": Unit.DPI, "pixel": Unit.PIXEL, "bit": Unit.BIT, "%": Unit.PERCENT}
_WORD_SIZE: Final = 4  # bytes
_TEXT_SIZE: Final = 255  # bytes of a string option that has no list of choices


@dataclass(frozen=True)
class Fact:
    """An option as it is when the device is opened.

    Attributes:
        descriptor: as libsane shows it.
        value: at the start.
        bounded_by: the name of the option whose value is its maximum.
        active_when: option → values; it is inactive while one of those options has another value.
    """

    descriptor: OptionDescriptor
    value: Value
    bounded_by: str | None = None
    active_when: Mapping[str, tuple[Value, ...]] | None = None


@dataclass(frozen=True)
class Facts:
    """A device.

    Attributes:
        device: its SANE name.
        vendor: for the device list, like `model`.
        options: in the driver's order.
    """

    device: str
    vendor: str
    model: str
    options: tuple[Fact, ...]

    def starting_from(self, source: str) -> "Facts":
        """Return the same device, with `source` selected when it is opened.

        Raises:
            ValueError: the device has no such source.
        """
        for place, fact in enumerate(self.options):
            choices = fact.descriptor.constraint
            if plain(fact.descriptor.name) in SOURCE and isinstance(choices, tuple):
                if source not in choices:
                    raise ValueError(
                        f"there is no source {source!r}; there are {', '.join(map(str, choices))}"
                    )
                changed = replace(fact, value=source)
                return replace(self, options=(*self.options[:place], changed, *self.options[place + 1 :]))
        raise ValueError(f"{self.vendor} {self.model} has no source to choose")


def read_facts(file: Path, name: str | None = None) -> Facts:
    """Read the device of a facts file that goes by `name`; without one, the only device.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is no facts file, or has no such device.
    """
    try:
        entries = {entry["name"]: entry for entry in json.loads(file.read_bytes())}
        chosen = name if name is not None or len(entries) != 1 else next(iter(entries))
        if chosen in entries:
            return parse_facts(entries[chosen])
    except (KeyError, TypeError, AttributeError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ValueError(f"{file} is no facts file: {type(error).__name__}: {error}") from error
    which = "several devices" if name is None else f"no device {name!r}"
    raise ValueError(f"{file} has {which}; name one of: {'; '.join(map(str, entries))}")


def parse_facts(entry: Mapping[str, Any]) -> Facts:
    """Read one device; raises KeyError, TypeError or ValueError where it is none."""
    names = {plain(option["name"]): option["name"] for option in entry["options"]}
    sources = next(
        (option.get("list", ()) for option in entry["options"] if plain(option["name"]) in SOURCE), ()
    )
    feeding = tuple(source for source in sources if source_kind(str(source)) in _FEEDER_SOURCES)
    options = tuple(_fact(option, names, feeding) for option in entry["options"])
    for fact in options:
        for other in (fact.bounded_by, *(fact.active_when or ())):
            if other is not None and other not in names.values():
                raise ValueError(
                    f"{fact.descriptor.name} hangs on {other}, which is no option of {entry['name']}"
                )
    vendor, _, model = entry["name"].partition(",")[0].partition(" ")
    return Facts(_local_name(entry["device"]), vendor, model or vendor, options)


def _local_name(device: str) -> str:
    """The device's name on its own host: what follows net:HOST:."""
    backend, _, rest = device.partition(":")
    return rest.partition(":")[2] if backend == "net" else device


def _fact(option: Mapping[str, Any], names: Mapping[str, str], feeding: tuple[str, ...]) -> Fact:
    kind = plain(option["name"])
    bound = next((names[page] for page in _BOUNDS.get(kind, ()) if page in names), None)
    source = next((names[name] for name in SOURCE if name in names), None)
    wakes = (
        {source: feeding}
        if option.get("inactive") and kind in _WAKES_WITH_FEEDER and source and feeding
        else None
    )
    descriptor = _descriptor(option)
    return Fact(
        descriptor,
        _placeholder(descriptor) if option.get("value") is None else _exact(option["value"], descriptor.type),
        option.get("bounded_by", bound),
        option.get("active_when", wakes),
    )


def _descriptor(option: Mapping[str, Any]) -> OptionDescriptor:
    name, type_ = option["name"], ValueType[option["type"].upper()]
    title = name.replace("-", " ").replace("_", " ").capitalize()
    constraint: Range | tuple[Any, ...] | None = None
    if "list" in option:
        constraint = tuple(_exact(choice, type_) for choice in option["list"])
    elif "range" in option:
        constraint = Range(*(_exact(end, type_) for end in option["range"]))
    size = _WORD_SIZE
    if type_ is ValueType.STRING:
        choices = constraint if isinstance(constraint, tuple) else ()
        size = 1 + max((len(choice) for choice in choices), default=_TEXT_SIZE)
    elif type_ in {ValueType.BUTTON, ValueType.GROUP}:
        size = 0
    unit = _UNITS.get(option.get("unit", ""), Unit.NONE)
    return OptionDescriptor(name, title, title, type_, unit, size, _cap(option, type_), constraint)


def _exact(value: Any, type_: ValueType) -> Any:
    """The value that a driver shows as `value`: a SANE_Fixed is a multiple of 1/65,536."""
    if isinstance(value, str) is not (type_ is ValueType.STRING):
        raise ValueError(f"{value!r} is no {type_.name.lower()}")
    return round(value * 65536) / 65536 if type_ is ValueType.FIXED else value


def _cap(option: Mapping[str, Any], type_: ValueType) -> Cap:
    if type_ is ValueType.GROUP:
        return Cap(0)
    cap = Cap.SOFT_SELECT | Cap.SOFT_DETECT
    if option.get("hardware"):
        cap = Cap.HARD_SELECT | Cap.SOFT_DETECT
    elif option.get("read_only"):
        cap = Cap.SOFT_DETECT
    elif option.get("write_only") or type_ is ValueType.BUTTON:
        cap = Cap.SOFT_SELECT
    for key, flag in (("inactive", Cap.INACTIVE), ("advanced", Cap.ADVANCED), ("automatic", Cap.AUTOMATIC)):
        cap |= flag if option.get(key) else Cap(0)
    return cap


def _placeholder(option: OptionDescriptor) -> Value:
    """A value for an inactive option, of which none is known: the first of its list, or its maximum."""
    if isinstance(option.constraint, Range):
        return option.constraint.max
    if option.constraint:
        return option.constraint[0]
    return "" if option.type is ValueType.STRING else 0
