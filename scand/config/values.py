"""Paths, URLs, commands, titles as a config writes them: validators for pydantic, which heeds ValueError."""

from __future__ import annotations

import re
import shlex
import string
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from scand.jobs.settings import below_root

EMBEDDED = "embedded"
"""`database.url` for a PostgreSQL of scand's own."""


def absolute(value: Any) -> Any:
    """A path from "/" on, as it is written: "~" is nobody's home in a config."""
    if isinstance(value, Path):
        return value  # a default of the model
    if not isinstance(value, str) or not value.startswith("/") or not value.isprintable():
        raise ValueError
    return value


def command(value: Any) -> Any:
    """What a shell would run: an absolute path first, since a service's $PATH is nobody's own."""
    words = shlex.split(value) if isinstance(value, str) else [""]
    if words and not words[0].startswith("/"):
        raise ValueError
    return value


def staging(value: Any) -> Any:
    """A folder below the root, or an absolute path without ".."."""
    if not (isinstance(value, str) and value.startswith("/")):
        return below_root(value, hidden=True)
    if ".." in PurePosixPath(absolute(value)).parts or PurePosixPath(value) == PurePosixPath("/"):
        raise ValueError
    return str(PurePosixPath(value))


def url(value: Any) -> Any:
    """Nothing is looked up: only what libpq could not read is refused, in other words than its own.

    libpq repeats the URL in its error, and a password with it.
    """
    if not isinstance(value, str) or not _URL.match(value.strip()):
        raise ValueError
    try:
        conninfo_to_dict("" if value.strip() == EMBEDDED else value.strip())
    except psycopg.Error:
        raise ValueError from None
    return value.strip()


_URL = re.compile(r"embedded$|postgres(ql)?://|[a-z_]+ *=")


def title(value: Any) -> Any:
    """A format string over `now` and `host`, tried out: a signal must not find a broken one."""
    if not isinstance(value, str):
        raise ValueError  # noqa: TRY004 - pydantic listens to ValueError only
    for _, name, spec, _ in string.Formatter().parse(value):
        if name is not None and (name not in {"now", "host"} or "{" in (spec or "")):
            raise ValueError
        if name == "host" and spec:
            raise ValueError  # a width could be any number of gigabytes
    if not value.format(now=datetime.now().astimezone(), host="host").strip():
        raise ValueError
    return value
