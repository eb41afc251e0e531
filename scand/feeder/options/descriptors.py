"""The options of a SANE device as its driver states them, and what may be set.

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

WORD = 4  # bytes: a number longer than this is an array (gamma tables)


class OptionType(StrEnum):
    """SANE_Value_Type."""

    BOOL = "bool"
    INT = "int"
    FIXED = "fixed"
    STRING = "string"
    BUTTON = "button"
    GROUP = "group"


class Unit(StrEnum):
    """SANE_Unit, as far as it matters here; every other is NONE."""

    NONE = "none"
    PIXEL = "pixel"
    BIT = "bit"
    MM = "mm"
    DPI = "dpi"


@dataclass(frozen=True, slots=True)
class Range:
    """A SANE_Range: from `min` to `max`, in steps of `step` from `min`; 0: any value."""

    min: float
    max: float
    step: float = 0.0


@dataclass(frozen=True, slots=True)
class DeviceOption:
    """One option at one moment; drivers change all of it when another option is set.

    Attributes:
        name: as SANE spells it, with hyphens.
        constraint: the values it may have, or their range; None: any.
        size: of the value, bytes.
        active: it means something now.
        settable: software may set it (not a sensor, not read-only).
        value: None where it cannot be read: inactive options, arrays, buttons.
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
        """Several numbers in one option: python-sane sets the first and garbage for the rest."""
        return self.type in {OptionType.INT, OptionType.FIXED} and self.size > WORD

    @property
    def usable(self) -> bool:
        """Whether it can be set now, and there is a choice: setting an only value can fail."""
        fixed = isinstance(self.constraint, tuple) and len(self.constraint) == 1
        frozen = isinstance(self.constraint, Range) and self.constraint.min == self.constraint.max
        has_value = self.type not in {OptionType.BUTTON, OptionType.GROUP} and not self.array
        return self.active and self.settable and has_value and not fixed and not frozen

    @property
    def choices(self) -> tuple[str, ...]:
        """The names to choose from: all of the list, or the current one where nothing can be chosen."""
        listed = self.constraint if isinstance(self.constraint, tuple) else ()
        if self.value is not None and not (listed and self.usable):
            return (str(self.value),)
        return tuple(str(choice) for choice in listed)

    @property
    def offer(self) -> list[Any]:
        """What may be set, for a client: the list, or [min, max, step]."""
        if isinstance(self.constraint, Range):
            return [self.constraint.min, self.constraint.max, self.constraint.step]
        if self.constraint is not None:
            return list(self.constraint)
        return [False, True] if self.type is OptionType.BOOL else []

    def holds(self, wanted: object) -> bool:
        """Whether the value is `wanted` already, as exactly as the driver can have it."""
        if isinstance(wanted, bool) or not isinstance(wanted, int | float):
            return bool(self.value == wanted)
        if isinstance(self.value, bool) or not isinstance(self.value, int | float):
            return False
        step = self.constraint.step if isinstance(self.constraint, Range) else 0.0
        return abs(self.value - wanted) <= max(step / 2, 0.01)  # SANE_Fixed has 16 bits of fraction

    def at_least(self, wanted: float) -> Any:
        """The smallest value that may be set from `wanted` up, or the largest there is below it."""
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
        """`wanted` where it fits, else the largest there is, less `margin`. Drivers round by themselves."""
        match self.constraint:
            case Range(min=low, max=high, step=step):
                top = high - max(step, margin) if margin and wanted >= high else high
                return self._typed(max(min(wanted, top), low))
            case _:
                return self.at_least(wanted)

    def _typed(self, value: float) -> int | float:
        return round(value) if self.type is OptionType.INT else float(value)


def number(value: object) -> float:
    """The number in a value: Canon's own driver offers resolutions as "300dpi". NaN where there is none."""
    match = re.search(r"-?\d+(?:\.\d+)?", str(value))
    return float(match[0]) if match else math.nan


Options: TypeAlias = "Mapping[str, DeviceOption]"
"""All options of a device by name, in the driver's own order."""


def all_of(options: Options, names: Sequence[str]) -> list[DeviceOption]:
    """The device's options that go by any of the names."""
    return [option for name, option in options.items() if plain(name) in names]


def find(options: Options, names: Sequence[str]) -> DeviceOption | None:
    """The device's option that goes by the first of the names; an active one before others."""
    found = all_of(options, names)
    return min(found, key=lambda option: (not option.active, names.index(plain(option.name))), default=None)


@dataclass(frozen=True, slots=True)
class Assignment:
    """Set this option to this value."""

    name: str
    value: Any


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of an assignment."""

    name: str
    asked: Any
    read_back: Any
