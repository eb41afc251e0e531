"""The line of each key in a TOML file: `tomllib`, like every TOML library in our tree, gives values only.

A file that `tomllib` has taken is well-formed, so what is left to do is small: step over strings, brackets and
comments, and count lines. In a file that it refuses, the keys before the fault are found all the same.
"""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Place: TypeAlias = "tuple[str | int, ...]"
"""The names that lead to a key: ("nas", "root"); items of arrays by their index, ("offset", 0)."""

_PART = r"""(?:[A-Za-z0-9_-]+|"(?:\\.|[^"\\\n])*"|'[^'\n]*')"""
_KEY = re.compile(rf"{_PART}(?:[ \t]*\.[ \t]*{_PART})*")
_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
# A multi-line string may end in up to five quotes: the last three close it.
_STRING = re.compile(
    r'"""(?:\\.|[^\\])*?"""(?!")' r"|'''.*?'''(?!')" r'|"(?:\\.|[^"\\\n])*"' r"|'[^'\n]*'", re.DOTALL
)
_PLAIN = re.compile(r"[^,\]}#\n]+")
_DEEPEST = 100  # tables within tables; deeper ones are left out


class Key(NamedTuple):
    """A key, a table's header or an array's item.

    Attributes:
        written: it is a whole key, and not only the front of one, as `nas` of `nas.root`.
        line: from 1.
    """

    place: Place
    line: int
    written: bool


def keys(text: str) -> Iterator[Key]:
    """Every key, in the order in which they are written; up to the first fault where the text is not TOML."""
    try:
        yield from _Scanner(text).document()
    except (_NotTomlError, RecursionError):
        return


def lines(text: str) -> dict[Place, int]:
    """The line on which each key stands first."""
    found: dict[Place, int] = {}
    for key in keys(text):
        found.setdefault(key.place, key.line)
    return found


class _NotTomlError(Exception):
    pass


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0
        self._counted, self._line = 0, 1
        self._arrays: dict[Place, int] = {}  # arrays of tables → how many tables each has so far

    def document(self) -> Iterator[Key]:
        table: Place = ()
        while self._blank() < len(self._text):
            if self._skip("[["):
                yield from self._key((), self._key_parts(), array=True)
                table = self._last
                self._expect("]]")
            elif self._skip("["):
                yield from self._key((), self._key_parts())
                table = self._last
                self._expect("]")
            else:
                yield from self._pair(table)

    def _pair(self, table: Place) -> Iterator[Key]:
        yield from self._key(table, self._key_parts())
        place = self._last
        self._blank()
        self._expect("=")
        self._blank()
        yield from self._value(place)

    def _key(self, table: Place, parts: Sequence[str], *, array: bool = False) -> Iterator[Key]:
        """The key and what is on the way to it; its place is then in `_last`."""
        place = table
        for number, part in enumerate(parts[:_DEEPEST], 1):
            place, last = (*place, part), number == len(parts)
            yield Key(place, self._line, written=last and not array)
            if last and array:
                self._arrays[place] = self._arrays.get(place, 0) + 1
            if place in self._arrays:
                place = (*place, self._arrays[place] - 1)
                yield Key(place, self._line, written=last)
        self._last = place

    def _value(self, place: Place) -> Iterator[Key]:
        if self._skip("["):
            index = 0
            while self._blank() < len(self._text) and not self._skip("]"):
                yield Key((*place, index), self._line, written=True)
                yield from self._value((*place, index))
                self._blank()
                self._skip(",")
                index += 1
        elif self._skip("{"):
            while self._blank() < len(self._text) and not self._skip("}"):
                yield from self._pair(place)
                self._blank()
                self._skip(",")
        elif not (self._match(_STRING) or self._match(_PLAIN)):
            raise _NotTomlError

    def _key_parts(self) -> list[str]:
        """The parts of a dotted key, unquoted by tomllib itself."""
        self._blank()
        written = self._match(_KEY)
        try:
            table = tomllib.loads(f"{written} = 0") if written else None
        except tomllib.TOMLDecodeError as error:
            raise _NotTomlError from error
        parts = []
        while isinstance(table, dict):
            ((part, table),) = table.items()
            parts.append(part)
        if not parts:
            raise _NotTomlError
        return parts

    def _blank(self) -> int:
        """Step over blanks and comments, count the lines, and return the new position."""
        self._match(_BLANK)
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._at

    def _match(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._text, self._at)
        self._at = found.end() if found else self._at
        return found[0] if found else ""

    def _skip(self, sign: str) -> bool:
        there = self._text.startswith(sign, self._at)
        self._at += len(sign) if there else 0
        return there

    def _expect(self, sign: str) -> None:
        self._blank()
        if not self._skip(sign):
            raise _NotTomlError
