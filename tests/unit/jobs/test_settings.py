"""Settings as clients write them: what they resolve to, and the sentences of refusals."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as thorough
from hypothesis import strategies as st

from scand.errors import BadData
from scand.faults import ErrorCode
from scand.jobs.settings import Mode, Settings, Sides, Source, resolve
from scand.wording import either, meant, shown, together

PROFILES: dict[str, dict[str, Any]] = {
    "default": {"resolution": 200},
    "front": {"sides": "simplex"},
    "glass": {"source": "Flatbed"},
    "duplex": {"source": "ADF Duplex", "mode": "Gray"},
    "tuned": {"options": {"swcrop": True}},
}


def refusal(raw: Any, profiles: dict[str, dict[str, Any]] | None = None) -> str:
    """The sentence with which settings are refused."""
    with pytest.raises(BadData) as caught:
        resolve(raw, profiles or {})
    assert caught.value.code is ErrorCode.BAD_SETTINGS
    return caught.value.sentence


def test_defaults() -> None:
    """A job that asks for nothing gets the feeder, both sides, colour, 300 dpi, A4."""
    settings = resolve({}, {})
    assert (settings.source, settings.sides, settings.mode) == (Source.ADF, Sides.DUPLEX, Mode.COLOR)
    assert (settings.resolution, settings.page_size.width_mm, settings.page_size.height_mm) == (300, 210, 297)
    assert settings == Settings()


def test_the_profile_comes_first_and_the_rest_overrides_it() -> None:
    """Keys of the job outrank the profile's; the default profile is there without being named."""
    assert resolve({}, PROFILES).resolution == 200
    assert resolve({"resolution": 600}, PROFILES).resolution == 600
    settings = resolve({"profile": "front", "mode": "gray"}, PROFILES)
    assert (settings.sides, settings.mode, settings.resolution) == ("simplex", "gray", 300)
    assert resolve({"profile": "tuned", "options": {"ald": True}}, PROFILES).options == (("ald", True),)


@pytest.mark.parametrize(
    ("raw", "source", "sides", "mode"),
    [
        ({"source": "ADF Duplex", "mode": "Color", "resolution": 300}, "adf", "duplex", "color"),
        ({"source": "ADF Front"}, "adf", "simplex", "color"),
        ({"source": "adf front", "sides": "manual-duplex"}, "adf", "manual-duplex", "color"),
        ({"source": "ADF"}, "adf", "duplex", "color"),
        ({"source": "ADF", "sides": "Simplex"}, "adf", "simplex", "color"),
        ({"source": "Duplex"}, "adf", "duplex", "color"),
        ({"source": "Automatic Document Feeder"}, "adf", "duplex", "color"),
        ({"source": "Automatic Document Feeder(left aligned,Duplex)"}, "adf", "duplex", "color"),
        ({"source": "2-sided (Binding Left/Right)"}, "adf", "duplex", "color"),
        ({"source": "1-sided"}, "adf", "simplex", "color"),
        ({"source": "FlatBed", "mode": "True Gray"}, "flatbed", "simplex", "gray"),
        ({"source": "flatbed", "sides": "manual-duplex"}, "flatbed", "manual-duplex", "color"),
        ({"source": "Document Table", "mode": "Monochrome"}, "flatbed", "simplex", "lineart"),
        ({"mode": "Grayscale"}, "adf", "duplex", "gray"),
        ({"mode": "LINEART"}, "adf", "duplex", "lineart"),
        ({"mode": "Black & White"}, "adf", "duplex", "lineart"),
        ({"mode": "24bit Color[Fast]"}, "adf", "duplex", "color"),
        ({"mode": "Color - 16 Million Colors"}, "adf", "duplex", "color"),
    ],
)
def test_sane_spellings_are_understood(raw: dict[str, Any], source: str, sides: str, mode: str) -> None:
    """SANE's own names for sources and modes are accepted in any case, and mean the same as in SANE."""
    settings = resolve(raw, {})
    assert (settings.source, settings.sides, settings.mode) == (source, sides, mode)


