"""The simulator's option table: what a facts file says, what follows from it, and what is then scanned."""

import json
from pathlib import Path
from typing import Any

import pytest

from scand.jobs.settings import resolve
from scand.simulator import request
from scand.simulator.facts import DEFAULT, Facts, parse_facts, read_facts
from scand.simulator.options import Options
from scand.simulator.standard import Cap, Info, OptionDescriptor, Range, Status, StatusError, Value
from tests.support.devices.outcomes import OUTCOMES
from tests.support.devices.scanners import FACTS, FILE, Scanner

RELOADED = Info.RELOAD_PARAMS | Info.RELOAD_OPTIONS
SOURCE = {"name": "source", "type": "string", "list": ["Flatbed", "ADF"], "value": "Flatbed"}
PAGE = {"name": "page-height", "type": "fixed", "range": [0, 356, 0], "unit": "mm", "value": 279}
LENGTH = {"name": "br-y", "type": "fixed", "range": [0, 297, 0], "unit": "mm", "value": 297}


class Table:
    """The option table of a device, by the names of the options."""

    def __init__(self, *options: dict[str, Any]) -> None:
        facts = parse_facts({"name": "Acme 1", "device": "acme:0", "options": options})
        self.options = Options(facts.options)

    def index(self, name: str) -> int:
        """The index of an option."""
        return [option.name for option in self.options.descriptors()].index(name)

    def __getitem__(self, name: str) -> OptionDescriptor:
        return self.options.descriptors()[self.index(name)]

    def get(self, name: str) -> Value:
        """The value of an option."""
        return self.options.get(self.index(name))

    def set(self, name: str, value: Value) -> tuple[Value, Info]:
        """Set an option; the value that it has now, and what else changed."""
        return self.options.set(self.index(name), value)

    def active(self, name: str) -> bool:
        """Whether an option is active."""
        return not self[name].cap & Cap.INACTIVE


def refused(table: Table, name: str, value: Value) -> Status:
    """The status with which a value is refused."""
    with pytest.raises(StatusError) as caught:
        table.set(name, value)
    return caught.value.status


@pytest.mark.parametrize(
    ("constraint", "asked", "granted", "info"),
    [
        ({"type": "int", "range": [100, 600, 10]}, 300, 300, Info.NONE),
        ({"type": "int", "range": [100, 600, 10]}, 304, 300, Info.INEXACT),
        ({"type": "int", "range": [100, 600, 7]}, 9999, 597, Info.INEXACT),
        ({"type": "int", "range": [100, 600, 0]}, 50, 100, Info.INEXACT),
        ({"type": "fixed", "range": [0, 300, 0.5]}, 210.3, 210.5, Info.INEXACT),
        ({"type": "fixed", "range": [0, 300, 0]}, 210.3, 210.3, Info.NONE),
        ({"type": "int", "list": [75, 150, 300]}, 200, 150, Info.INEXACT),
        ({"type": "int", "list": [75, 150, 300]}, 300, 300, Info.NONE),
        ({"type": "string", "list": ["150dpi", "300dpi"]}, "300dpi", "300dpi", Info.NONE),
        ({"type": "string"}, "anything", "anything", Info.NONE),
        ({"type": "int"}, 7, 7, Info.NONE),
        ({"type": "bool"}, 1, True, Info.NONE),
    ],
)
def test_a_value_is_made_to_fit(constraint: dict[str, Any], asked: Value, granted: Value, info: Info) -> None:
    """A value is clamped to the range and rounded to the nearest step or number, which is reported as INEXACT."""
    table = Table({"name": "x", **constraint})
    assert table.set("x", asked) == (granted, info | Info.RELOAD_PARAMS)
    assert table.get("x") == granted


