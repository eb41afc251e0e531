"""The options of a SANE device as its driver describes them, and the values that may be set.

Source: the SANE standard 4.2.9 (option descriptors) and 4.2.9.7 (constraints).
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeAlias

from scand.sane_words import plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WORD = 4
"""Size of a SANE_Word in bytes; an INT or FIXED that is longer is an array, such as a gamma table."""


class OptionType(StrEnum):
    """SANE_Value_Type."""

    BOOL = "bool"
    INT = "int"
    FIXED = "fixed"
    STRING = "string"
    BUTTON = "button"
    GROUP = "group"


class Unit(StrEnum):
    """SANE_Unit, as far as it matters here; all others are NONE."""

    NONE = "none"
    PIXEL = "pixel"
    BIT = "bit"
    MM = "mm"
    DPI = "dpi"


@dataclass(frozen=True, slots=True)
class Range:
    """A SANE_Range: from `min` to `max`, in steps of `step` from `min`; with a step of 0, any value between."""

    min: float
    max: float
    step: float = 0.0


@dataclass(frozen=True, slots=True)
class DeviceOption:
    """An option at one moment; all of it may change when another option is set.

    Attributes:
        name: as the driver spells it.
        type: of the value.
        unit: of a number.
        constraint: the list of allowed values, or their range; None: any value.
        size: of the value, bytes.
        active: the option has an effect now.
        settable: software may set it; it is no sensor and not read-only.
        value: None where it cannot be read: of inactive options, arrays and buttons.
    """

    name: str
    type: OptionType
    unit: Unit = Unit.NONE
    constraint: tuple[Any, ...] | Range | None = None
    size: int = WORD
    active: bool = True
    settable: bool = True
    value: Any = None

    @property
    def array(self) -> bool:
        """Whether the option has several numbers: python-sane would set the first, and garbage for the rest."""
        return self.type in {OptionType.INT, OptionType.FIXED} and self.size > WORD

    @property
    def usable(self) -> bool:
        """Whether the option can be set now and has a choice: setting the only allowed value can fail."""
        fixed = isinstance(self.constraint, tuple) and len(self.constraint) == 1
        frozen = isinstance(self.constraint, Range) and self.constraint.min == self.constraint.max
        has_value = self.type not in {OptionType.BUTTON, OptionType.GROUP} and not self.array
        return self.active and self.settable and has_value and not fixed and not frozen

    @property
    def choices(self) -> tuple[str, ...]:
        """The values to choose from, as text: the whole list, or the current value where there is no choice."""
        listed = self.constraint if isinstance(self.constraint, tuple) else ()
        if self.value is not None and not (listed and self.usable):
            return (str(self.value),)
        return tuple(str(choice) for choice in listed)

    @property
    def offer(self) -> list[Any]:
        """What may be set, for a client: a list of values, or [min, max, step]."""
        if isinstance(self.constraint, Range):
            return [self.constraint.min, self.constraint.max, self.constraint.step]
        if self.constraint is not None:
            return list(self.constraint)
        return [False, True] if self.type is OptionType.BOOL else []

    def holds(self, wanted: object) -> bool:
        """Whether the option has the wanted value, as exactly as the driver can represent it."""
        if isinstance(wanted, bool) or not isinstance(wanted, int | float):
            return bool(self.value == wanted)
        if isinstance(self.value, bool) or not isinstance(self.value, int | float):
            return False
        step = self.constraint.step if isinstance(self.constraint, Range) else 0.0
        return abs(self.value - wanted) <= max(step / 2, 0.01)  # SANE_Fixed has 16 bits of fraction

    def at_least(self, wanted: float) -> Any:
        """The smallest allowed value that is at least `wanted`; if there is none, the largest allowed value."""
        match self.constraint:
            case Range(min=low, max=high, step=step):
                if step <= 0:
                    return self._typed(min(max(wanted, low), high))
                steps = math.ceil((max(wanted, low) - low) / step - 1e-6) if wanted < high else math.inf
                return self._typed(low + step * min(steps, math.floor((high - low) / step + 1e-6)))
            case tuple() as listed if listed:
                above = [choice for choice in listed if number(choice) >= wanted - 0.01]
                return min(above, key=number) if above else max(listed, key=number)
            case _:
                return self._typed(wanted)

    def up_to(self, wanted: float, margin: float = 0.0) -> Any:
        """`wanted`; if that is too large, the largest allowed value less `margin`. Drivers round to their step."""
        match self.constraint:
            case Range(min=low, max=high, step=step):
                top = high - max(step, margin) if margin and wanted >= high else high
                return self._typed(max(min(wanted, top), low))
            case _:
                return self.at_least(wanted)

    def _typed(self, value: float) -> int | float:
        return round(value) if self.type is OptionType.INT else float(value)


def number(value: object) -> float:
    """The number in a value, NaN where there is none. Canon's own driver offers resolutions as "300dpi"."""
    match = re.search(r"-?\d+(?:\.\d+)?", str(value))
    return float(match[0]) if match else math.nan


Options: TypeAlias = "Mapping[str, DeviceOption]"
"""All options of a device by name, in the driver's own order."""


def all_of(options: Options, names: Sequence[str]) -> list[DeviceOption]:
    """The device's options that have any of the names, compared after `plain`."""
    return [option for name, option in options.items() if plain(name) in names]


def find(options: Options, names: Sequence[str]) -> DeviceOption | None:
    """The device's option with the first of the names that it has; an active one before others."""
    found = all_of(options, names)
    return min(found, key=lambda option: (not option.active, names.index(plain(option.name))), default=None)


@dataclass(frozen=True, slots=True)
class Assignment:
    """An option, and the value to set it to."""

    name: str
    value: Any


@dataclass(frozen=True, slots=True)
class Applied:
    """An option that was set: the value asked for, and the value read back; None where it cannot be read."""

    name: str
    asked: Any
    read_back: Any
