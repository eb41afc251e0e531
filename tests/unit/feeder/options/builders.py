"""Scanners made of a few options, and settings for them."""

from __future__ import annotations

from typing import Any

import pytest

from scand.errors import BadData
from scand.faults import ErrorCode
from scand.feeder.options import (
    DeviceOption,
    OptionType,
    Range,
    Unit,
)
from scand.jobs.settings import Settings, resolve
from tests.support.devices.scanners import Scanner

DUPLEX = resolve({}, {})
SIMPLEX = resolve({"sides": "simplex", "mode": "gray", "resolution": 200}, {})
SIMPLEX_COLOR = resolve({"sides": "simplex"}, {})
FLATBED = resolve({"source": "flatbed"}, {})


def option(name: str, *choices: Any, value: Any = False, **more: Any) -> DeviceOption:
    """An option with a list of choices, or a bool without any."""
    kind = OptionType.STRING if choices else OptionType.BOOL
    return DeviceOption(name, more.pop("type", kind), constraint=choices or None, value=value, **more)


def length(name: str, most: float, value: float, step: float = 0.0) -> DeviceOption:
    """A length in mm from 0 to `most`."""
    return DeviceOption(name, OptionType.FIXED, Unit.MM, Range(0.0, most, step), value=value)


MODE = option("mode", "Lineart", "Gray", "Color", value="Lineart")
RESOLUTION = DeviceOption("resolution", OptionType.INT, Unit.DPI, Range(75, 600, 1), value=75)
AREA = (length("tl-x", 216, 0), length("tl-y", 356, 0), length("br-x", 216, 216), length("br-y", 356, 356))


def device(*options: DeviceOption, stuck: tuple[str, ...] = ()) -> Scanner:
    """A scanner of the given options, in that order."""
    return Scanner.of(*options, stuck=stuck)


def refusal(scanner: Scanner, settings: Settings) -> BadData:
    """The refusal of settings that the scanner cannot do."""
    with pytest.raises(BadData) as caught:
        scanner.apply(settings)
    assert caught.value.code is ErrorCode.UNSUPPORTED_SETTINGS
    return caught.value
