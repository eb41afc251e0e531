"""Validators of paths, URLs, commands and titles in the config; pydantic expects ValueError of them."""

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
    """An absolute path, unchanged. "~" is refused: in a config it is no user's home."""
    if isinstance(value, Path):
        return value  # a default of the model
    if not isinstance(value, str) or not value.startswith("/") or not value.isprintable():
        raise ValueError
    return value


def command(value: Any) -> Any:
    """A command line whose program is an absolute path: a service's $PATH is not the user's."""
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
    """A URL that libpq can parse; nothing is connected or looked up.

    The error is ours: libpq's repeats the URL with its password.
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
