"""Validators for values as clients write them.

pydantic takes a ValueError without text: the sentence comes from the field's description (see `scand.wording`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any


def folded(value: Any) -> Any:
    """A string in lower case; anything else as it is."""
    return value.casefold() if isinstance(value, str) else value


def whole(value: Any) -> Any:
    """An int. 300.0 is 300, since JSON has one kind of number; true and "300" are refused.

    Raises:
        ValueError: the value is no whole number.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
        raise ValueError
    return int(value)


def number(value: Any) -> Any:
    """A float, from a JSON number; true and "2" are refused.

    Raises:
        ValueError: the value is no number.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError  # noqa: TRY004 - pydantic listens to ValueError only
    return float(value)


def numbers(value: Any) -> Any:
    """A tuple of floats, from a list of JSON numbers.

    Raises:
        ValueError: the value is no list of numbers.
    """
    if not isinstance(value, list | tuple):
        raise ValueError  # noqa: TRY004 - pydantic listens to ValueError only
    return tuple(number(one) for one in value)


def below_root(value: Any, *, hidden: bool = False) -> Any:
    """A folder below the NAS root, as it is written: relative, without ".."; "." is the root itself.

    Args:
        value: the folder.
        hidden: for a folder that is scand's own: it may begin with a dot, and is not the root. An Inbox must keep
            out of `.scan-staging`.

    Raises:
        ValueError: it is no such path, or no file system could have it.
    """
    if not isinstance(value, str):
        raise ValueError  # noqa: TRY004 - pydantic listens to ValueError only
    if value in {".", "./"} and not hidden:
        return "."
    parts = value.removesuffix("/").split("/")
    for part in parts:
        if part in {"", ".", ".."} or (part.startswith(".") and not hidden):
            raise ValueError
        if not part.isprintable() or len(part.encode()) > 255:
            raise ValueError
    return "/".join(parts)


def pairs(value: Any) -> Any:
    """A tuple of (name, value) in order, from an object or a list of pairs.

    Raises:
        ValueError: it is neither, a name comes twice, or a value is no string, finite number or bool.
    """
    pairs = list(value.items()) if isinstance(value, Mapping) else value
    if not isinstance(pairs, list | tuple):
        raise ValueError  # noqa: TRY004 - pydantic listens to ValueError only
    for pair in pairs:
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise ValueError
        name, setting = pair
        if not isinstance(name, str) or not name or not isinstance(setting, str | int | float):
            raise ValueError
        if isinstance(setting, float) and not math.isfinite(setting):
            raise ValueError
    if len({name for name, _ in pairs}) < len(pairs):
        raise ValueError
    return tuple((name, setting) for name, setting in pairs)
