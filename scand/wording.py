"""How a value, a near miss and a refusal are put into a sentence for a person.

Settings come from clients and configs from editors: whatever stands there, the sentence stays short.
"""

from __future__ import annotations

import difflib
import re
import reprlib
from datetime import date, time
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple, TypeGuard

from pydantic import BaseModel, SecretStr, ValidationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pydantic.fields import FieldInfo

_LONGEST = 60  # characters of a value that a sentence shows
MOST = 3
"""Complaints in one sentence; the rest is counted."""


def shown(value: object) -> str:
    """A value as a sentence shows it: strings in double quotes, anything long or deep cut short."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return f'"{_short(plain(value[: _LONGEST + 1]))}"'
    if isinstance(value, date | time):  # and datetime, which is a date
        return value.isoformat()
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        value = int(value)  # as it was written, mostly: settings are made floats before they are judged
    value = list(value) if isinstance(value, tuple) else value
    brief = reprlib.Repr()
    brief.maxlevel, brief.maxdict, brief.maxlist, brief.maxstring, brief.maxother = 2, 3, 3, 30, 30
    try:
        text = brief.repr(value)
    except ValueError:  # an int of thousands of digits: Python refuses to print it
        return "a huge number"
    return _short(text)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def plain(text: str) -> str:
    """Text on one line, without what a terminal would obey; whole, unlike `shown`."""
    return "".join(map(_visible, text))


def _visible(sign: str) -> str:
    return sign if sign.isprintable() else sign.encode("unicode_escape").decode()


def counted(number: int, noun: str) -> str:
    """A number and its noun: "1 page", "3 batches"."""
    plural = f"{noun}es" if noun.endswith("ch") else f"{noun}s"
    return f"{number} {noun if number == 1 else plural}"


def either(values: Iterable[object]) -> str:
    """`"a", "b" or "c"`."""
    *front, last = [shown(value) for value in values]
    return f"{', '.join(front)} or {last}" if front else last


def meant(word: object, known: Sequence[str]) -> str:
    """` (did you mean "duplex"?)`, or nothing where no known word is near."""
    if not isinstance(word, str):
        return ""
    spelt = {name.casefold(): name for name in known}
    near = difflib.get_close_matches(word[:_LONGEST].casefold(), spelt, n=1)
    return f" (did you mean {shown(spelt[near[0]])}?)" if near else ""


def together(complaints: Sequence[object], count: int = 0) -> str:
    """Several complaints as one sentence; what is beyond the first few is counted.

    Args:
        count: how many there are in all, where that is more than are given.
    """
    more = max(count, len(complaints)) - MOST
    parts = [*map(str, complaints[:MOST]), *([f"and {more} more"] if more > 0 else [])]
    return "; ".join(parts)


class Complaint(NamedTuple):
    """What is wrong with one key.

    Attributes:
        place: the key's way from the top: ("nas", "root").
        reason: how the sentence goes on after the key's name: `is "mnt/nas", but must be absolute`.
    """

    place: tuple[str | int, ...]
    reason: str

    def __str__(self) -> str:
        return f"{dotted(self.place)} {self.reason}"


def dotted(place: Sequence[str | int]) -> str:
    """A key's name as TOML writes it: `nas.root`, `profiles."my book".offset[0]`."""
    name = ""
    for part in place:
        if isinstance(part, int):
            name += f"[{part}]"
        else:
            name += ("." if name else "") + (part if _BARE.fullmatch(part) else shown(part))
    return name


_BARE = re.compile(r"[A-Za-z0-9_-]{1,60}")


def complaints(
    error: ValidationError,
    model: type[BaseModel],
    noun: str,
    most: int | None = None,
    elsewhere: Mapping[str, str] | None = None,
) -> list[Complaint]:
    """What pydantic found wrong, one complaint a key.

    What a field must be is its enum's values, or its `description`.

    Args:
        error: of validating `model`.
        model: with models as its sections, or without.
        noun: what a key is, "a setting".
        most: no more than so many; None: all.
        elsewhere: keys that belong to another table, and which.
    """
    found = error.errors(include_url=False)[:most]
    return [_complaint(one, model, noun, elsewhere or {}) for one in found]


def _complaint(found: Any, model: type[BaseModel], noun: str, elsewhere: Mapping[str, str]) -> Complaint:
    place, value = tuple(found["loc"]), found["input"]
    holder, field, depth = _field(model, place)
    missing = found["type"] == "missing"
    if field is None:
        table = elsewhere.get(str(place[-1]))
        belongs = f" here; it belongs below [{table}]" if table else ""
        return Complaint(place, f"is not {noun}{belongs or meant(place[-1], list(holder.model_fields))}")
    if missing and depth == len(place):
        return Complaint(place, f"is missing: it must be {_possible(field)}")
    if _secret(field):
        return Complaint(place, f"is not {_possible(field)}")
    if isinstance(place[-1], str) and depth < len(place):  # a table by any name: profiles.NAME
        return Complaint(place, f"is {shown(value)}, but must be a table, [{dotted(place)}]")
    verb = "is" if missing or depth == len(place) else "holds"
    hint = meant(value, [*_values(field), *(field.examples or [])]) or _unquoted(value, field)
    return Complaint(place[:depth], f"{verb} {shown(value)}, but must be {_possible(field)}{hint}")


def _field(
    model: type[BaseModel], place: Sequence[str | int]
) -> tuple[type[BaseModel], FieldInfo | None, int]:
    """The model that a place leads to, the field in it, and how many steps lead there; no field: no such key."""
    for depth, key in enumerate(place, 1):
        field = model.model_fields.get(str(key))
        inner = field.annotation if field else None
        if depth == len(place) or field is None or not _is_model(inner):
            return model, field, depth
        model = inner
    return model, None, len(place)


def _is_model(kind: Any) -> TypeGuard[type[BaseModel]]:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _secret(field: FieldInfo) -> bool:
    """Whether its value may hold a password: then it is never shown."""
    kind = field.annotation
    inner = kind.model_fields.values() if _is_model(kind) else ()
    return kind is SecretStr or any(one.annotation is SecretStr for one in inner)


def _possible(field: FieldInfo) -> str:
    return field.description or (either(_values(field)) if _values(field) else "a table")


def _values(field: FieldInfo) -> list[str]:
    kind = field.annotation
    if isinstance(kind, type) and issubclass(kind, Enum):
        return [str(member.value) for member in kind]
    return []


def _unquoted(value: object, field: FieldInfo) -> str:
    """What is right but for its quotes."""
    plain = {int, float, bool, int | None, float | None}
    bare = isinstance(value, str) and _BARE_VALUE.fullmatch(value.strip())
    return (
        " (without quotes)" if bare and field.annotation in plain and "quotes" not in _possible(field) else ""
    )


_BARE_VALUE = re.compile(r"true|false|-?[0-9]+(\.[0-9]+)?")
