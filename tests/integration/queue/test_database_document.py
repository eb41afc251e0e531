"""docs/database.md against a real PostgreSQL: every column, who may write it, and every statement."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from scand.queue.statements import read_sql
from tests.support.markdown import CHECKOUT, Document, rows

if TYPE_CHECKING:
    from collections.abc import Callable

    import psycopg

    Connection = psycopg.Connection[Any]
    Connect = Callable[..., Connection]

PAGE = Document(CHECKOUT / "docs" / "database.md")
_STATEMENT = re.compile(r"`((?:INSERT|UPDATE|SELECT) [^`]+)`")
_TYPES = {
    "bigserial": "bigint",
    "char": "character",
    "timestamptz": "timestamp with time zone",
}


def _told(table: str) -> dict[str, tuple[str, str]]:
    """Column → type and who may write it, as the page has them."""
    found: dict[str, tuple[str, str]] = {}
    for names, types, who, _what in rows(PAGE.section(table))[2:]:
        columns = re.findall(r"`(\w+)`", names)
        kinds = re.findall(r"\b(?:bigserial|bigint|boolean|integer|text|jsonb|char|timestamptz)\b", types)
        assert columns
        assert len(columns) == len(kinds), names
        found |= {name: (_TYPES.get(kind, kind), who) for name, kind in zip(columns, kinds, strict=True)}
    return found


@pytest.fixture
def owner(migrated_url: str, connect: Connect) -> Connection:
    """A superuser's session in a database whose roles are made."""
    connection = connect(migrated_url)
    connection.execute(read_sql("roles.sql").encode())
    return connection


@pytest.mark.parametrize("table", ["scan_jobs", "scan_job_batches"])
def test_every_column_is_told_with_its_type_and_who_may_write_it(owner: Connection, table: str) -> None:
    """The page's table is the schema's, and the rights those of sql/roles.sql."""
    columns = owner.execute(
        """SELECT column_name, data_type, has_column_privilege('scand_client', table_name, column_name, 'UPDATE'),
                  has_column_privilege('scand_agent', table_name, column_name, 'UPDATE')
             FROM information_schema.columns WHERE table_name = %s ORDER BY column_name""",
        (table,),
    ).fetchall()
    told = _told(table)
    assert {name: kind for name, kind, *_ in columns} == {name: kind for name, (kind, _who) in told.items()}
    for name, _kind, client, agent in columns:
        who = told[name][1]
        assert client == ("client" in who or who == "both"), name
        if table == "scan_jobs":  # the agent makes batches, and may write all of them
            assert agent == ("agent" in who or who == "both"), name


@pytest.mark.parametrize(
    ("table", "heading"),
    [
        ("scan_job_events", "scan_job_events"),
        ("scand_deleted_jobs", "scand_deleted_jobs"),
        ("scan_agent_status", "scan_agent_status"),
        ("scan_job_transitions", "scan_job_transitions"),
        ("scan_agent_health", "scan_agent_health (view)"),
        ("scan_queue_lag", "scan_queue_lag (view)"),
    ],
)
def test_every_other_column_is_named(owner: Connection, table: str, heading: str) -> None:
    """Below the heading of its table or view."""
    columns = owner.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_name = %s", (table,)
    ).fetchall()
    section = PAGE.section(heading)
    assert columns
    assert [name for (name,) in columns if f"`{name}`" not in section] == []


def test_every_statement_can_be_run(owner: Connection) -> None:
    """PostgreSQL plans each statement of the page and of README: every table and column in it is there."""
    readme = Document(CHECKOUT / "README.md")
    fenced = [
        block
        for document in (PAGE, readme)
        for block in re.findall(r"```sql\n(.*?)```", document.text, re.DOTALL)
    ]
    statements = [*_STATEMENT.findall(PAGE.prose), *(one for block in fenced for one in block.split(";"))]
    statements = [statement for statement in statements if statement.strip()]
    assert len(statements) > 15
    for statement in statements:
        owner.execute(f"EXPLAIN {statement}".encode())


def test_the_sqlstates_are_the_triggers(owner: Connection) -> None:
    """The page names every SQLSTATE of scand's own that a trigger can raise."""
    sources = owner.execute("SELECT prosrc FROM pg_proc WHERE proname LIKE 'scand%'").fetchall()
    raised = {state for (source,) in sources for state in re.findall(r"'(SD\d{3})'", source)}
    assert raised == set(re.findall(r"`(SD\d{3})`", PAGE.text))
