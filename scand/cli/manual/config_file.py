"""scand.toml(5): the keys from the models of the config, with the comments of the example."""

from __future__ import annotations

import re
from enum import Enum
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

from pydantic import BaseModel

from scand import __version__
from scand.cli.manual import roff
from scand.config import Config
from scand.jobs.settings import Settings
from scand.wording import either

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic.fields import FieldInfo

_PROFILES = "profiles.default"
"""The section of the example in which a profile's keys are explained."""

_DESCRIPTION = """
The config of `scand` is one TOML file: what `--config` says, or $SCAND_CONFIG, or `~/.config/scand/scand.toml`, or
`/etc/scand/scand.toml`. The daemon needs nas.root and database.url, the other commands database.url only. A daemon
reads a changed file by itself; one with an error is refused as a whole, and the old config stays.

Each key is shown with its default, or with an example where a config must say it.
"""

_TABLE = re.compile(r"\[([a-z.]+)\]$")
_KEY = re.compile(r"#?([a-z_]+) = (.*)$")


def scand_toml_5(date: str, example: str) -> list[str]:
    """The page, line by line.

    Args:
        date: `2026-11-30`.
        example: the text of systemd/scand.toml.
    """
    opening, told = explained(example)
    units = opening.split("\n\n")[-1]
    lines = [
        *roff.title("scand.toml", 5, date, f"scand {__version__}", "scand"),
        *roff.heading("Name"),
        r"scand.toml \- the config of scand",
        *roff.heading("Description"),
        *roff.paragraphs(_DESCRIPTION + "\n" + units),
        *roff.heading("Sections"),
    ]
    for name, field in Config.model_fields.items():
        model = field.annotation
        if isinstance(model, type) and issubclass(model, BaseModel):
            lines += [*roff.subheading(f"[{name}]"), *_keys(name, model, told)]
    return [
        *lines,
        *roff.subheading("[profiles.NAME], or the file profiles.d/NAME.toml"),
        *roff.paragraphs("What a job asks for unless it says otherwise."),
        *_keys(_PROFILES, Settings, told, without=frozenset({"profile"})),
        *roff.heading("See also"),
        *roff.paragraphs("scand(1)"),
    ]


def explained(example: str) -> tuple[str, dict[tuple[str, str], tuple[str, str]]]:
    """The comments of the example config.

    A comment is about the keys below it, down to the next comment.

    Args:
        example: the text of systemd/scand.toml.

    Returns:
        The text before the first section; and section, key → comment, the value that is shown.
    """
    opening: list[str] = []
    comment: list[str] = []
    table, keys_follow = "", False
    told: dict[tuple[str, str], tuple[str, str]] = {}
    for line in example.splitlines():
        if found := _TABLE.match(line):
            opening = opening if table else comment
            table, comment = found[1], []
        elif table and (found := _KEY.match(line)):
            told[table, found[1]] = "\n".join(comment), found[2]
            keys_follow = True
        else:
            comment = [] if keys_follow else comment
            comment.append(line.removeprefix("#").strip())
            keys_follow = False
    return "\n".join(opening), told


def _keys(
    section: str,
    model: type[BaseModel],
    told: dict[tuple[str, str], tuple[str, str]],
    without: frozenset[str] = frozenset(),
) -> Iterator[str]:
    entries = []
    for key, field in model.model_fields.items():
        comment, value = told.get((section, key), ("", ""))
        may_be = _possible(field)
        text = "\n\n".join(part for part in (comment, f"May be {may_be}." if may_be else "") if part)
        entries += [(text, f"{key} = {value}" if value else key)] if key not in without else []
    for text, group in groupby(entries, key=itemgetter(0)):
        first, *others = (term for _, term in group)
        yield from roff.entry(first, text, *others)


def _possible(field: FieldInfo) -> str:
    """What a value may be, in words; empty where the model does not say."""
    return field.description or (either(values) if (values := _values(field.annotation)) else "")


def _values(kind: Any) -> list[str]:
    """The words of an enumeration."""
    if isinstance(kind, type) and issubclass(kind, Enum):
        return [str(member.value) for member in kind]
    return [str(word) for word in get_args(kind)] if get_origin(kind) is Literal else []
