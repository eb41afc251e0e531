"""Named statements: `sql/queries.sql` is the agent's, `sql/desk.sql` the command line's."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from scand.sqlfiles import read_sql

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


def load(file: str = "queries.sql") -> Mapping[str, bytes]:
    """Every statement of one file by its name.

    Bytes, since psycopg takes a trusted statement as bytes or a literal.
    """
    parts = _NAME.split(read_sql(file))
    return {name: body.strip().encode() for name, body in zip(parts[1::2], parts[2::2], strict=True)}
