"""Real scanners' options, device by device: what is set, in which order, and what is refused."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from scand.errors import BadData
from scand.feeder.options import (
    Applied,
    negotiated,
    next_assignment,
)
from scand.jobs.settings import Settings, resolve
from scand.sane_words import ORDER, SourceKind, plain, source_kind
from tests.support.devices.outcomes import OUTCOMES, Outcome
from tests.support.devices.scanners import FACTS, Scanner, from_facts
from tests.unit.feeder.options.builders import (
    DUPLEX,
    SIMPLEX,
    refusal,
)


def near(found: list[tuple[str, Any]]) -> Outcome:
    """The assignments, with lengths rounded to a hundredth of a millimetre."""
    return [(name, round(value, 2) if isinstance(value, float) else value) for name, value in found]


def test_every_device_of_the_file_is_in_the_table() -> None:
    """Every device in the file has its outcomes in the table, in the same order."""
    assert list(OUTCOMES) == list(FACTS)


@pytest.mark.parametrize("name", OUTCOMES)
@pytest.mark.parametrize(("settings", "which"), [(DUPLEX, 0), (SIMPLEX, 1)], ids=["duplex", "simplex"])
def test_a_device_becomes_what_the_table_says(name: str, settings: Settings, which: int) -> None:
    """For each device: the exact assignments or the refusal, for both sides and for one."""
    outcome = OUTCOMES[name][which]
    scanner = Scanner.named(name)
    if isinstance(outcome, str):
        assert refusal(scanner, settings).sentence.startswith(outcome)
        return
    found, negotiation = scanner.apply(settings)
    assert near(found) == outcome
    assert negotiation.duplex is (settings.sides == "duplex")


@pytest.mark.parametrize("name", [name for name in OUTCOMES if isinstance(OUTCOMES[name][0], list)])
def test_a_device_that_is_set_as_asked_is_left_alone(name: str) -> None:
    """Asking for the same again sets nothing: setting an option to the value that it has can fail."""
    scanner = Scanner.named(name)
    scanner.apply(DUPLEX)
    assert scanner.apply(DUPLEX)[0] == []


@pytest.mark.parametrize("name", FACTS)
@pytest.mark.parametrize("raw", [{}, {"sides": "simplex"}, {"sides": "manual-duplex"}, {"source": "flatbed"}])
def test_sides_are_never_other_than_asked(name: str, raw: dict[str, Any]) -> None:
    """Every device scans both sides when both are asked for and one when one is, or it is refused."""
    settings = resolve(raw, {})
    scanner = Scanner.named(name)
    try:
        _, negotiation = scanner.apply(settings)
    except BadData as error:
        assert error.sentence.endswith(".")  # noqa: PT017 - either is right here
        return
    assert negotiation.duplex is (settings.sides == "duplex")
    assert negotiation.sides == settings.sides
    assert source_kind(negotiation.source or "") is not SourceKind.BACK


@pytest.mark.parametrize("name", [name for name in OUTCOMES if isinstance(OUTCOMES[name][1], list)])
def test_options_are_set_in_the_order_that_drivers_need(name: str) -> None:
    """Source, mode, duplex, resolution, page, area: whatever order the driver has its options in."""
    scanner = Scanner.named(name)
    ranks = [ORDER.index(plain(assigned)) for assigned, _ in scanner.apply(SIMPLEX)[0]]
    assert ranks == sorted(set(ranks))


def test_each_option_is_planned_once() -> None:
    """A driver that never keeps a value is told it only once."""
    options = from_facts(FACTS["Fujitsu fi-7260, source ADF Front"])
    applied: list[Applied] = []
    while (assignment := next_assignment(options, SIMPLEX, applied)) is not None:
        applied.append(Applied(assignment.name, assignment.value, None))
    planned = [one.name for one in applied]
    assert len(planned) == len(set(planned))


def test_what_is_read_back_is_what_is_negotiated() -> None:
    """The result has the driver's own words, not what was asked for."""
    options = from_facts(FACTS["Brother MFC-8860DN"])
    options["source"] = replace(options["source"], value="Automatic Document Feeder(Duplex)")
    negotiation = negotiated(options, resolve({}, {}), [])
    assert negotiation.duplex
    assert (negotiation.source, negotiation.mode) == ("Automatic Document Feeder(Duplex)", "24bit Color")
    assert math.isclose(negotiation.resolution, 200)
