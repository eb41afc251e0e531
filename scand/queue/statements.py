"""Named statements: `sql/agent.sql` is the agent's, `sql/client.sql` the command line's."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


# Advisory locks are numbers, one space for a whole database. Ours are eight letters read as a bigint, so that
# they hardly meet another program's, and whoever meets them in pg_locks can read them.
MIGRATION_LOCK = int.from_bytes(b"scandsql")
"""Held while migrations run: one `scand migrate` at a time."""


AGENT_LOCK = int.from_bytes(b"scandrun")
"""Held by the one daemon that serves this database, for as long as its session lives."""


def sql_directory() -> Path:
    """Where the SQL files are: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).parents[1]
    packaged = package / "sql"
    return packaged if packaged.is_dir() else package.parent / "sql"


def read_sql(name: str) -> str:
    """The text of one file, `name` being relative to `sql_directory()`: "agent.sql".

    Raises:
        OSError: there is no such file: the installation is incomplete.
    """
    return (sql_directory() / name).read_text(encoding="utf-8")


_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


def load(file: str = "agent.sql") -> Mapping[str, bytes]:
    """Every statement of one file by its name.

    Bytes, since psycopg takes a trusted statement as bytes or a literal.
    """
    parts = _NAME.split(read_sql(file))
    return {name: body.strip().encode() for name, body in zip(parts[1::2], parts[2::2], strict=True)}
