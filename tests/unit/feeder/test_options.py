"""Real scanners' options: what is set, in which order, and what is refused."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as thorough
from hypothesis import strategies as st

from scand.errors import BadData
from scand.faults import ErrorCode
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
from scand.jobs.settings import Settings, resolve
from scand.sane_words import ORDER, SourceKind, mode_kind, plain, side_kind, source_kind, turns_over
from scand.simulator.standard import StatusError
from tests.support.devices.outcomes import OUTCOMES, Outcome
from tests.support.devices.scanners import FACTS, Scanner, from_facts

DUPLEX = resolve({}, {})
SIMPLEX = resolve({"sides": "simplex", "mode": "gray", "resolution": 200}, {})
FLATBED = resolve({"source": "flatbed"}, {})


def option(name: str, *choices: Any, value: Any = False, **more: Any) -> DeviceOption:
    """A list option, or a bool without choices."""
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


def near(found: list[tuple[str, Any]]) -> Outcome:
    """Assignments with lengths to a hundredth of a millimetre."""
    return [(name, round(value, 2) if isinstance(value, float) else value) for name, value in found]


def test_every_device_of_the_file_has_its_outcomes() -> None:
    """No device is in the file without being told of in the table."""
    assert list(OUTCOMES) == list(FACTS)


@pytest.mark.parametrize("name", OUTCOMES)
@pytest.mark.parametrize(("settings", "which"), [(DUPLEX, 0), (SIMPLEX, 1)], ids=["duplex", "simplex"])
def test_a_device_becomes_what_the_table_says(name: str, settings: Settings, which: int) -> None:
    """Device by device: the exact assignments, or the refusal, for both sides and for one."""
    outcome = OUTCOMES[name][which]
    scanner = Scanner.named(name)
    if isinstance(outcome, str):
        assert refusal(scanner, settings).sentence.startswith(outcome)
        return
    found, negotiation = scanner.apply(settings)
    assert near(found) == outcome
    assert negotiation.duplex is (settings.sides == "duplex")


@pytest.mark.parametrize("name", [name for name in OUTCOMES if isinstance(OUTCOMES[name][0], list)])
def test_a_device_that_is_as_asked_is_left_alone(name: str) -> None:
    """Asking for the same again sets nothing: an option that has its value already can fail to be set."""
    scanner = Scanner.named(name)
    scanner.apply(DUPLEX)
    assert scanner.apply(DUPLEX)[0] == []


@pytest.mark.parametrize("name", FACTS)
@pytest.mark.parametrize("raw", [{}, {"sides": "simplex"}, {"sides": "manual-duplex"}, {"source": "flatbed"}])
def test_sides_are_never_other_than_asked(name: str, raw: dict[str, Any]) -> None:
    """On every device, both sides are scanned when both are asked, one when one is, or nothing is."""
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
def test_the_order_is_that_of_the_drivers_demands(name: str) -> None:
    """Source before mode before duplex before resolution before page before area, whatever the driver's order."""
    scanner = Scanner.named(name)
    ranks = [ORDER.index(plain(assigned)) for assigned, _ in scanner.apply(SIMPLEX)[0]]
    assert ranks == sorted(set(ranks))


# Sides.


def test_a_duplex_switch_that_is_on_is_switched_off_for_one_side() -> None:
    """Simplex means simplex on a device that was left in duplex."""
    scanner = device(option("source", "Flatbed", "ADF", value="ADF"), MODE, option("duplex", value=True))
    found, negotiation = scanner.apply(SIMPLEX)
    assert ("duplex", False) in found
    assert not negotiation.duplex


def test_a_switch_that_wakes_with_the_source_is_set() -> None:
    """epson2: adf-mode is inactive until the source is the feeder."""
    scanner = Scanner.named("Epson GT-S50, epson2, adf-mode")
    assert not scanner.options["adf-mode"].active
    found, negotiation = scanner.apply(DUPLEX)
    assert ("adf-mode", "Duplex") in found
    assert negotiation.duplex


