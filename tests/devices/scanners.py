"""Scanners as their drivers state them (tests/devices/scanners.json), held in memory and set for real."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scand.options import (
    Applied,
    DeviceOption,
    Negotiated,
    OptionType,
    Range,
    Unit,
    negotiated,
    next_assignment,
)

if TYPE_CHECKING:
    from collections.abc import Collection

    from scand.settings import Settings

FACTS: dict[str, dict[str, Any]] = {
    entry["name"]: entry for entry in json.loads((Path(__file__).parent / "scanners.json").read_text())
}
"""Every device of the file, by its name."""

_BOUNDED_BY = {
    "br-x": ("page-width", "pagewidth"),
    "br-y": ("page-height", "pageheight"),
    "tl-x": ("page-width", "pagewidth"),
    "tl-y": ("page-height", "pageheight"),
}
"""fujitsu, canon_dr: the area cannot leave the page, whose length reloads its range."""

_WAKES = {
    ("source", "Automatic Document Feeder"): ("adf-mode",),
    ("source", "ADF Duplex"): ("page-width", "page-height"),
}
"""epson2, fujitsu: options that are inactive until the source is set."""


def from_facts(entry: dict[str, Any]) -> dict[str, DeviceOption]:
    """The options of one entry, in the driver's order."""
    return {fact["name"]: _option(fact) for fact in entry["options"]}


def _option(fact: dict[str, Any]) -> DeviceOption:
    constraint = Range(*fact["range"]) if "range" in fact else None
    return DeviceOption(
        name=fact["name"],
        type=OptionType(fact["type"]),
        unit={unit.value: unit for unit in Unit}.get(fact.get("unit", ""), Unit.NONE),
        constraint=tuple(fact["list"]) if "list" in fact else constraint,
        active=not fact.get("inactive", False),
        settable=not fact.get("read_only", False) and not fact.get("hardware", False),
        value=fact.get("value"),
    )


class Scanner:
    """An option table that is set as drivers do it: rounded to their steps, and reloaded.

    Attributes:
        options: as they are now.
        stuck: options that accept everything and change nothing.
        bounded: the area cannot leave the page.
    """

    def __init__(
        self, options: dict[str, DeviceOption], *, stuck: Collection[str] = (), bounded: bool = False
    ) -> None:
        self.options = options
        self.stuck = stuck
        self.bounded = bounded

    @classmethod
    def named(cls, name: str, *, stuck: Collection[str] = ()) -> Scanner:
        """The device of the file that goes by this name."""
        driver = FACTS[name]["device"]
        bounded = any(one in driver for one in ("fujitsu", "epjitsu", "canon_dr"))
        return cls(from_facts(FACTS[name]), stuck=stuck, bounded=bounded)

    def set(self, name: str, value: Any) -> None:
        """Set one option; asserts what a driver would refuse."""
        option = self.options[name]
        assert option.usable, f"{name} cannot be set"
        if isinstance(option.constraint, tuple):
            assert value in option.constraint, f"{name} cannot be {value}"
        if isinstance(option.constraint, Range):
            assert option.constraint.min <= value <= option.constraint.max, f"{name} cannot be {value}"
            if option.constraint.step:
                steps = round((value - option.constraint.min) / option.constraint.step)
                value = option.constraint.min + steps * option.constraint.step
        if name not in self.stuck:
            self.options[name] = replace(option, value=value)
        self._reload(name, value)

    def _reload(self, name: str, value: Any) -> None:
        for bounded, pages in _BOUNDED_BY.items() if self.bounded else ():
            option = self.options.get(bounded)
            if option is not None and name in pages and isinstance(option.constraint, Range):
                limit = replace(option.constraint, max=value)
                self.options[bounded] = replace(option, constraint=limit, value=min(option.value, value))
        for woken in _WAKES.get((name, value), ()):
            if woken in self.options:
                self.options[woken] = replace(self.options[woken], active=True)

    def apply(self, settings: Settings) -> tuple[list[tuple[str, Any]], Negotiated]:
        """Set all that is planned, one at a time, as the feeder does."""
        applied: list[Applied] = []
        while (assignment := next_assignment(self.options, settings, applied)) is not None:
            self.set(assignment.name, assignment.value)
            read_back = self.options[assignment.name].value
            applied.append(Applied(assignment.name, assignment.value, read_back))
            assert len(applied) < 60, "the plan does not end"
        return [(one.name, one.asked) for one in applied], negotiated(self.options, settings, applied)
