"""Keys and their lines, against tomllib: whatever it reads has a line, and on that line stands the key."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scand.config.places import Place, keys, lines

TABLES = '''# scand.toml
top = 1  # a comment with [brackets] and = signs

[nas]
root = "/mnt/nas"   # "quoted"
"in.box" = 'PKM'
text = """
[not.a.table]
still = "text" \\""""
raw = \'\'\'
[nor.this]\'\'\'\'\'
[profiles.a.deep]
x = { b = 1, c.d = [1,
   2, { e = 3 },
] }
dotted.key = 1979-05-27 07:32:00
[[many.items]]
x = 1
[many.items.sub]
y = 2
[[many.items]]
x = 3
'''
WHERE: dict[Place, int] = {
    ("top",): 2,
    ("nas",): 4,
    ("nas", "root"): 5,
    ("nas", "in.box"): 6,
    ("nas", "text"): 7,
    ("nas", "raw"): 10,
    ("profiles",): 12,
    ("profiles", "a", "deep"): 12,
    ("profiles", "a", "deep", "x", "b"): 13,
    ("profiles", "a", "deep", "x", "c", "d", 1): 14,
    ("profiles", "a", "deep", "x", "c", "d", 2, "e"): 14,
    ("profiles", "a", "deep", "dotted", "key"): 16,
    ("many", "items", 0, "x"): 18,
    ("many", "items", 0, "sub", "y"): 20,
    ("many", "items", 1, "x"): 22,
}


def leaves(value: Any, place: Place = ()) -> set[Place]:
    """Every place of a parsed file: of tables, arrays and values."""
    found = {place} if place else set()
    pairs: Any = ()
    if isinstance(value, dict):
        pairs = value.items()
    elif isinstance(value, list):
        pairs = enumerate(value)
    for key, below in pairs:
        found |= leaves(below, (*place, key))
    return found


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_every_kind_of_key_has_its_line(newline: str) -> None:
    """Tables, dotted and quoted keys, inline tables, arrays of tables, strings over several lines; CRLF, too."""
    text = TABLES.replace("\n", newline)
    found = lines(text)
    assert {place: found[place] for place in WHERE} == WHERE
    assert set(found) == leaves(tomllib.loads(text))


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _multiline(text: str) -> str:
    plain = "".join(sign for sign in text if sign in "\n\t" or sign.isprintable())
    return '"""' + plain.replace("\\", "\\\\").replace('"', '\\"') + '"""'


_NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=6)
_VALUES = st.one_of(
    st.integers(-9, 9).map(str),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\x7f"), max_size=8).map(
        _multiline
    ),
    _NAMES.map(_quoted),
    st.sampled_from(["true", "0x1F", "1e3", "-inf", "2020-01-01 10:00:00Z", "[]", "{}", "''", "''''''"]),
)


def _nested(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pairs = st.dictionaries(_NAMES.map(_quoted), values, max_size=3)
    return st.one_of(
        st.lists(values, max_size=3).map(lambda items: "[ # one\n" + ",\n ".join(items) + " ]"),
        pairs.map(lambda table: "{ " + ", ".join(f"{key} = {value}" for key, value in table.items()) + " }"),
    )


@given(
    st.dictionaries(
        _NAMES.map(_quoted),
        st.dictionaries(_NAMES.map(_quoted), st.recursive(_VALUES, _nested, max_leaves=5), max_size=4),
        max_size=4,
    )
)
def test_whatever_tomllib_reads_has_its_line(tables: dict[str, dict[str, str]]) -> None:
    """Drawn files: the scanner finds the places that tomllib finds, no more and no fewer, each on its line."""
    rows = []
    wanted: dict[Place, int] = {}
    for name, table in tables.items():
        rows.append(f"[ {name} ]")
        (section,) = tomllib.loads(rows[-1])
        wanted[(section,)] = len(rows)
        for key, value in table.items():
            (plain,) = tomllib.loads(f"{key} = 0")
            wanted[(section, plain)] = len(rows) + 1
            rows += f"{key} = {value}".split("\n")
    text = "\n".join(rows)
    parsed = tomllib.loads(text)
    found = lines(text)
    assert set(found) == leaves(parsed)
    assert {place: found[place] for place in wanted} == wanted


@given(st.text(st.sampled_from("ab.=[]{}\"'#,\n\\ 1"), max_size=40))
def test_it_never_fails(text: str) -> None:
    """What is not TOML is read as far as it goes; where tomllib takes it, the places are its own."""
    found = {key.place for key in keys(text)}
    try:
        parsed = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    assert found == leaves(parsed)