@pytest.mark.parametrize(
    ("fact", "value"),
    [
        ({"type": "string", "list": ["Gray", "Color"]}, "Sepia"),
        ({"type": "string", "list": ["Gray", "Color"]}, 1),
        ({"type": "int"}, "1"),
        ({"type": "bool"}, 2),
        ({"type": "bool", "read_only": True}, 1),
        ({"type": "bool", "hardware": True}, 1),
        ({"type": "bool", "inactive": True}, 1),
        ({"type": "group"}, 1),
    ],
)
def test_what_does_not_fit_at_all_is_refused(fact: dict[str, Any], value: Value) -> None:
    """A value that is not in the list or of another type, a sensor, an inactive option and a group are INVAL."""
    assert refused(Table({"name": "x", **fact}), "x", value) is Status.INVAL


def test_options_that_cannot_be_read() -> None:
    """A button and a write-only option can be set but not read."""
    table = Table({"name": "eject", "type": "button"}, {"name": "secret", "type": "int", "write_only": True})
    for name in ("eject", "secret"):
        table.set(name, 1)
        with pytest.raises(StatusError):
            table.get(name)


def test_the_page_bounds_the_area() -> None:
    """By its name alone, br-y is limited to the page and shrinks with it, unless bounded_by is null."""
    table = Table(PAGE, LENGTH)
    assert (table["br-y"].constraint, table.get("br-y")) == (Range(0, 279, 0), 279)
    assert table.set("br-y", 297.0) == (279, Info.RELOAD_PARAMS | Info.INEXACT)
    assert table.set("page-height", 297.0) == (297, RELOADED)
    assert table.set("br-y", 297.0) == (297, Info.RELOAD_PARAMS)
    assert table.set("page-height", 100.0) == (100, RELOADED)
    assert table.get("br-y") == 100
    assert Table(PAGE, {**LENGTH, "bounded_by": None}).get("br-y") == 297


def test_a_feeder_source_activates_the_page_size() -> None:
    """An inactive page size becomes active with the feeder, and then limits br-y; other options stay inactive."""
    inactive = {"name": "duplex", "type": "bool", "inactive": True}
    table = Table(SOURCE, {**PAGE, "inactive": True}, LENGTH, inactive)
    assert (table.active("page-height"), table.get("br-y")) == (False, 297)
    assert table.set("source", "ADF") == ("ADF", RELOADED)
    assert (table.active("page-height"), table.get("br-y"), table.active("duplex")) == (True, 279, False)
    table.set("source", "Flatbed")
    assert refused(table, "page-height", 200.0) is Status.INVAL


def test_a_facts_file_may_say_when_an_option_is_active() -> None:
    """active_when names the options, and their values, with which an option is active."""
    table = Table(SOURCE, {"name": "duplex", "type": "bool", "active_when": {"source": ["ADF"]}})
    assert not table.active("duplex")
    table.set("source", "ADF")
    assert table.set("duplex", 1) == (True, Info.RELOAD_PARAMS)


def test_the_plain_format_is_enough() -> None:
    """Without bounded_by and active_when, a fujitsu accepts the same settings."""
    quirks = {"bounded_by", "active_when"}
    for name in ("Fujitsu fi-7260, source ADF Front", "Fujitsu fi-7260, source Flatbed", "Canon P-215"):
        options = [
            {key: value for key, value in option.items() if key not in quirks}
            for option in FACTS[name]["options"]
        ]
        scanner = Scanner(parse_facts({**FACTS[name], "options": options}).options)
        found = [option for option, _ in scanner.apply(resolve({"mode": "color", "resolution": 300}, {}))[0]]
        outcome = OUTCOMES[name][0]
        assert isinstance(outcome, list)
        assert found == [option for option, _ in outcome]


@pytest.mark.parametrize("name", [name for name in OUTCOMES if isinstance(OUTCOMES[name][0], list)])
def test_a_posed_device_scans_what_is_asked(name: str) -> None:
    """A device that was set for duplex, colour, 300 dpi and A4 scans that, and then simplex in gray likewise."""
    scanner = Scanner.named(name)
    for asked, sides, mode in (("duplex", ("front", "back"), "Color"), ("simplex", ("front",), "Gray")):
        scanner.apply(resolve({"sides": asked, "mode": mode.lower(), "resolution": 300}, {}))
        area = request.area(scanner.table)
        assert request.sides(scanner.table) == sides
        assert (area.mode, area.resolution, area.left, area.top) == (mode, 300, 0, 0)
        assert [area.width, area.height] == pytest.approx([2480, 3508], abs=3)


