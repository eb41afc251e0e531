"""The size of the page, and the area on it."""

from __future__ import annotations

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
    AREA,
    DUPLEX,
    MODE,
    SIMPLEX,
    device,
    length,
    option,
)


def test_a_page_option_that_becomes_active_with_the_source_is_set() -> None:
    """fujitsu: page-height is inactive on the flatbed, and has to come before br-y all the same."""
    found = [name for name, _ in Scanner.named("Fujitsu fi-7260, source Flatbed").apply(DUPLEX)[0]]
    assert found.index("source") < found.index("page-height") < found.index("br-y")


def test_a_page_that_is_too_large_is_cut_with_a_warning() -> None:
    """A4 on the test backend comes out 200 mm by 200 mm, and the warning says so."""
    negotiation = Scanner.named("SANE test backend").apply(SIMPLEX)[1]
    assert negotiation.page_size_mm == (200.0, 200.0)
    assert negotiation.warnings == ("page_size: asked a4 (210 x 297 mm), the scanner does 200 x 200 mm",)


def test_a_page_option_is_never_set_to_its_own_maximum() -> None:
    """fujitsu and canon_dr refuse a page-height of exactly their maximum; the area may have its own."""
    scanner = device(MODE, option("duplex"), length("page-height", 355.6, 279.4), *AREA)
    found = dict(scanner.apply(resolve({"page_size": "legal"}, {}))[0])
    assert found["page-height"] == pytest.approx(355.5)


def test_max_is_as_large_as_a_ledger_sheet() -> None:
    """The size "max" is the whole width, but no longer than a ledger sheet."""
    page = resolve({"page_size": "max"}, {})
    assert device(MODE, option("duplex"), *AREA).apply(page)[1].page_size_mm == (216.0, 356.0)
    long = Scanner.named("Fujitsu fi-7260, source ADF Front").apply(page)[1]
    assert long.page_size_mm == pytest.approx((224.75, 431.8), abs=0.05)
    assert not long.warnings
    asked = resolve({"page_size": "216x2000mm"}, {})
    assert Scanner.named("Fujitsu fi-7260, source ADF Front").apply(asked)[1].page_size_mm[1] > 1999


def test_a_device_without_geometry_delivers_the_page_asked_for() -> None:
    """Without any geometry the page has the size asked for; that of "max" is then unknown."""
    assert device(MODE, option("duplex")).apply(DUPLEX)[1].page_size_mm == (210.0, 297.0)
    page = resolve({"page_size": "max"}, {})
    assert device(MODE, option("duplex")).apply(page)[1].page_size_mm == (0.0, 0.0)


def test_an_area_that_begins_elsewhere_is_moved_to_the_corner() -> None:
    """An area left over from a preview is reset before its other corner is set."""
    moved = (length("tl-x", 216, 50), length("tl-y", 356, 60), *AREA[2:])
    found = device(MODE, option("duplex"), *moved).apply(DUPLEX)[0]
    assert found[-4:] == [("tl-x", 0), ("tl-y", 0), ("br-x", 210), ("br-y", 297)]


def test_a_corner_that_is_no_number_is_taken_for_none() -> None:
    """A driver that says in words where the area begins does no harm."""
    corner = option("tl-x", "left", "centre", value="left")
    right = DeviceOption("br-x", OptionType.INT, Unit.MM, Range(0, 216), value=216)
    assert device(MODE, option("duplex"), corner, right).apply(DUPLEX)[0][-1] == ("br-x", 210)