def test_a_page_option_that_wakes_with_the_source_is_set() -> None:
    """fujitsu: page-height is inactive on the flatbed, and has to come before br-y all the same."""
    found = [name for name, _ in Scanner.named("Fujitsu fi-7260, source Flatbed").apply(DUPLEX)[0]]
    assert found.index("source") < found.index("page-height") < found.index("br-y")


def test_a_driver_that_only_pretends_is_refused() -> None:
    """What counts is what is read back: a switch that accepts everything and changes nothing is found out."""
    source = option("source", "Flatbed", "ADF", value="ADF")
    scanner = device(source, MODE, option("duplex", value=False), stuck=("duplex",))
    assert "set to one side after all" in refusal(scanner, DUPLEX).sentence
    scanner = device(source, MODE, option("duplex", value=True), stuck=("duplex",))
    assert "set to both sides after all" in refusal(scanner, SIMPLEX).sentence
    scanner = device(option("source", "ADF Front", "ADF Duplex", value="ADF Front"), MODE, stuck=("source",))
    assert "feeder scans one" in refusal(scanner, DUPLEX).sentence


def test_a_duplex_source_with_a_switch_sets_both() -> None:
    """Where a duplex source comes with a switch, they must not contradict each other."""
    scanner = device(option("source", "ADF Duplex", "ADF Front", value="ADF Front"), MODE, option("duplex"))
    assert scanner.apply(DUPLEX)[0] == [("source", "ADF Duplex"), ("mode", "Color"), ("duplex", True)]


def test_the_backs_alone_are_never_chosen() -> None:
    """A device whose list begins with the back side scans the front for one side."""
    scanner = device(option("source", "ADF Back", "ADF Front", "ADF Duplex", value="ADF Back"), MODE)
    assert scanner.apply(SIMPLEX)[1].source == "ADF Front"


def test_the_drivers_own_alignment_is_kept() -> None:
    """Of two feeders that differ in alignment, the one that is set stays; else the first is taken."""
    names = ("FlatBed", "ADF(left aligned)", "ADF(centrally aligned)")
    assert device(option("source", *names, value=names[2]), MODE).apply(SIMPLEX)[1].source == names[2]
    assert device(option("source", *names, value=names[0]), MODE).apply(SIMPLEX)[1].source == names[1]


def test_manual_duplex_is_simplex_for_the_device() -> None:
    """manual-duplex scans one side at a time, and says what was asked."""
    negotiation = Scanner.named("Canon P-215").apply(resolve({"sides": "manual-duplex"}, {}))[1]
    assert (negotiation.duplex, negotiation.source, negotiation.sides) == (
        False,
        "ADF Front",
        "manual-duplex",
    )


def test_a_stack_needs_a_continuous_feeder() -> None:
    """A feeder that stays in single-sheet mode is refused: the rest of the stack would be missing."""
    modes = option("feeder-mode", "single", "continuous", value="single")
    assert (
        "single sheet"
        in refusal(device(MODE, option("duplex"), modes, stuck=("feeder-mode",)), DUPLEX).sentence
    )
    every = option("feeder-mode", "One page", "All pages", value="One page")
    assert ("feeder-mode", "All pages") in device(MODE, option("duplex"), every).apply(DUPLEX)[0]


def test_without_a_source_something_must_vouch_for_the_feeder() -> None:
    """Without a source option, a sheet-fed device is known by others; else it is taken for a flatbed."""
    sheetfed = device(MODE, length("page-width", 216, 216), length("page-height", 356, 356))
    assert sheetfed.apply(SIMPLEX)[1].source is None
    assert "only feeds" in refusal(sheetfed, FLATBED).sentence
    nothing = device(MODE, RESOLUTION)
    assert '"options"' in refusal(nothing, SIMPLEX).sentence
    assert nothing.apply(FLATBED)[1].mode == "Color"