@pytest.mark.parametrize(
    ("raw", "source", "sides"),
    [
        ({"profile": "glass"}, "flatbed", "simplex"),
        ({"profile": "glass", "source": "adf"}, "adf", "duplex"),
        ({"profile": "duplex", "source": "flatbed"}, "flatbed", "simplex"),
        ({"profile": "duplex", "sides": "simplex"}, "adf", "simplex"),
        ({"profile": "front", "source": "ADF"}, "adf", "simplex"),
        ({"profile": "front", "source": "ADF Duplex"}, "adf", "duplex"),
    ],
)
def test_sides_of_a_profile_belong_to_its_source(raw: dict[str, Any], source: str, sides: str) -> None:
    """A job with another source than its profile's does not inherit the sides that were meant for that source."""
    settings = resolve(raw, PROFILES)
    assert (settings.source, settings.sides) == (source, sides)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (
            {"sides": "duplx"},
            'sides is "duplx", but must be "duplex", "simplex" or "manual-duplex" (did you mean',
        ),
        ({"sidez": "duplex"}, 'sidez is not a setting (did you mean "sides"?)'),
        ({"source": "ADF Duplx"}, 'but must be "adf" or "flatbed" (did you mean "ADF Duplex"?)'),
        ({"source": "ADF Back"}, "source is"),
        ({"source": "Card Duplex"}, "source is"),
        ({"source": "Auto"}, "source is"),
        ({"mode": "Grayscal"}, '(did you mean "Grayscale"?)'),
        ({"mode": "Halftone"}, 'but must be "color", "gray" or "lineart"'),
        ({"mode": "48 bits color"}, "mode is"),
        ({"mode": "color gray"}, "mode is"),
        ({"resolution": "300"}, 'resolution is "300", but must be a whole number of dpi, 50 to 2400'),
        ({"resolution": True}, "resolution is true"),
        ({"resolution": 300.5}, "resolution is 300.5"),
        ({"resolution": math.nan}, "resolution is nan"),
        ({"resolution": 49}, "resolution is 49"),
        ({"resolution": 10**5000}, "resolution is a huge number"),
        ({"quality": 96}, "quality is 96, but must be a whole number, 1 to 95"),
        ({"mode": ""}, 'mode is ""'),
        ({"source": ""}, 'source is ""'),
        ({"page_size": "a6"}, 'page_size is "a6", but must be "a3", "a4"'),
        ({"page_size": "210x297"}, "page_size is"),
        ({"page_size": "1x1mm"}, "page_size is"),
        ({"page_size": 4}, "page_size is 4"),
        ({"rotate_back": 90}, "rotate_back is 90, but must be 0 or 180"),
        ({"max_pages": 0}, "max_pages is 0, but must be a whole number from 1"),
        ({"inbox": "/etc"}, 'inbox is "/etc", but must be a folder below the NAS root'),
        ({"inbox": "PKM/../.."}, "inbox is"),
        ({"inbox": ".scan-staging"}, "inbox is"),
        ({"inbox": "a//b"}, "inbox is"),
        ({"inbox": "ä" * 128}, "inbox is"),
        ({"inbox": "\ud800"}, "inbox is"),
        ({"inbox": ["PKM"]}, "inbox is"),
        ({"options": {"swcrop": None}}, "options is"),
        ({"options": {"gamma": [1, 2]}}, "options is"),
        ({"options": [["a", 1], ["a", 2]]}, "each name once"),
        ({"options": [["a", 1, 2]]}, "options is"),
        ({"options": "swcrop=yes"}, "options is"),
        ({"options": {"": 1}}, "options is"),
        ({"options": {"a": math.inf}}, "options is"),
        (
            {"profile": "fronts"},
            'profile is "fronts", but must be "default" or "front" (did you mean "front"?)',
        ),
        ({"profile": 3}, "profile is 3"),
        ({"source": "ADF Duplex", "sides": "simplex"}, 'source "ADF Duplex" and sides "simplex" contradict'),
        ({"source": "ADF Front", "sides": "duplex"}, "contradict each other"),
        ({"source": "flatbed", "sides": "duplex"}, "a flatbed has one side"),
        ({"duplex": True}, 'SANE options go into "options"'),
        ([1], "settings must be an object, not [1]"),
    ],
)
def test_a_bad_value_is_refused_in_a_sentence(raw: Any, said: str) -> None:
    """Each refusal names the key, the value and what it may be, on one line."""
    sentence = refusal(raw, {"front": {}})
    assert said in sentence
    assert "\n" not in sentence


def test_300_point_0_is_300() -> None:
    """JSON has one kind of number: a whole one is an int however it is written."""
    assert resolve({"resolution": 300.0, "max_pages": 2.0}, {}) == resolve({"max_pages": 2}, {})


def test_null_is_absent_and_x_is_the_clients() -> None:
    """null leaves a key to the profile; keys that begin with x_ are ignored."""
    raw = {"sides": None, "inbox": None, "max_pages": None, "x_folder": {"deep": [1]}, "resolution": None}
    assert resolve(raw, PROFILES).resolution == 200


def test_options_keep_their_order() -> None:
    """A list of pairs keeps its order, which JSONB does not keep for the keys of an object."""
    pairs = [["threshold", 120], ["brightness", -1.5], ["swcrop", True], ["ht-type", "Dither"]]
    expected = (("threshold", 120), ("brightness", -1.5), ("swcrop", True), ("ht-type", "Dither"))
    assert resolve({"options": pairs}, {}).options == expected
    assert resolve({"options": dict(expected)}, {}).options == expected


