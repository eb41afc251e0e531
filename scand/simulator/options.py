"""The option table of the simulated scanner: what a frontend may set, within what, and what follows from it.

It behaves as drivers do: what is out of range is clamped, and what lies between two steps goes to the nearer,
both reported INEXACT; an option may bound others, and wake them or put them to sleep, and whatever changes
beside the one that was set is reported RELOAD_OPTIONS.

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
_ONE: Final = 1 / (1 << 16)  # the least that SANE_Fixed can tell apart


@dataclass(frozen=True)
class Setting:
    """What an option is set to."""

    value: Value
    unit: Unit
    active: bool


class Options:
    """The options of an opened device. Each open starts from the facts."""

    def __init__(self, facts: Sequence[Fact]) -> None:
        self._facts = tuple(facts)
        self._values = {
            fact.descriptor.name: fact.value for fact in facts if fact.descriptor.type is not ValueType.GROUP
        }
        self._bound()

    def settings(self) -> dict[str, Setting]:
        """What every option is set to, by its name, in the driver's order."""
        return {
            fact.descriptor.name: Setting(
                self._values[fact.descriptor.name], fact.descriptor.unit, active=self._active(fact)
            )
            for fact in self._facts
            if fact.descriptor.name in self._values
        }

    def descriptors(self) -> tuple[OptionDescriptor, ...]:
        """List the options as they are now; their count and order never change (net.c refuses that)."""
        return (_COUNT, *map(self._descriptor, self._facts))

    def get(self, index: int) -> Value:
        """Read option `index`; raises StatusError(INVAL) where there is nothing to read."""
        option = self._option(index, Cap.SOFT_DETECT)
        return self._values[option.name] if index else len(self._facts) + 1

    def set(self, index: int, value: Value | None) -> tuple[Value, Info]:
        """Set option `index`, and say to what and with what consequence.

        Raises StatusError(INVAL) where the option cannot be set or the value is none of the list.
        """
        option = self._option(index, Cap.SOFT_SELECT)
        if value is None:
            raise StatusError(Status.INVAL)
        if option.type is ValueType.BUTTON:
            return value, Info.NONE
        granted = constrained(option, value)
        return granted, self._put(option, granted) | (Info.INEXACT if _differ(granted, value) else Info.NONE)

    def set_auto(self, index: int) -> Info:
        """Set option `index` to what suits the page; raises StatusError(UNSUPPORTED) where it knows none."""
        option = self._option(index, Cap.SOFT_SELECT)
        if not option.cap & Cap.AUTOMATIC or not isinstance(option.constraint, Range):
            raise StatusError(Status.UNSUPPORTED)
        return self._put(
            option, option.constraint.max if option.name.startswith("br-") else option.constraint.min
        )

    def _put(self, option: OptionDescriptor, value: Value) -> Info:
        before = self.descriptors(), {**self._values, option.name: value}
        self._values[option.name] = value
        self._bound()
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
        most = self._most(fact)
        if most is not None and isinstance(option.constraint, Range):
            return replace(option, cap=cap, constraint=replace(option.constraint, max=most))
        return replace(option, cap=cap)

    def _active(self, fact: Fact) -> bool:
        if fact.active_when is None:
            return not fact.descriptor.cap & Cap.INACTIVE
        return all(self._values[name] in values for name, values in fact.active_when.items())

    def _most(self, fact: Fact) -> float | None:
        """The bound of an option, if it has one now."""
        for bound in self._facts:
            if bound.descriptor.name == fact.bounded_by and self._active(bound):
                return float(self._values[fact.bounded_by])
        return None

    def _bound(self) -> None:
        for fact in self._facts:
            name, most = fact.descriptor.name, self._most(fact)
            if most is not None:
                self._values[name] = min(float(self._values[name]), most)


def constrained(option: OptionDescriptor, value: Value) -> Value:
    """What a driver makes of `value`; raises StatusError(INVAL) where it makes nothing of it."""
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


def _differ(granted: Value, asked: Value) -> bool:
    if isinstance(granted, str) or isinstance(asked, str):
        return granted != asked
    return abs(granted - asked) > _ONE