def test_an_option_of_the_client_vouches_for_the_feeder() -> None:
    """Where only the client knows what makes the device feed, naming it in options is enough."""
    scanner = device(MODE, option("tray", "glass", "feeder", value="glass"))
    raw = {"sides": "simplex", "options": {"tray": "feeder"}}
    assert scanner.apply(resolve(raw, {}))[0][-1] == ("tray", "feeder")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("ADF Duplex", SourceKind.DUPLEX),
        ("Duplex", SourceKind.DUPLEX),
        ("Duplex ADF", SourceKind.DUPLEX),
        ("Automatic Document Feeder(left aligned,Duplex)", SourceKind.DUPLEX),
        ("2-sided (Binding Top)", SourceKind.DUPLEX),
        ("ADF Both Sides", SourceKind.DUPLEX),
        ("1-sided", SourceKind.FRONT),
        ("Front Side ADF", SourceKind.FRONT),
        ("ADF Simplex", SourceKind.FRONT),
        ("ADF Back", SourceKind.BACK),
        ("adf", SourceKind.FEEDER),
        ("Document Feeder", SourceKind.FEEDER),
        ("FlatBed", SourceKind.FLATBED),
        ("Normal", SourceKind.FLATBED),
        ("Document Table", SourceKind.FLATBED),
        ("fb", SourceKind.FLATBED),
        ("Card Duplex", SourceKind.OTHER),
        ("Transparency Unit", SourceKind.OTHER),
        ("Auto", SourceKind.OTHER),
        ("Manual Feed Tray", SourceKind.OTHER),
    ],
)
def test_source_names(name: str, kind: SourceKind) -> None:
    """Each driver's name for a source is understood."""
    assert source_kind(name) is kind


def test_side_names_and_bindings() -> None:
    """A switch's values are understood, and the binding that turns backs over is known."""
    assert [side_kind(name) for name in ("Duplex", "Simplex", "On", "Off", "both", "Folio")] == [
        SourceKind.DUPLEX,
        SourceKind.FRONT,
        SourceKind.DUPLEX,
        SourceKind.FRONT,
        SourceKind.DUPLEX,
        None,
    ]
    assert turns_over("ADF Duplex - Short-Edge Binding")
    assert not turns_over("2-sided (Binding Left/Right)")


# Mode, resolution, depth.


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        (
            "color",
            "Color|color|24bit Color[Fast]|24-bit Color|24 bit Color|Color - 16 Million Colors|Color24|RGB",
        ),
        ("gray", "Gray|Grayscale|True Gray|256-level Gray|8-bit Grayscale|Grayscale - 256 Levels|Gray8|grey"),
        (
            "lineart",
            "Lineart|LineArt|Binary|Monochrome|Black & White|Black and White - Line Art|bw|B/W|1-bit B&W",
        ),
        (
            None,
            (
                "Gray[Error Diffusion]|Error Diffusion|Halftone|Black and White - Halftone|Dithered|12bit Gray|"
                "16bit Color|48 bits color|Color (48 bits)|Gray16|auto|Infrared|Color Lineart|Text Enhanced|"
            ),
        ),
    ],
)
def test_mode_names(kind: str | None, names: str) -> None:
    """Each driver's name for a mode is understood; halftones, depths that cannot be carried, and "" are not."""
    assert {name: mode_kind(name) for name in names.split("|")} == dict.fromkeys(names.split("|"), kind)


def test_a_mode_that_is_missing_is_refused_with_what_there_is() -> None:
    """The refusal of a mode says what the device offers, for people and for programs."""
    error = refusal(
        device(option("source", "ADF", value="ADF"), option("mode", "Lineart", "Gray", value="Gray")),
        SIMPLEX_COLOR,
    )
    assert 'mode offers "Lineart", "Gray": set "mode" to "gray" or "lineart"' in error.sentence
    assert error.offers == {"source": ["ADF"], "mode": ["Lineart", "Gray"]}


SIMPLEX_COLOR = resolve({"sides": "simplex"}, {})


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
    """8 bits a sample, or 1 for lineart; python-sane reads 16 out of bounds."""
    depth = option("depth", *depths, value=value, type=OptionType.INT)
    found, _ = device(MODE, option("duplex"), depth).apply(resolve({"mode": mode}, {}))
    assert dict(found).get("depth") == expected