@pytest.mark.parametrize(
    ("options", "sides"),
    [
        ([SOURCE], ()),
        ([{**SOURCE, "inactive": True}], ()),
        ([{**SOURCE, "value": "ADF"}], ("front",)),
        ([{**SOURCE, "list": ["ADF Back"], "value": "ADF Back"}], ("back",)),
        ([{**SOURCE, "value": "ADF"}, {"name": "duplex", "type": "bool", "value": True}], ("front", "back")),
        ([SOURCE, {"name": "duplex", "type": "bool", "value": True}], ()),
        ([{"name": "duplex", "type": "bool", "value": False}], ("front",)),
        ([], ()),
    ],
)
def test_which_sides_are_scanned(options: list[dict[str, Any]], sides: tuple[str, ...]) -> None:
    """The glass has no sides; a device without a source has a feeder if it has options that only feeders have."""
    assert request.sides(Table(*options).options) == sides


@pytest.mark.parametrize(
    ("mode", "depth", "drawn"),
    [
        ("24bit Color[Fast]", 8, "Color"),
        ("12bit Gray", 8, "Gray"),
        ("Gray[Error Diffusion]", 8, "Lineart"),
        ("Black & White", 8, "Lineart"),
        ("Gray", 1, "Lineart"),
        ("auto", 8, "Color"),
    ],
)
def test_which_mode_is_drawn(mode: str, depth: int, drawn: str) -> None:
    """Every mode of a driver is drawn in the simulator's nearest mode."""
    table = Table(
        {"name": "mode", "type": "string", "value": mode}, {"name": "depth", "type": "int", "value": depth}
    )
    assert request.area(table.options).mode == drawn


def test_an_empty_area_is_refused() -> None:
    """An area without pixels is INVAL."""
    with pytest.raises(StatusError):
        request.area(Table({**LENGTH, "value": 0}).options)


def test_names_of_a_posed_device() -> None:
    """The SANE name is the one on the device's own host; vendor and model come from the entry's name."""
    facts = read_facts(FILE, "Fujitsu fi-7260, source ADF Front")
    assert (facts.device, facts.vendor, facts.model) == ("fujitsu:fi-7260:1208958", "Fujitsu", "fi-7260")
    facts = read_facts(FILE, "xerox_mfp")
    assert (facts.device, facts.vendor, facts.model) == ("xerox_mfp:libusb:001:003", "xerox_mfp", "xerox_mfp")
    assert read_facts(DEFAULT).device == "sim"


def test_the_source_at_the_start_can_be_chosen() -> None:
    """A device can start with any source that it has, and with no other."""
    facts = read_facts(DEFAULT).starting_from("ADF Duplex")
    assert request.sides(Options(facts.options)) == ("front", "back")
    with pytest.raises(ValueError, match="no source 'Tray'; there are Flatbed, ADF Front"):
        facts.starting_from("Tray")
    with pytest.raises(ValueError, match="no source to choose"):
        Facts("a", "b", "c", ()).starting_from("ADF")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("no JSON", "no facts file"),
        ("{}", "name one of"),
        ('[{"name": "A"}]', "KeyError: 'options'"),
        ('[{"name": "A", "device": "a", "options": [{"name": "x", "type": "gamma"}]}]', "GAMMA"),
        (
            '[{"name": "A", "device": "a", "options": [{"name": "x", "type": "int", "list": ["1"]}]}]',
            "no int",
        ),
        (
            '[{"name": "A", "device": "a", "options": [{"name": "x", "type": "int", "bounded_by": "y"}]}]',
            "x hangs on y, which is no option of A",
        ),
        (json.dumps([{"name": "A"}, {"name": "B"}]), "several devices; name one of: A; B"),
    ],
)
def test_a_bad_file_is_refused(tmp_path: Path, text: str, said: str) -> None:
    """A file that is not a facts file, or has no such device, is refused with a sentence."""
    file = tmp_path / "facts.json"
    file.write_text(text)
    with pytest.raises(ValueError, match=said):
        read_facts(file)
