"""The source, the stack and the sides."""

from __future__ import annotations

from scand.jobs.settings import resolve
from tests.support.devices.scanners import Scanner
from tests.unit.feeder.options.builders import (
    DUPLEX,
    FLATBED,
    MODE,
    RESOLUTION,
    SIMPLEX,
    device,
    length,
    option,
    refusal,
)


def test_a_duplex_switch_that_is_on_is_switched_off_for_one_side() -> None:
    """A device that was left in duplex is set to simplex for one side."""
    scanner = device(option("source", "Flatbed", "ADF", value="ADF"), MODE, option("duplex", value=True))
    found, negotiation = scanner.apply(SIMPLEX)
    assert ("duplex", False) in found
    assert not negotiation.duplex


def test_a_switch_that_becomes_active_with_the_source_is_set() -> None:
    """epson2: adf-mode is inactive until the source is the feeder."""
    scanner = Scanner.named("Epson GT-S50, epson2, adf-mode")
    assert not scanner.options["adf-mode"].active
    found, negotiation = scanner.apply(DUPLEX)
    assert ("adf-mode", "Duplex") in found
    assert negotiation.duplex


def test_a_driver_that_only_pretends_is_refused() -> None:
    """A switch that accepts every value and keeps its own is found out by reading it back."""
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
    """For one side, the front is scanned even when the device lists the back first."""
    scanner = device(option("source", "ADF Back", "ADF Front", "ADF Duplex", value="ADF Back"), MODE)
    assert scanner.apply(SIMPLEX)[1].source == "ADF Front"


def test_the_drivers_own_alignment_is_kept() -> None:
    """Of two feeders that differ in alignment, the one that is set stays; else the first is taken."""
    names = ("FlatBed", "ADF(left aligned)", "ADF(centrally aligned)")
    assert device(option("source", *names, value=names[2]), MODE).apply(SIMPLEX)[1].source == names[2]
    assert device(option("source", *names, value=names[0]), MODE).apply(SIMPLEX)[1].source == names[1]


def test_manual_duplex_is_simplex_for_the_device() -> None:
    """manual-duplex scans one side at a time, and the result says what was asked for."""
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


def test_without_a_source_option_a_feeder_must_show_in_others() -> None:
    """Without a source option, a feeder is known by other options; else the device is taken for a flatbed."""
    sheetfed = device(MODE, length("page-width", 216, 216), length("page-height", 356, 356))
    assert sheetfed.apply(SIMPLEX)[1].source is None
    assert "only feeds" in refusal(sheetfed, FLATBED).sentence
    nothing = device(MODE, RESOLUTION)
    assert '"options"' in refusal(nothing, SIMPLEX).sentence
    assert nothing.apply(FLATBED)[1].mode == "Color"


def test_an_option_of_the_client_is_a_sign_of_a_feeder() -> None:
    """Where only the client knows what makes the device feed, it is enough to name that in `options`."""
    scanner = device(MODE, option("tray", "glass", "feeder", value="glass"))
    raw = {"sides": "simplex", "options": {"tray": "feeder"}}
    assert scanner.apply(resolve(raw, {}))[0][-1] == ("tray", "feeder")