def test_a_depth_that_is_16_after_all_is_refused() -> None:
    """Neither a driver's own will nor the client's options can make pages of 16 bits."""
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
    """A resolution that the device lacks becomes the next above, or its best, and it is said."""
    resolution = DeviceOption("resolution", OptionType.INT, Unit.DPI, constraint, value=0)
    _, negotiation = device(MODE, option("duplex"), resolution).apply(resolve({"resolution": asked}, {}))
    assert negotiation.resolution == got
    said = [warning for warning in negotiation.warnings if warning.startswith("resolution")]
    assert said == ([f"resolution: asked {asked} dpi, the scanner does {got} dpi"] if got != asked else [])


def test_a_device_without_mode_and_resolution_is_told_of() -> None:
    """Where nothing can be chosen, the warnings say so."""
    warnings = device(option("duplex")).apply(DUPLEX)[1].warnings
    assert [warning.partition(":")[0] for warning in warnings] == ["mode", "resolution"]


# The area.


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
    """The size "max" takes all of the width, and no more of the length than a sheet of paper has."""
    page = resolve({"page_size": "max"}, {})
    assert device(MODE, option("duplex"), *AREA).apply(page)[1].page_size_mm == (216.0, 356.0)
    long = Scanner.named("Fujitsu fi-7260, source ADF Front").apply(page)[1]
    assert long.page_size_mm == pytest.approx((224.75, 431.8), abs=0.05)
    assert not long.warnings
    asked = resolve({"page_size": "216x2000mm"}, {})
    assert Scanner.named("Fujitsu fi-7260, source ADF Front").apply(asked)[1].page_size_mm[1] > 1999


def test_a_page_of_a_device_that_says_nothing_is_the_page_asked_for() -> None:
    """Without any geometry the page is taken for what was asked; "max" is then unknown."""
    assert device(MODE, option("duplex")).apply(DUPLEX)[1].page_size_mm == (210.0, 297.0)
    page = resolve({"page_size": "max"}, {})
    assert device(MODE, option("duplex")).apply(page)[1].page_size_mm == (0.0, 0.0)


def test_an_area_that_begins_elsewhere_is_moved_to_the_corner() -> None:
    """An area left over from a preview is reset before its other corner is set."""
    moved = (length("tl-x", 216, 50), length("tl-y", 356, 60), *AREA[2:])
    found = device(MODE, option("duplex"), *moved).apply(DUPLEX)[0]
    assert found[-4:] == [("tl-x", 0), ("tl-y", 0), ("br-x", 210), ("br-y", 297)]


def test_a_corner_that_is_no_number_is_taken_for_none() -> None:
    """A driver that says in words where the area begins does not make the plan fall over."""
    corner = option("tl-x", "left", "centre", value="left")
    right = DeviceOption("br-x", OptionType.INT, Unit.MM, Range(0, 216), value=216)
    assert device(MODE, option("duplex"), corner, right).apply(DUPLEX)[0][-1] == ("br-x", 210)


# The client's own options.


def own(*options: tuple[str, Any], **raw: Any) -> Settings:
    """Settings with the client's own options, in order."""
    return resolve({"sides": "simplex", "options": [list(pair) for pair in options], **raw}, {})


FUJITSU = "Fujitsu fi-7260, source ADF Front"


def test_own_options_come_last_in_the_order_given() -> None:
    """The client's options follow all others, in the client's order; one that is right already is skipped."""
    settings = own(
        ("swskip", 5.0), ("threshold", 0), ("buffermode", "On"), ("mode", "Halftone"), ("page-width", 100)
    )
    found, negotiation = Scanner.named(FUJITSU).apply(settings)
    assert found[-4:] == [("swskip", 5.0), ("buffermode", "On"), ("mode", "Halftone"), ("page-width", 100)]
    assert found[0] == ("mode", "Color")
    assert negotiation.mode == "Halftone"


