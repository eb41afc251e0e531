"""Scanners as their drivers describe them (scanners.json), in the simulator's option table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scand.feeder.options import (
    Applied,
    DeviceOption,
    Negotiated,
    OptionType,
    Range,
    Unit,
    negotiated,
    next_assignment,
)
from scand.simulator import standard
from scand.simulator.facts import Fact, parse_facts
from scand.simulator.options import Options

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from scand.jobs.settings import Settings

FILE = Path(__file__).with_name("scanners.json")
FACTS: dict[str, dict[str, Any]] = {entry["name"]: entry for entry in json.loads(FILE.read_bytes())}
"""Every device of the file, by its name."""


def from_facts(entry: dict[str, Any]) -> dict[str, DeviceOption]:
    """The options of an entry of the file, in the driver's order."""
    return _seen(Options(parse_facts(entry).options))


def _seen(table: Options) -> dict[str, DeviceOption]:
    """The options as the feeder gets them through libsane."""
    return {
        option.name: DeviceOption(
            name=option.name,
            type=OptionType[option.type.name],
            unit=Unit[option.unit.name] if option.unit.name in Unit.__members__ else Unit.NONE,
            constraint=_constraint(option.constraint),
            size=option.size,
            active=not option.cap & standard.Cap.INACTIVE,
            settable=bool(option.cap & standard.Cap.SOFT_SELECT),
            value=_value(table, index, option),
        )
        for index, option in enumerate(table.descriptors())
        if option.name
    }


def _constraint(constraint: standard.Range | tuple[Any, ...] | None) -> Range | tuple[Any, ...] | None:
    if isinstance(constraint, standard.Range):
        return Range(constraint.min, constraint.max, constraint.quant)
    return constraint


def _value(table: Options, index: int, option: standard.OptionDescriptor) -> Any:
    try:
        value = table.get(index)
    except standard.StatusError:
        return None
    return bool(value) if option.type is standard.ValueType.BOOL else value


def _fact(option: DeviceOption) -> Fact:
    """A test's own option, for the simulator."""
    cap = standard.Cap(0) if option.active else standard.Cap.INACTIVE
    cap |= standard.Cap.SOFT_SELECT if option.settable else standard.Cap(0)
    cap |= standard.Cap.SOFT_DETECT if option.value is not None else standard.Cap(0)
    constraint: standard.Range | tuple[Any, ...] | None
    match option.constraint:
        case Range(min=low, max=high, step=step):
            constraint = standard.Range(low, high, step)
        case listed:
            constraint = listed
    unit, type_ = standard.Unit[option.unit.name], standard.ValueType[option.type.name]
    descriptor = standard.OptionDescriptor(
        option.name, option.name, "", type_, unit, option.size, cap, constraint
    )
    return Fact(descriptor, option.value)


class Scanner:
    """An option table that is set as the feeder sets it, without libsane in between.

    Args:
        facts: its options.

    Attributes:
        table: the simulator's.
        stuck: options that accept every value and never change.
    """

    def __init__(self, facts: Iterable[Fact], *, stuck: Collection[str] = ()) -> None:
        self.table = Options(tuple(facts))
        self.stuck = stuck

    @classmethod
    def named(cls, name: str) -> Scanner:
        """The device of the file with this name."""
        return cls(parse_facts(FACTS[name]).options)

    @classmethod
    def of(cls, *options: DeviceOption, stuck: Collection[str] = ()) -> Scanner:
        """A device with these options."""
        return cls(map(_fact, options), stuck=stuck)

    @property
    def options(self) -> dict[str, DeviceOption]:
        """The options as they are now."""
        return _seen(self.table)

    def set(self, name: str, value: Any) -> None:
        """Set one option, and fail on a value that a driver would refuse or change."""
        option = self.options[name]
        assert option.usable, f"{name} cannot be set"
        if isinstance(option.constraint, tuple):
            assert value in option.constraint, f"{name} cannot be {value}"
        if isinstance(option.constraint, Range):
            assert option.constraint.min <= value <= option.constraint.max, f"{name} cannot be {value}"
        if name not in self.stuck:
            self.table.set([each.name for each in self.table.descriptors()].index(name), value)

    def apply(self, settings: Settings) -> tuple[list[tuple[str, Any]], Negotiated]:
        """Set everything that the feeder plans, one option at a time.

        Returns:
            The options that were set, in order, and what was negotiated.
        """
        applied: list[Applied] = []
        while (assignment := next_assignment(self.options, settings, applied)) is not None:
            self.set(assignment.name, assignment.value)
            read_back = self.options[assignment.name].value
            applied.append(Applied(assignment.name, assignment.value, read_back))
            assert len(applied) < 60, "the plan does not end"
        return [(one.name, one.asked) for one in applied], negotiated(self.options, settings, applied)
