"""The client's own options."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from scand.feeder.options import (
    DeviceOption,
    OptionType,
    Range,
)
from scand.jobs.settings import Settings, resolve
from tests.support.devices.scanners import Scanner
from tests.unit.feeder.options.builders import (
    MODE,
    RESOLUTION,
    device,
    option,
    refusal,
)

FUJITSU = "Fujitsu fi-7260, source ADF Front"


def client_options(*options: tuple[str, Any], **raw: Any) -> Settings:
    """Settings with the client's own options, in order."""
    return resolve({"sides": "simplex", "options": [list(pair) for pair in options], **raw}, {})


def test_the_clients_options_come_last_in_the_order_given() -> None:
    """The client's options follow all others, in the client's order; one that has its value is skipped."""
    settings = client_options(
        ("swskip", 5.0), ("threshold", 0), ("buffermode", "On"), ("mode", "Halftone"), ("page-width", 100)
    )
    found, negotiation = Scanner.named(FUJITSU).apply(settings)
    assert found[-4:] == [("swskip", 5.0), ("buffermode", "On"), ("mode", "Halftone"), ("page-width", 100)]
    assert found[0] == ("mode", "Color")
    assert negotiation.mode == "Halftone"


def test_the_clients_options_are_not_undone() -> None:
    """An option that the client names keeps the client's value, even when nothing else is set."""
    scanner = device(option("source", "ADF", value="ADF"), replace(MODE, value="Color"), RESOLUTION)
    found, negotiation = scanner.apply(client_options(("mode", "Gray"), ("resolution", 150.0), resolution=75))
    assert found == [("mode", "Gray"), ("resolution", 150)]
    assert (negotiation.mode, negotiation.resolution) == ("Gray", 150)


def test_the_clients_options_cannot_take_a_side_away() -> None:
    """A source that the client names is accepted, except that both sides stay both sides."""
    assert Scanner.named(FUJITSU).apply(client_options(("source", "ADF Back")))[1].source == "ADF Back"
    settings = client_options(("source", "ADF Front"), sides="duplex")
    assert "one side after all" in refusal(Scanner.named(FUJITSU), settings).sentence


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("swcrp", True, 'this scanner has no "swcrp" (did you mean "swcrop"?)'),
        ("df-skew", True, "df-skew is not active"),
        ("page-loaded", True, "page-loaded cannot be set"),
        ("swcrop", 1, "swcrop cannot be 1; swcrop offers false, true"),
        ("swcrop", "yes", 'swcrop cannot be "yes"'),
        ("buffermode", "Maybe", 'buffermode cannot be "Maybe"; buffermode offers "Default", "Off", "On"'),
        ("buffermode", True, "buffermode cannot be true"),
        ("threshold", 256, "threshold cannot be 256; threshold offers 0 to 255"),
        ("threshold", 1.5, "threshold cannot be 1.5"),
        ("threshold", "120", 'threshold cannot be "120"'),
    ],
)
def test_the_clients_options_are_checked(name: str, value: Any, said: str) -> None:
    """A name or value that the device does not have is refused before python-sane sees it."""
    assert said in refusal(Scanner.named(FUJITSU), client_options((name, value))).sentence


def test_arrays_and_buttons_are_refused() -> None:
    """python-sane would set one word of a gamma table, and garbage for the rest."""
    gamma = DeviceOption("gamma-table", OptionType.INT, constraint=Range(0, 255), size=1024)
    button = DeviceOption("calibrate", OptionType.BUTTON)
    for name in ("gamma-table", "calibrate"):
        scanner = device(option("source", "ADF", value="ADF"), MODE, gamma, button)
        assert f"{name} cannot be set" in refusal(scanner, client_options((name, 1))).sentence


def test_a_value_that_the_driver_changed_is_a_warning() -> None:
    """A value that the driver rounds by more than its step is a warning."""
    odd = DeviceOption("angle", OptionType.FIXED, constraint=Range(0, 90, 7), value=0.0)
    negotiation = device(option("source", "ADF", value="ADF"), MODE, odd).apply(
        client_options(("angle", 30))
    )[1]
    assert "angle: asked 30, the scanner made it 28" in negotiation.warnings
