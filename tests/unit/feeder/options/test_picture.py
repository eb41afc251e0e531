"""Mode, resolution and depth."""

from __future__ import annotations

import math
from typing import Any

import pytest

from scand.feeder.options import (
    DeviceOption,
    OptionType,
    Range,
    Unit,
)
from scand.jobs.settings import resolve
from tests.support.devices.scanners import Scanner
from tests.unit.feeder.options.builders import (
    DUPLEX,
    MODE,
    SIMPLEX_COLOR,
    device,
    option,
    refusal,
)


def test_a_mode_that_is_missing_is_refused_with_what_there_is() -> None:
    """The refusal says which modes the device offers, for people and for programs."""
    error = refusal(
        device(option("source", "ADF", value="ADF"), option("mode", "Lineart", "Gray", value="Gray")),
        SIMPLEX_COLOR,
    )
    assert 'mode offers "Lineart", "Gray": set "mode" to "gray" or "lineart"' in error.sentence
    assert error.offers == {"source": ["ADF"], "mode": ["Lineart", "Gray"]}


def test_lineart_is_gray_of_one_bit_where_there_is_no_other() -> None:
    """The SANE test backend has no Lineart: Gray with a depth of 1 is the same."""
    scanner = Scanner.named("SANE test backend")
    found, negotiation = scanner.apply(resolve({"sides": "simplex", "mode": "lineart"}, {}))
    assert found[-1] == ("depth", 1)
    assert negotiation.mode == "Gray"


@pytest.mark.parametrize(
    ("depths", "value", "mode", "expected"),
    [
        ((1, 8, 16), 16, "color", 8),
        ((8, 16), 16, "lineart", 8),
        ((1, 8), 8, "lineart", 1),
        ((8,), 8, "gray", None),
    ],
)
def test_depth_is_never_16(depths: tuple[int, ...], value: int, mode: str, expected: int | None) -> None:
    """The depth is 8 bits a sample, or 1 for lineart; python-sane reads 16 out of bounds."""
    depth = option("depth", *depths, value=value, type=OptionType.INT)
    found, _ = device(MODE, option("duplex"), depth).apply(resolve({"mode": mode}, {}))
    assert dict(found).get("depth") == expected


def test_a_depth_that_is_16_after_all_is_refused() -> None:
    """Neither the driver nor the client's options can make pages of 16 bits."""
    depth = option("depth", 8, 16, value=16, type=OptionType.INT)
    assert (
        "more than 8 bits"
        in refusal(device(MODE, option("duplex"), depth, stuck=("depth",)), DUPLEX).sentence
    )
    asked = resolve({"options": {"depth": 16}}, {})
    assert "more than 8 bits" in refusal(device(MODE, option("duplex"), depth), asked).sentence


@pytest.mark.parametrize(
    ("constraint", "asked", "got"),
    [
        ((75, 300, 600), 300, 300),
        ((75, 300, 600), 200, 300),
        ((75, 300, 600), 1200, 600),
        (Range(100, 600, 10), 205, 210),
        (Range(100, 600, 0), 205, 205),
        (Range(100, 600, 7), 600, 597),
        (Range(100, 600, 1), 50, 100),
        (Range(50, 600, 1), 2400, 600),
    ],
)
def test_the_nearest_resolution_at_or_above(constraint: Any, asked: int, got: int) -> None:
    """A resolution that the device lacks becomes the next higher one, or its highest, with a warning."""
    resolution = DeviceOption("resolution", OptionType.INT, Unit.DPI, constraint, value=0)
    _, negotiation = device(MODE, option("duplex"), resolution).apply(resolve({"resolution": asked}, {}))
    assert negotiation.resolution == got
    said = [warning for warning in negotiation.warnings if warning.startswith("resolution")]
    assert said == ([f"resolution: asked {asked} dpi, the scanner does {got} dpi"] if got != asked else [])


def test_a_device_without_mode_and_resolution_gets_warnings() -> None:
    """Where mode and resolution cannot be chosen, a warning says so."""
    warnings = device(option("duplex")).apply(DUPLEX)[1].warnings
    assert [warning.partition(":")[0] for warning in warnings] == ["mode", "resolution"]


def test_a_resolution_of_zero_is_none() -> None:
    """A driver that reads back 0 dpi tells nothing: the resolution asked for is used, with a warning."""
    lost = DeviceOption("resolution", OptionType.INT, settable=False, value=0)
    pixels = DeviceOption("br-x", OptionType.INT, Unit.PIXEL, Range(0, 9000), value=2480)
    negotiation = device(option("source", "ADF", value="ADF"), MODE, lost, pixels).apply(SIMPLEX_COLOR)[1]
    assert negotiation.resolution == 300
    assert math.isclose(negotiation.page_size_mm[0], 210, abs_tol=0.1)
    assert any("taken for 300 dpi" in warning for warning in negotiation.warnings)
