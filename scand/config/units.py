"""How a config writes durations, sizes and file modes."""

from __future__ import annotations

import re
from typing import Any

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
LONGEST = 100 * 365 * 86400.0
"""Seconds: a hundred years. A time that long ago is still within the range of PostgreSQL's times."""

_BYTES = {
    "": 1, "B": 1,
    "kB": 10**3, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12,
    "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40,
}  # fmt: skip
_NUMBER = re.compile(r"(\d{1,9}(?:\.\d{1,6})?) ?([A-Za-z]*)")
_MODE = re.compile(r"0?[0-7]{3}")


def _parts(value: Any) -> tuple[float, str]:
    match = _NUMBER.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError
    return float(match[1]), match[2]


def duration(value: Any) -> Any:
    """Seconds: "500ms", "60s", "15m", "2h", "7d", "2w". A bare number is refused: its unit would be a guess.

    Raises:
        ValueError: it is not a duration.
    """
    if isinstance(value, float):
        return value  # a default of the model
    number, unit = _parts(value)
    if unit not in _SECONDS or number * _SECONDS[unit] > LONGEST:
        raise ValueError
    return number * _SECONDS[unit]


def size(value: Any) -> Any:
    """Bytes: "2GiB", "500MB", "0".

    Raises:
        ValueError: it is not a size.
    """
    number, unit = _parts(value)
    if unit not in _BYTES:
        raise ValueError
    return int(number * _BYTES[unit])


def octal(value: Any) -> Any:
    """A file mode from octal digits, "0640". The owner reads and writes, else nothing could be verified.

    Raises:
        ValueError: it is not such a mode.
    """
    if not isinstance(value, str) or _MODE.fullmatch(value) is None or int(value, 8) & 0o600 != 0o600:
        raise ValueError
    return int(value, 8)
