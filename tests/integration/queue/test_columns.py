"""What a client may write: one list in the code, docs/database.md, sql/roles.sql and the guards."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from scand.jobs.columns import (
    CLIENT_INSERTS,
    CLIENT_UPDATES,
    COMMIT_CLIENT_UPDATES,
    COMMITTING_CLIENT_UPDATES,
    DOCUMENT_SERVER_UPDATES,
    FIXED_BY_THE_COMMIT,
)
from scand.queue.schema import migrate
from scand.queue.statements import read_sql
from tests.support.markdown import CHECKOUT, Document, rows

if TYPE_CHECKING:
    from collections.abc import Callable

    Connection = psycopg.Connection[Any]
    Connect = Callable[..., Connection]

OTHER_VALUE = {
    "bigint": "7777",
    "integer": "7777",
    "text": "'another'",
    "jsonb": """'{"another": 1}'""",
    "character": "repeat('e', 64)",
    "numeric": "77.5",
    "bytea": "'another'",
    "boolean": "true",
    "timestamp with time zone": "timestamptz '2035-06-07 08:09:10.123456Z'",
}
"""A value of each type that no row of these tests has."""

SPECIAL = {
    "doc_id": "(SELECT max(id) FROM documents)",
    "steps": "steps + 1",
    "side": "'back'",
    "choice": "'dropped'",
    "turn": "90",
}


@pytest.fixture
def owner(migrated_url: str, connect: Connect) -> Connection:
    """A superuser's session: a client, since nothing says that it is the agent."""
    return connect(migrated_url)


def columns(owner: Connection, table: str) -> dict[str, str]:
    """Column → type."""
    found = "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = %s"
    return dict(owner.execute(found, (table,)).fetchall())


def a_row(owner: Connection, table: str, status: str) -> None:
    """One job with one batch and nothing else, and a document that no job has yet."""
    owner.execute("INSERT INTO documents (id) SELECT coalesce(max(id), 0) + 1 FROM documents")
    with owner.transaction():
        owner.execute("SET LOCAL session_replication_role = replica")
        owner.execute("DELETE FROM scan_job_batches")
        owner.execute("DELETE FROM scan_job_pages")
        owner.execute("DELETE FROM scan_jobs")
        owner.execute("INSERT INTO scan_jobs (id, title, status) VALUES (1, 'a', %s)", (status,))
        if table == "scan_job_batches":
            owner.execute(
                "INSERT INTO scan_job_batches (id, job_id, batch_seq, answered) VALUES (1, 1, 1, false)"
            )
        if table == "scan_job_pages":
            owner.execute(
                "INSERT INTO scan_job_pages (job_id, batch_seq, page, sheet, side, width_mm, height_mm, sha256)"
                " VALUES (1, 1, 1, 1, 'front', 210, 297, repeat('0', 64))"
            )


def changed_by(owner: Connection, table: str, status: str = "ready") -> set[str]:
    """The columns that hold another value after a client wrote one, and a new row did not come of it."""
    found = set()
    for name, kind in columns(owner, table).items():
        if name == "status":
            a_row(owner, table, "ready")
            new = {"scan_jobs": "'scanning'", "scan_job_batches": "'discarded'"}[table]
        else:
            a_row(owner, table, status)
            new = SPECIAL.get(name, OTHER_VALUE[kind])
        before = owner.execute(f"SELECT {name}::text FROM {table}".encode()).fetchall()  # noqa: S608
        try:
            owner.execute(f"UPDATE {table} SET {name} = {new}".encode())  # noqa: S608
        except psycopg.Error as error:
            assert error.sqlstate == "SD002", name  # noqa: PT017 - others are asked for one by one, too
            continue
        after = owner.execute(f"SELECT {name}::text FROM {table}".encode()).fetchall()  # noqa: S608
        if after != before:
            found.add(name)
    return found


KEPT_BY_TRIGGERS = {
    "scan_jobs": {"updated_at", "last_activity_at"},
    "scan_job_batches": set[str](),
    "scan_job_pages": set[str](),
}
"""Columns that hold another value after any write of a client: not the one that it wrote."""


@pytest.mark.parametrize("table", list(CLIENT_UPDATES))
def test_the_guards_let_a_client_change_what_is_listed_and_nothing_else(
    owner: Connection, table: str
) -> None:
    """Column by column, without any role: what is not listed keeps its value, or the move is refused."""
    owner.execute("ALTER TABLE documents ALTER title DROP NOT NULL")
    assert changed_by(owner, table) - KEPT_BY_TRIGGERS[table] == CLIENT_UPDATES[table]
    for name in KEPT_BY_TRIGGERS[table]:
        a_row(owner, table, "ready")
        owner.execute(f"UPDATE {table} SET {name} = {OTHER_VALUE['timestamp with time zone']}".encode())  # noqa: S608
        assert owner.execute(f"SELECT {name} < now() + interval '1 h' FROM {table}".encode()).fetchone() == (  # noqa: S608
            True,
        )


