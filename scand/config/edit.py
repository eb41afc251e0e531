"""Change single keys in the text of a config, and leave everything else as it is: comments, order, spaces. Pure.

A key that is there as a comment with its default (`#root = "/mnt/nas"`) is written in that place, below its
explanation. The result is parsed and compared with what was wanted; a form that is not understood here (an inline
table, a value of several lines) is refused, never damaged.
"""

from __future__ import annotations

import copy
import json
import re
import tomllib
from typing import TYPE_CHECKING, Any

from scand.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

_HEADER = re.compile(r"\s*\[([^\[\]]+)\]\s*(#.*)?$")
# A value in one line; what stands behind it is a comment.
_VALUE = r"""(?:"(?:\\.|[^"\\])*"|'[^']*'|[^\s"'#\[{]+)"""


def edited(text: str, values: Mapping[tuple[str, str], str | bool]) -> str:
    """The text of a TOML file with some keys set.

    Args:
        text: of the file; it is TOML.
        values: (section, key) → the new value.

    Raises:
        ConfigError: a key is written in a form that is not changed here; the sentence says the line to write.
    """
    for (section, key), value in values.items():
        before = tomllib.loads(text)
        wanted = _with(before, section, key, value)
        if wanted == before:
            continue
        new = _set(text, section, key, written(value))
        if _parsed(new) != wanted:
            raise ConfigError(
                f"{section}.{key} is written in a form that is not changed automatically: write "
                f"{key} = {written(value)} below [{section}] by hand."
            )
        text = new
    return text


def _parsed(text: str) -> dict[str, Any] | None:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None


def _with(table: dict[str, Any], section: str, key: str, value: str | bool) -> dict[str, Any]:
    new = copy.deepcopy(table)
    inner = new.get(section)
    new[section] = {**(inner if isinstance(inner, dict) else {}), key: value}
    return new


def written(value: str | bool) -> str:
    """A value as TOML writes it: its basic strings have JSON's escapes, but for DEL, which is then refused."""
    return json.dumps(value, ensure_ascii=False)


def _set(text: str, section: str, key: str, value: str) -> str:
    lines = text.splitlines(keepends=True)
    start, end = _section(lines, section)
    if start is None:
        gap = "\n" if text.strip() else ""
        return f"{text.rstrip()}\n{gap}[{section}]\n{key} = {value}\n".lstrip("\n")
    present = re.compile(rf"(\s*{re.escape(key)}\s*=\s*){_VALUE}(\s*(?:#.*)?\n?)$")
    default = re.compile(rf"\s*#\s*{re.escape(key)}\s*=\s*{_VALUE}\s*(?:#.*)?$")
    for number in range(start, end):
        if found := present.match(lines[number]):
            lines[number] = f"{found[1]}{value}{found[2]}"
            return "".join(lines)
    for number in range(start, end):
        if default.match(lines[number]):
            lines[number] = f"{key} = {value}\n"
            return "".join(lines)
    while end > start and not lines[end - 1].strip():
        end -= 1
    if not lines[end - 1].endswith("\n"):
        lines[end - 1] += "\n"
    return "".join([*lines[:end], f"{key} = {value}\n", *lines[end:]])


def _section(lines: list[str], section: str) -> tuple[int | None, int]:
    """The numbers of the first line below a section's header, and of the first that is no longer its own."""
    start = None
    for number, line in enumerate(lines):
        if not line.lstrip().startswith("["):
            continue
        if start is not None:
            return start, number
        found = _HEADER.match(line)
        if found and found[1].strip() == section:
            start = number + 1
    return start, len(lines)
