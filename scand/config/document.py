"""One TOML file: its content, the line of each key, and what is wrong where it is not TOML."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any, NamedTuple

from scand.config.places import Key, Place, keys, lines
from scand.errors import BadConfig, Problem
from scand.wording import dotted, plain

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class Document(NamedTuple):
    """A file that was read.

    Attributes:
        path: None where there is no file.
        table: its content.
        lines: each key's line, from 1.
    """

    path: Path | None
    table: dict[str, Any]
    lines: Mapping[Place, int]

    @classmethod
    def parse(cls, path: Path, content: bytes) -> Document:
        """From the bytes of a file; a byte order mark, as editors on Windows write it, is no fault.

        Raises:
            BadConfig: it is not UTF-8, or not TOML; the problem names the line.
        """
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            raise BadConfig([Problem(plain(str(path)), line, "", "is not UTF-8 text")]) from error
        try:
            table = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise BadConfig([_fault(path, text, str(error))]) from error
        except RecursionError as error:
            problem = Problem(plain(str(path)), None, "", "nests its values too deeply")
            raise BadConfig([problem]) from error
        return cls(path, table, lines(text))

    def problem(self, place: Place, reason: str, within: Place = ()) -> Problem:
        """What is wrong with a key, or with its table where the key itself is not written.

        Args:
            place: the key's, in this file.
            reason: see `Problem`.
            within: the table of the config that the file is, such as a profile; only for the name of the key.
        """
        above = (place[:depth] for depth in range(len(place), 0, -1))
        line = next((self.lines[part] for part in above if part in self.lines), None)
        return Problem(plain(str(self.path)), line, dotted((*within, *place)), reason)


_SAID = re.compile(r"(?P<what>.*) \(at (?:line (?P<line>\d+), column \d+|end of document)\)", re.DOTALL)
_QUOTES = "texts are written in quotes"
_LETTERS = 'letters, digits, "-" and "_"'
_PLAINLY = {
    "Invalid value": f'has no value that TOML knows after its "=": {_QUOTES}, true and false in small letters',
    "Expected '=' after a key": 'has no "=" after it',
    "Expected newline or end of document": f"has something behind its value: {_QUOTES}, and so are numbers "
    "that begin with 0",
    "Illegal character '\\n'": "lacks a quote at the end of its text",
    "Illegal character": "has a character that TOML does not allow",
    "Unterminated string": "lacks a quote at the end of its text",
    "Expected \"'''\"": "lacks the quotes at the end of its text",
    'Expected "\'"': "lacks a quote at the end of its text",
    "Unescaped '\\'": r"has a backslash in its text: write it twice, or the text in '…'",
    "Unclosed array": 'lacks the "]" at the end of its list',
    "Unclosed inline table": 'lacks the "}" at the end of its table',
    "Invalid initial character": f"goes on with what is no key: one of {_LETTERS}, or a text in quotes",
    "Cannot ": "cannot stand beside what is written above it for the same name",
    "Expected ']": 'lacks the "]" at its end',
    "Invalid statement": 'is neither a key ("key = value") nor a table ("[table]") nor a comment ("# …")',
}
"""What tomllib says, by its beginning → how the sentence goes on after the key. Source: CPython, Lib/tomllib."""


def _fault(path: Path, text: str, said: str) -> Problem:
    """Why a text is not TOML, in words for somebody who does not know TOML."""
    match = _SAID.fullmatch(said)
    what = match["what"] if match else said
    line = int(match["line"]) if match and match["line"] else len(text.splitlines()) or 1
    before = [key for key in keys(text) if key.line <= line]
    reason = next((plainly for begins, plainly in _PLAINLY.items() if what.startswith(begins)), None)
    at = _statement(before)
    if at is None or reason is None or (at.line < line and "lacks" not in reason):
        what_stands = f"what stands here {reason}" if reason else plain(what)
        return Problem(plain(str(path)), line, "", f"{what_stands} (not TOML)")
    if what.startswith("Cannot ") and (first := _written(before[: before.index(at)], at.place)):
        return Problem(plain(str(path)), at.line, dotted(at.place), f"is written twice: at line {first}, too")
    return Problem(plain(str(path)), at.line, dotted(at.place), f"{reason} (not TOML)")


def _statement(before: list[Key]) -> Key | None:
    """The key that was read last; where that is within a list, the key that the list belongs to."""
    if not before:
        return None
    last = before[-1].place
    outer = next((last[:depth] for depth, part in enumerate(last) if isinstance(part, int)), last)
    return next(key for key in reversed(before) if key.place == outer)


def _written(before: list[Key], place: Place) -> int | None:
    return next((key.line for key in before if key.place == place and key.written), None)
