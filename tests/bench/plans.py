"""How PostgreSQL would run a statement: the indexes that it uses, and the tables that it reads completely."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psycopg import ClientCursor
from psycopg.rows import tuple_row

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from scand.queue.connection import Connection


@dataclass(frozen=True, slots=True)
class Plan:
    """What EXPLAIN says.

    Attributes:
        indexes: their names.
        scanned: the tables that are read completely.
    """

    indexes: frozenset[str]
    scanned: frozenset[str]


def plan(connection: Connection, statement: bytes, values: Mapping[str, object]) -> Plan:
    """The plan of a statement with its values, without running it."""
    cursor = ClientCursor(connection, row_factory=tuple_row)
    row = cursor.execute(b"EXPLAIN (FORMAT JSON) " + statement, values).fetchone()
    assert row is not None
    nodes = list(_nodes(row[0][0]["Plan"]))
    return Plan(
        frozenset(node["Index Name"] for node in nodes if "Index Name" in node),
        frozenset(node["Relation Name"] for node in nodes if node["Node Type"] == "Seq Scan"),
    )


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for below in node.get("Plans", ()):
        yield from _nodes(below)
