"""The option table of the simulated scanner: what a frontend may set, to which values, and with which effects.

It behaves as drivers do. A value out of range is clamped, and one between two steps goes to the nearer; both are
reported as INEXACT. An option may limit others, and make them active or inactive; if anything but the option
itself changes, that is reported as RELOAD_OPTIONS.

Source: the SANE standard 4.3.7 (sane_control_option); sanei_constrain_value.c.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from scand.simulator.facts import Fact
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

_COUNT: Final = OptionDescriptor(
    "", "Number of options", "How many options there are", ValueType.INT, cap=Cap.SOFT_DETECT
)
_FIXED_STEP: Final = 1 / (1 << 16)  # the resolution of SANE_Fixed


@dataclass(frozen=True)
class Setting:
    """The current state of an option."""

    value: Value
    unit: Unit
    active: bool


class Options:
    """The options of an opened device.

    Args:
        facts: the options as they are when the device is opened, in the driver's order.
    """

    def __init__(self, facts: Sequence[Fact]) -> None:
        self._facts = tuple(facts)
        self._values = {
            fact.descriptor.name: fact.value for fact in facts if fact.descriptor.type is not ValueType.GROUP
        }
        self._apply_bounds()

    def settings(self) -> dict[str, Setting]:
        """Return what every option is set to, by its name, in the driver's order."""
        return {
            fact.descriptor.name: Setting(
                self._values[fact.descriptor.name], fact.descriptor.unit, active=self._active(fact)
            )
            for fact in self._facts
            if fact.descriptor.name in self._values
        }

    def descriptors(self) -> tuple[OptionDescriptor, ...]:
        """Return the options as they are now; their number and order never change (net.c refuses that)."""
        return (_COUNT, *map(self._descriptor, self._facts))

    def get(self, index: int) -> Value:
        """Return the value of option `index`.

        Raises:
            StatusError: INVAL, there is nothing to read.
        """
        option = self._option(index, Cap.SOFT_DETECT)
        return self._values[option.name] if index else len(self._facts) + 1

    def set(self, index: int, value: Value | None) -> tuple[Value, Info]:
        """Set option `index`.

        Returns:
            The value that it has now, and what else changed.

        Raises:
            StatusError: INVAL, the option cannot be set or the value is not in its list.
        """
        option = self._option(index, Cap.SOFT_SELECT)
        if value is None:
            raise StatusError(Status.INVAL)
        if option.type is ValueType.BUTTON:
            return value, Info.NONE
        granted = constrained(option, value)
        return granted, self._store(option, granted) | (
            Info.INEXACT if _differs(granted, value) else Info.NONE
        )

    def set_auto(self, index: int) -> Info:
        """Let the device choose the value of option `index`.

        Raises:
            StatusError: UNSUPPORTED, the device cannot do that for this option.
        """
        option = self._option(index, Cap.SOFT_SELECT)
        if not option.cap & Cap.AUTOMATIC or not isinstance(option.constraint, Range):
            raise StatusError(Status.UNSUPPORTED)
        return self._store(
            option, option.constraint.max if option.name.startswith("br-") else option.constraint.min
        )

    def _store(self, option: OptionDescriptor, value: Value) -> Info:
        before = self.descriptors(), {**self._values, option.name: value}
        self._values[option.name] = value
        self._apply_bounds()
        changed = before != (self.descriptors(), self._values)
        return Info.RELOAD_PARAMS | (Info.RELOAD_OPTIONS if changed else Info.NONE)

    def _option(self, index: int, ability: Cap) -> OptionDescriptor:
        if not 0 <= index <= len(self._facts):
            raise StatusError(Status.INVAL)
        option = self._descriptor(self._facts[index - 1]) if index else _COUNT
        if not option.cap & ability or option.cap & Cap.INACTIVE:
            raise StatusError(Status.INVAL)
        return option

    def _descriptor(self, fact: Fact) -> OptionDescriptor:
        option = fact.descriptor
        cap = option.cap & ~Cap.INACTIVE if self._active(fact) else option.cap | Cap.INACTIVE
        bound = self._upper_bound(fact)
        if bound is not None and isinstance(option.constraint, Range):
            return replace(option, cap=cap, constraint=replace(option.constraint, max=bound))
        return replace(option, cap=cap)

    def _active(self, fact: Fact) -> bool:
        if fact.active_when is None:
            return not fact.descriptor.cap & Cap.INACTIVE
        return all(self._values[name] in values for name, values in fact.active_when.items())

    def _upper_bound(self, fact: Fact) -> float | None:
        """The maximum that another option currently imposes; None if there is none."""
        for other in self._facts:
            if other.descriptor.name == fact.bounded_by and self._active(other):
                return float(self._values[fact.bounded_by])
        return None

    def _apply_bounds(self) -> None:
        for fact in self._facts:
            name, bound = fact.descriptor.name, self._upper_bound(fact)
            if bound is not None:
                self._values[name] = min(float(self._values[name]), bound)


def constrained(option: OptionDescriptor, value: Value) -> Value:
    """Return the value that a driver sets when it is given `value`.

    Raises:
        StatusError: INVAL, the type is wrong or the value is not in the list.
    """
    allowed = option.constraint
    if isinstance(value, str) is not (option.type is ValueType.STRING):
        raise StatusError(Status.INVAL)
    if isinstance(value, str):
        if isinstance(allowed, tuple) and value not in allowed:
            raise StatusError(Status.INVAL)
        return value
    if option.type is ValueType.BOOL and value not in {0, 1}:
        raise StatusError(Status.INVAL)
    if isinstance(allowed, Range):
        return type(value)(_stepped(allowed, value))
    if allowed is None:
        return value
    return type(value)(min(map(float, allowed), key=lambda number: abs(number - value)))


def _stepped(allowed: Range, value: float) -> float:
    value = min(max(value, allowed.min), allowed.max)
    if not allowed.quant:
        return value
    steps = round((value - allowed.min) / allowed.quant)
    return min(allowed.min + steps * allowed.quant, allowed.max)


def _differs(granted: Value, asked: Value) -> bool:
    if isinstance(granted, str) or isinstance(asked, str):
        return granted != asked
    return abs(granted - asked) > _FIXED_STEP