@pytest.mark.parametrize(
    ("text", "width", "height"),
    [
        ("A4", 210, 297),
        ("letter", 215.9, 279.4),
        ("legal", 215.9, 355.6),
        ("a3", 297, 420),
        ("a5", 148, 210),
        ("max", math.inf, math.inf),
        ("80x2000mm", 80, 2000),
        ("85.6 x 53.98 mm", 85.6, 53.98),
    ],
)
def test_page_sizes(text: str, width: float, height: float) -> None:
    """A page size is a name or millimetres; "max" is as large as the device allows."""
    size = resolve({"page_size": text}, {}).page_size
    assert (size.width_mm, size.height_mm) == (width, height)


def test_an_inbox_is_a_folder_below_the_root() -> None:
    """A folder keeps its spelling, in any script; a trailing slash is dropped."""
    assert resolve({"inbox": "PKM/Büro 文書/"}, {}).inbox == "PKM/Büro 文書"


def test_several_errors_come_in_one_sentence() -> None:
    """The sentence names the first errors and counts the rest, so that a huge object makes no huge message."""
    sentence = refusal({f"key{number}": number for number in range(1000)})
    assert "and 997 more" in sentence
    assert len(sentence) < 300


def test_a_profile_cannot_name_a_profile() -> None:
    """Profiles do not inherit from each other."""
    assert 'profile "a": profile cannot be named by a profile' in refusal(
        {"profile": "a"}, {"a": {"profile": "b"}, "b": {}}
    )


def test_a_bad_profile_is_named() -> None:
    """A sentence about a contradiction inside a profile begins with the profile's name."""
    profiles = {"odd": {"source": "ADF Duplex", "sides": "simplex"}}
    assert refusal({"profile": "odd"}, profiles).startswith('profile "odd": source "ADF Duplex"')


patient = thorough(deadline=None, suppress_health_check=[HealthCheck.too_slow])

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def outcome(raw: dict[str, Any]) -> Settings | BadData:
    """The settings, or the refusal as a value."""
    try:
        return resolve(raw, PROFILES)
    except BadData as error:
        return error


@patient
@given(st.dictionaries(st.sampled_from([*Settings.model_fields, "other", "x_own"]), json_values, max_size=5))
def test_any_json_is_resolved_or_refused(raw: dict[str, Any]) -> None:
    """Whatever a client writes becomes settings, or is refused with a code and one short line."""
    found = outcome(raw)
    if isinstance(found, BadData):
        assert found.code is ErrorCode.BAD_SETTINGS
        assert found.sentence.isprintable()
        assert len(found.sentence) < 2000
    else:
        assert Settings.model_validate_json(found.model_dump_json()) == found


@patient
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "source": st.sampled_from(["adf", "ADF Duplex", "ADF Front", "flatbed"]),
            "mode": st.sampled_from(["color", "Gray", "Lineart"]),
            "resolution": st.integers(50, 2400),
            "page_size": st.sampled_from(["a4", "max"])
            | st.builds("{:.2f}x{:.2f}mm".format, st.floats(10, 999), st.floats(10, 5999)),
            "quality": st.integers(1, 95),
            "rotate_back": st.sampled_from([0, 180]),
            "max_pages": st.integers(1, 10**6),
            "options": st.dictionaries(
                st.text(min_size=1), st.booleans() | st.integers() | st.text(), max_size=5
            ),
            "finish": st.sampled_from(["hold", "preview", "commit"]),
        },
    )
)
def test_what_is_resolved_is_valid_again(raw: dict[str, Any]) -> None:
    """Settings sent to a child arrive unchanged, and written back into a row they mean the same."""
    settings = resolve(raw, {})
    assert Settings.model_validate_json(settings.model_dump_json()) == settings
    assert resolve(settings.model_dump(mode="json"), {}) == settings


def test_values_are_shown_short() -> None:
    """Any value is shown on one line, and short."""
    assert shown("a\nb\x1b") == '"a\\nb\\x1b"'
    assert len(shown("x" * 10**6)) < 70
    assert len(shown([[["deep"] * 100] * 100] * 100)) < 70
    assert (shown(None), shown(True), shown(1.5)) == ("null", "true", "1.5")


def test_wording() -> None:
    """Alternatives, near misses and lists read as a person would write them."""
    assert either(["a", "b", "c"]) == '"a", "b" or "c"'
    assert either(["a"]) == '"a"'
    assert meant("Sids", ["sides", "source"]) == ' (did you mean "sides"?)'
    assert meant("zzz", ["sides"]) == meant(3, ["sides"]) == ""
    assert together(["a", "b", "c", "d", "e"]) == "a; b; c; and 2 more"
    assert together(["a", "b", "c"], count=50_000) == "a; b; c; and 49997 more"