def test_own_options_are_not_undone() -> None:
    """An option of the plan that the client names stays as the client wants it, even when nothing else is set."""
    scanner = device(option("source", "ADF", value="ADF"), replace(MODE, value="Color"), RESOLUTION)
    found, negotiation = scanner.apply(own(("mode", "Gray"), ("resolution", 150.0), resolution=75))
    assert found == [("mode", "Gray"), ("resolution", 150)]
    assert (negotiation.mode, negotiation.resolution) == ("Gray", 150)


def test_own_options_cannot_take_a_side_away() -> None:
    """A source that the client names is taken as meant, except that both sides stay both sides."""
    assert Scanner.named(FUJITSU).apply(own(("source", "ADF Back")))[1].source == "ADF Back"
    settings = own(("source", "ADF Front"), sides="duplex")
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
def test_own_options_are_checked(name: str, value: Any, said: str) -> None:
    """An option that is not there, or a value that it cannot have, is refused before python-sane sees it."""
    assert said in refusal(Scanner.named(FUJITSU), own((name, value))).sentence


def test_arrays_and_buttons_are_refused() -> None:
    """python-sane would set one word of a gamma table, and garbage for the rest."""
    gamma = DeviceOption("gamma-table", OptionType.INT, constraint=Range(0, 255), size=1024)
    button = DeviceOption("calibrate", OptionType.BUTTON)
    for name in ("gamma-table", "calibrate"):
        scanner = device(option("source", "ADF", value="ADF"), MODE, gamma, button)
        assert f"{name} cannot be set" in refusal(scanner, own((name, 1))).sentence


def test_what_the_driver_made_of_an_own_option_is_told() -> None:
    """A value that the driver rounds beyond its step is a warning."""
    odd = DeviceOption("angle", OptionType.FIXED, constraint=Range(0, 90, 7), value=0.0)
    negotiation = device(option("source", "ADF", value="ADF"), MODE, odd).apply(own(("angle", 30)))[1]
    assert "angle: asked 30, the scanner made it 28" in negotiation.warnings


def test_a_resolution_of_zero_is_none() -> None:
    """A driver that reads back 0 dpi tells nothing: pages are taken for what was asked, and it is said."""
    lost = DeviceOption("resolution", OptionType.INT, settable=False, value=0)
    pixels = DeviceOption("br-x", OptionType.INT, Unit.PIXEL, Range(0, 9000), value=2480)
    negotiation = device(option("source", "ADF", value="ADF"), MODE, lost, pixels).apply(SIMPLEX_COLOR)[1]
    assert negotiation.resolution == 300
    assert math.isclose(negotiation.page_size_mm[0], 210, abs_tol=0.1)
    assert any("taken for 300 dpi" in warning for warning in negotiation.warnings)


# Everything.


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
    """An option of any shape under a name that matters."""
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


@thorough(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_any_device_ends_in_what_was_asked_or_in_a_refusal(data: st.DataObject) -> None:
    """However odd a driver: the plan ends, and sides are as asked, or it is refused with a sentence."""
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


def outcome(scanner: Scanner, settings: Settings) -> Negotiated | BadData | StatusError:
    """What becomes of settings, as a value; a bool that is called resolution is refused by the driver."""
    try:
        return scanner.apply(settings)[1]
    except (BadData, StatusError) as error:
        return error


def test_each_option_is_planned_once() -> None:
    """A driver that never keeps what it is told is not told twice."""
    options = from_facts(FACTS["Fujitsu fi-7260, source ADF Front"])
    applied: list[Applied] = []
    while (assignment := next_assignment(options, SIMPLEX, applied)) is not None:
        applied.append(Applied(assignment.name, assignment.value, None))
    planned = [one.name for one in applied]
    assert len(planned) == len(set(planned))


def test_what_is_read_back_is_what_is_negotiated() -> None:
    """The driver's own words go into the result, not what was asked of it."""
    options = from_facts(FACTS["Brother MFC-8860DN"])
    options["source"] = replace(options["source"], value="Automatic Document Feeder(Duplex)")
    negotiation = negotiated(options, resolve({}, {}), [])
    assert negotiation.duplex
    assert (negotiation.source, negotiation.mode) == ("Automatic Document Feeder(Duplex)", "24bit Color")
    assert math.isclose(negotiation.resolution, 200)
