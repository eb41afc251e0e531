"""Whatever options a driver has: the plan ends, in what was asked for or in a refusal."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given
from hypothesis import settings as thorough
from hypothesis import strategies as st

from scand.errors import BadData
from scand.faults import ErrorCode
from scand.feeder.options import (
    DeviceOption,
    Negotiated,
    OptionType,
    Range,
)
from scand.jobs.settings import Settings, resolve
from scand.sane_words import ORDER
from scand.simulator.standard import StatusError
from tests.support.devices.scanners import Scanner

names = st.sampled_from([*ORDER, "adf_mode", "ScanMode", "swcrop", "gamma-table"])


values = st.sampled_from(
    [
        "ADF",
        "ADF Duplex",
        "ADF Front",
        "Flatbed",
        "Duplex",
        "Simplex",
        "Color",
        "Gray",
        "Lineart",
        "single",
        "continuous",
    ]
)


@st.composite
def any_option(draw: st.DrawFn, name: str) -> DeviceOption:
    """An option of any shape, under a name that matters."""
    kind = draw(st.sampled_from([OptionType.BOOL, OptionType.STRING, OptionType.INT, OptionType.FIXED]))
    constraint: Any = None
    value: Any = draw(st.booleans())
    if kind is OptionType.STRING:
        constraint = tuple(draw(st.lists(values, min_size=1, max_size=4, unique=True)))
        value = draw(st.sampled_from(constraint))
    elif kind is not OptionType.BOOL:
        low, high = sorted(draw(st.tuples(st.integers(0, 400), st.integers(0, 400))))
        constraint = Range(low, high, draw(st.sampled_from([0, 1, 7])))
        value = low
    active, settable, readable = (draw(st.booleans() | st.just(True)) for _ in range(3))
    value = value if active and readable else None
    return DeviceOption(name, kind, constraint=constraint, active=active, settable=settable, value=value)


def outcome(scanner: Scanner, settings: Settings) -> Negotiated | BadData | StatusError:
    """The result of settings as a value; a bool named resolution is refused by the driver itself."""
    try:
        return scanner.apply(settings)[1]
    except (BadData, StatusError) as error:
        return error


@thorough(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_any_device_ends_in_what_was_asked_or_in_a_refusal(data: st.DataObject) -> None:
    """However odd a driver is, the plan ends, and sides are as asked for, or it is refused with a sentence."""
    chosen = data.draw(st.lists(names, max_size=8, unique=True))
    options = {name: data.draw(any_option(name)) for name in chosen}
    sides = data.draw(st.sampled_from(["duplex", "simplex"]))
    scanner = Scanner.of(*options.values(), stuck=data.draw(st.lists(names, max_size=2)))
    found = outcome(scanner, resolve({"sides": sides}, {}))
    if isinstance(found, Negotiated):
        assert found.duplex is (sides == "duplex")
        assert found.resolution > 0
    elif isinstance(found, BadData):
        assert found.code is ErrorCode.UNSUPPORTED_SETTINGS
        assert found.sentence.isprintable()
