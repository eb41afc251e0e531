"""What a scanner needs whatever the job: its source, where the page lies, a pause, backs turned."""

from __future__ import annotations

from typing import Any

import pytest

from scand.errors import BadData
from scand.feeder.options import DeviceOption, OptionType, Range, Unit
from scand.jobs.settings import resolve
from tests.support.devices.scanners import FACTS, Scanner

BROTHER = "Brother MFP, brother4"
CENTRED = "Automatic Document Feeder(centrally aligned,Duplex)"


def assignments(name: str, **asked: Any) -> dict[str, Any]:
    """What a device is set to."""
    return dict(Scanner.named(name).apply(resolve(asked, {}))[0])


def test_a_source_is_taken_as_the_driver_spells_it() -> None:
    """Instead of the one that scand would choose."""
    assert assignments(BROTHER)["source"] != CENTRED
    assert assignments(BROTHER, source_name=CENTRED)["source"] == CENTRED


def test_a_pinned_source_is_for_the_jobs_that_it_does() -> None:
    """The same pin stands for jobs from the glass, and for those of one side."""
    assert assignments(BROTHER, source_name=CENTRED, source="flatbed")["source"] == "FlatBed"
    one_side = Scanner.named(BROTHER).apply(resolve({"source_name": CENTRED, "sides": "simplex"}, {}))[1]
    assert one_side.source == "Automatic Document Feeder(left aligned)"
    assert not one_side.duplex


def test_a_pinned_source_that_is_not_there_is_refused() -> None:
    """With what there is."""
    with pytest.raises(BadData, match='source_name: this scanner has no "Feeder"; source offers "FlatBed"'):
        assignments(BROTHER, source_name="Feeder")


def test_a_source_in_words_unknown_is_taken_as_meant() -> None:
    """A driver may speak another language; what is pinned for both sides gives both."""
    options = {
        "source": DeviceOption(
            "source", OptionType.STRING, constraint=("Vorlagenglas", "Einzug"), size=20, value="Vorlagenglas"
        )
    }
    with pytest.raises(BadData, match="no document feeder"):
        Scanner.of(*options.values()).apply(resolve({}, {}))
    for sides in ("duplex", "simplex"):
        set_, got = Scanner.of(*options.values()).apply(
            resolve({"source_name": "Einzug", "sides": sides}, {})
        )
        assert set_ == [("source", "Einzug")]
        assert got.duplex == (sides == "duplex")


def test_the_page_begins_where_it_lies() -> None:
    """The offset moves the area, and the page of a feeder must hold it."""
    lengths = {
        name: DeviceOption(name, OptionType.FIXED, Unit.MM, Range(0.0, 400.0), value=value)
        for name, value in {
            "page-width": 215.9, "page-height": 279.4, "tl-x": 0.0, "tl-y": 0.0, "br-x": 215.9, "br-y": 279.4,
        }.items()
    }  # fmt: skip
    set_, got = Scanner.of(*lengths.values()).apply(resolve({"offset": [3, 5.5], "sides": "simplex"}, {}))
    assert dict(set_) == {
        "page-width": 213.0, "page-height": 302.5, "tl-x": 3.0, "tl-y": 5.5, "br-x": 213.0, "br-y": 302.5,
    }  # fmt: skip
    assert got.page_size_mm == (210.0, 297.0)


@pytest.mark.parametrize("name", sorted(FACTS))
def test_no_pin_changes_nothing(name: str) -> None:
    """The defaults of the pins are what was there before them."""
    asked: dict[str, Any] = {"sides": "simplex", "mode": "gray", "resolution": 200}
    pinned = {**asked, "offset": [0, 0], "pause": 0, "rotate_back": 0, "source_name": None}
    outcomes = []
    for settings in (asked, pinned):
        try:
            outcomes.append(assignments(name, **settings))
        except BadData as error:
            outcomes.append({"refused": error.sentence})
    assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize(
    ("pin", "said"),
    [
        ({"offset": 3}, r"offset is 3, but must be \[x, y\] in mm"),
        ({"offset": [1, -1]}, r"offset"),
        ({"offset": [1, 2, 3]}, r"offset"),
        ({"pause": "2s"}, 'pause is "2s", but must be seconds, 0 to 600'),
        ({"pause": -1}, "pause is -1"),
        ({"rotate_back": 90}, "rotate_back is 90, but must be 0 or 180"),
        ({"source_name": 7}, "source_name is 7"),
        ({"blank_threshold": True}, "blank_threshold is true"),
        ({"blank_sheets": "yes"}, 'blank_sheets is "yes", but must be "keep" or "drop"'),
    ],
)
def test_a_pin_that_cannot_be_is_refused_with_what_it_may_be(pin: dict[str, Any], said: str) -> None:
    """As every setting is."""
    with pytest.raises(BadData, match=said):
        resolve(pin, {})
