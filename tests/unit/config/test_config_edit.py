"""Single keys are changed, and everything else in the file stays as it is."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scand.config.edit import edited
from scand.errors import ConfigError

EXAMPLE = (Path(__file__).parents[3] / "systemd" / "scand.toml").read_text()


def test_a_default_is_written_in_its_place() -> None:
    """In the file as shipped, a commented key becomes a line below its explanation; no other line changes."""
    values: dict[tuple[str, str], str | bool] = {
        ("nas", "root"): "/srv/nas",
        ("nas", "require_mount"): False,
        ("database", "url"): "embedded",
    }
    before, after = EXAMPLE.splitlines(), edited(EXAMPLE, values).splitlines()
    changed = [new for old, new in zip(before, after, strict=True) if old != new]
    assert changed == ['url = "embedded"', 'root = "/srv/nas"', "require_mount = false"]
    assert after.index('root = "/srv/nas"') == before.index('#root = "/mnt/nas"')


def test_a_value_is_replaced_and_its_comment_stays() -> None:
    """Whatever is written behind and around it."""
    text = "[nas]\n  root   = '/old'   # the big one\n\n[agent]\npoll = \"1s\"\n"
    assert edited(text, {("nas", "root"): "/new"}) == text.replace("'/old'", '"/new"')


def test_keeping_a_value_changes_nothing() -> None:
    """Not even a form that could not be changed."""
    text = "nas = { root = '/mnt/nas' }\n"
    assert edited(text, {("nas", "root"): "/mnt/nas"}) == text


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", '[nas]\nroot = "/n"\n'),
        ("[agent]\npoll = '1s'", "[agent]\npoll = '1s'\n\n[nas]\nroot = \"/n\"\n"),
        ("[nas]\ninbox = 'In'\n\n[agent]\n", "[nas]\ninbox = 'In'\nroot = \"/n\"\n\n[agent]\n"),
        ("[nas] # where\n", '[nas] # where\nroot = "/n"\n'),
        ("[nas]", '[nas]\nroot = "/n"\n'),
        ("[nas]\n# root = '/x' or so, later\n", "[nas]\n# root = '/x' or so, later\nroot = \"/n\"\n"),
    ],
)
def test_a_missing_key_finds_its_place(text: str, wanted: str) -> None:
    """In its section if there is one, else in a new one at the end."""
    assert edited(text, {("nas", "root"): "/n"}) == wanted


@pytest.mark.parametrize(
    "text", ["nas.root = '/old'\n", "nas = { root = '/old' }\n", "[nas]\nroot = '''\n/old'''\n", "nas = 3\n"]
)
def test_what_is_not_understood_is_refused(text: str) -> None:
    """The sentence says the line to write by hand."""
    with pytest.raises(ConfigError, match=r'root = "/n" below \[nas\]'):
        edited(text, {("nas", "root"): "/n"})


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x7f"), max_size=30))
def test_any_text_comes_back(value: str) -> None:
    """Quotes, backslashes, control characters and what is no ASCII."""
    assert tomllib.loads(edited(EXAMPLE, {("nas", "root"): value}))["nas"]["root"] == value