def test_a_client_that_commits_writes_more_while_it_commits(owner: Connection) -> None:
    """Only where client-commits.sql was run, and only of a job that is committing."""
    owner.execute("ALTER TABLE documents ALTER title DROP NOT NULL")
    kept = KEPT_BY_TRIGGERS["scan_jobs"]
    usual = CLIENT_UPDATES["scan_jobs"] - FIXED_BY_THE_COMMIT
    assert changed_by(owner, "scan_jobs", "committing") - kept == usual
    owner.execute(read_sql("client-commits.sql").encode())
    more = usual | COMMITTING_CLIENT_UPDATES
    assert changed_by(owner, "scan_jobs", "committing") - kept == more
    assert changed_by(owner, "scan_jobs", "preview") - kept == CLIENT_UPDATES["scan_jobs"]


def test_a_document_server_links_its_documents(database_url: str, connect: Connect) -> None:
    """Where the table documents is not scand's, doc_id is a client's, too; with the role as without."""
    owner = connect(database_url)
    owner.execute("CREATE TABLE documents (id bigint PRIMARY KEY)")
    migrate(owner)
    owner.execute(read_sql("roles.sql").encode())
    kept = KEPT_BY_TRIGGERS["scan_jobs"]
    expected = CLIENT_UPDATES["scan_jobs"] | DOCUMENT_SERVER_UPDATES
    assert changed_by(owner, "scan_jobs", "committed") - kept == expected - FIXED_BY_THE_COMMIT
    assert granted(owner, "scan_jobs", "UPDATE") == expected


@pytest.mark.parametrize("table", list(CLIENT_INSERTS))
def test_a_new_row_holds_what_is_listed_of_what_a_client_wrote(owner: Connection, table: str) -> None:
    """All columns written, as a mapper does: the others begin as they must, but for an id of the client's own."""
    owner.execute("INSERT INTO documents (id, title) VALUES (7777, 'a')")
    names = columns(owner, table)
    values = {name: OTHER_VALUE[kind] for name, kind in names.items()}
    a_job = {
        "scan_jobs": {"status": "'queued'"},
        "scan_job_batches": {"status": "'discarded'", "job_id": "1"},
        "scan_job_pages": {"job_id": "1", "choice": "'kept'", "side": "'back'", "turn": "90"},
    }
    values |= a_job[table]
    insert = f"INSERT INTO {table} ({', '.join(values)}) VALUES ({', '.join(values.values())})".encode()  # noqa: S608
    if not CLIENT_INSERTS[table]:
        owner.execute("INSERT INTO scan_jobs (id, title) VALUES (1, 'a')")
        with pytest.raises(psycopg.Error, match="are made by scanning") as caught:
            owner.execute(insert)
        assert caught.value.sqlstate == "SD002"
        return
    owner.execute(insert)
    found = {
        name
        for name, value in values.items()
        if owner.execute(f"SELECT {name} IS NOT DISTINCT FROM {value} FROM {table}".encode()).fetchone()  # noqa: S608
        == (True,)
    }
    assert found == CLIENT_INSERTS[table] | {"id"}


def granted(owner: Connection, table: str, right: str) -> set[str]:
    """The columns for which scand_client has a right."""
    asked = """SELECT column_name FROM information_schema.columns WHERE table_name = %s
                  AND has_column_privilege('scand_client', table_name::text, column_name::text, %s)"""
    return {name for (name,) in owner.execute(asked, (table, right)).fetchall()}


@pytest.mark.parametrize("table", list(CLIENT_UPDATES))
def test_the_roles_grant_what_is_listed(owner: Connection, table: str) -> None:
    """sql/roles.sql, and sql/client-commits.sql on top of it."""
    owner.execute(read_sql("roles.sql").encode())
    assert granted(owner, table, "UPDATE") == CLIENT_UPDATES[table]
    assert granted(owner, table, "INSERT") == CLIENT_INSERTS[table]
    owner.execute(read_sql("client-commits.sql").encode())
    more = COMMITTING_CLIENT_UPDATES | COMMIT_CLIENT_UPDATES if table == "scan_jobs" else set()
    assert granted(owner, table, "UPDATE") == CLIENT_UPDATES[table] | more


@pytest.mark.parametrize("table", list(CLIENT_UPDATES))
def test_the_document_says_what_is_listed(table: str) -> None:
    """The column "who" of docs/database.md."""
    page = Document(CHECKOUT / "docs" / "database.md")
    told = set()
    for names, _types, who, _what in rows(page.section(table))[2:]:
        if "client" in who or who == "both":
            told |= set(re.findall(r"`(\w+)`", names))
    assert told == CLIENT_UPDATES[table]
