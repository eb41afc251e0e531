"""How a value, a near miss and a refusal are put into a sentence for a person.

Settings come from clients and configs from editors: whatever stands there, the sentence stays short.
"""

from __future__ import annotations

import difflib
import reprlib
from enum import Enum
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, SecretStr, ValidationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pydantic.fields import FieldInfo

_LONGEST = 60  # characters of a value that a sentence shows
MOST = 3
"""Complaints in one sentence; the rest is counted."""


def shown(value: object) -> str:
    """A value as a sentence shows it: strings in double quotes, anything long or deep cut short."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return f'"{_short("".join(map(_visible, value[: _LONGEST + 1])))}"'
    brief = reprlib.Repr()
    brief.maxlevel, brief.maxdict, brief.maxlist, brief.maxstring, brief.maxother = 2, 3, 3, 30, 30
    try:
        text = brief.repr(value)
    except ValueError:  # an int of thousands of digits: Python refuses to print it
        return "a huge number"
    return _short(text)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _visible(sign: str) -> str:
    """Control characters would break the one line of a log, or a terminal."""
    return sign if sign.isprintable() else sign.encode("unicode_escape").decode()


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


def together(complaints: Sequence[str], count: int = 0) -> str:
    """Several complaints as one sentence; what is beyond the first few is counted.

    Args:
        count: how many there are in all, where that is more than are given.
    """
    more = max(count, len(complaints)) - MOST
    parts = [*complaints[:MOST], *([f"and {more} more"] if more > 0 else [])]
    return "; ".join(parts)


def complaints(
    error: ValidationError, model: type[BaseModel], noun: str, most: int | None = None
) -> list[str]:
    """What pydantic found wrong, one clause each, as `section.key` of `model`.

    What a field may be is its enum's values, or its `description`.

    Args:
        error: of validating `model`.
        model: with models as its sections, or without.
        noun: what a key is, "a setting".
        most: no more than so many; None: all.
    """
    return [_complaint(found, model, noun) for found in error.errors(include_url=False)[:most]]


def _complaint(found: Any, model: type[BaseModel], noun: str) -> str:
    path = [str(part) for part in found["loc"]]
    holder, field = _place(model, path)
    name = ".".join(shown(part)[1:-1] for part in path)
    if found["type"] == "extra_forbidden":
        return f"{name} is not {noun}{meant(path[-1], list(holder.model_fields))}"
    if field is None:
        return f"{name}: {found['msg']}"
    if found["type"] == "missing":
        return f"{name} is missing: it may be {_possible(field)}"
    if field.annotation is SecretStr:
        return f"{name} is not {_possible(field)}"
    return f"{name} is {shown(found['input'])}, but may be {_possible(field)}" + (
        meant(found["input"], [*_values(field), *(field.examples or [])])
    )


def _place(model: type[BaseModel], path: Sequence[str]) -> tuple[type[BaseModel], FieldInfo | None]:
    """The model that holds the last key of a path, and the field where it has one."""
    field: FieldInfo | None = None
    for key in path:
        inner = field.annotation if field else None
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            model = inner
        field = model.model_fields.get(key)
    return model, field


def _possible(field: FieldInfo) -> str:
    return field.description or (either(_values(field)) if _values(field) else "a table")


def _values(field: FieldInfo) -> list[str]:
    kind = field.annotation
    if isinstance(kind, type) and issubclass(kind, Enum):
        return [str(member.value) for member in kind]
    return []
