"""A client's own commit: what the trigger of 0015_client_commits lets through, and what it keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg.rows import dict_row

from scand.errors import ConfigError
from scand.queue import commit_by
from scand.queue.statements import read_sql

if TYPE_CHECKING:
    from collections.abc import Callable

    from scand.queue.connection import Connection

    Connect = Callable[..., Connection]

HASH, OTHER = "a" * 64, "b" * 64
STAGED = ".scan-staging/job-1/merged.pdf"


@pytest.fixture
def client(migrated_url: str, connect: Connect) -> Connection:
    """A session of a client that may commit, with one job that is committing."""
    connection = connect(migrated_url)
    connection.row_factory = dict_row
    commit_by.settle(connection, "client")
    with connection.transaction():
        connection.execute("SET LOCAL session_replication_role = replica")
        connection.execute(
            "INSERT INTO scan_jobs (title, status, nas_staging_path, file_hash, error, error_code)"
            " VALUES ('Letters', 'committing', %s, %s, 'late', 'client_timeout')",
            (STAGED, HASH),
        )
    return connection


def job(connection: Connection) -> dict[str, Any]:
    """The job's row."""
    row: dict[str, Any] | None = connection.execute("SELECT * FROM scan_jobs").fetchone()
    assert row is not None
    return row


def test_a_commit_names_the_file_and_the_agent_looks_for_it(client: Connection) -> None:
    """The hash of the preview stays, the error goes, and the agent has something to read back."""
    client.execute(
        "UPDATE scan_jobs SET status = 'committed', inbox_path = 'PKM/Inbox/Ämter (2).pdf', file_hash = NULL,"
        " nas_staging_path = NULL, read_back = true"
    )
    row = job(client)
    assert (row["status"], row["inbox_path"]) == ("committed", "PKM/Inbox/Ämter (2).pdf")
    assert (row["file_hash"], row["nas_staging_path"], row["read_back"]) == (HASH, STAGED, False)
    assert (row["error"], row["error_code"]) == (None, None)
    assert row["next_attempt_at"] is not None


@pytest.mark.parametrize(
    ("path", "sha256", "said"),
    [
        (None, HASH, "say where the document is now"),
        ("a.pdf", OTHER, f"has the SHA-256 {HASH}, not {OTHER}"),
        (STAGED, HASH, "relative to the NAS root"),
        *(
            (path, HASH, "relative to the NAS root")
            for path in (
                "",
                "/etc/passwd",
                "../a.pdf",
                "a/../b.pdf",
                "a//b.pdf",
                "a/",
                "a/.b.pdf",
                "a\nb",
                "a" * 256,
            )
        ),
    ],
)
def test_a_commit_that_does_not_hold_is_refused(
    client: Connection, path: str | None, sha256: str, said: str
) -> None:
    """Without a path, with a path that scand would not write, or with another document's hash."""
    with pytest.raises(psycopg.Error) as caught:
        client.execute(
            "UPDATE scan_jobs SET status = 'committed', inbox_path = %s, file_hash = %s", (path, sha256)
        )
    assert caught.value.sqlstate == "SD006"
    assert said in str(caught.value)
    assert job(client)["status"] == "committing"


@pytest.mark.parametrize(
    ("before", "said"),
    [
        ("file_hash = NULL", "it has no file_hash"),
        ("inbox_path = 'Inbox/T.pdf'", "the agent is publishing it as Inbox/T.pdf"),
        ("nas_staging_path = '../previews/job-1/merged.pdf'", None),
        ("nas_staging_path = 'previews/job-1/merged.pdf'", "the agent removes that"),
    ],
)
def test_what_the_row_said_before_decides(client: Connection, before: str, said: str | None) -> None:
    """A job may have no hash (an older scand's), or a name that the agent gave; and a preview is no document."""
    with client.transaction():
        client.execute("SET LOCAL session_replication_role = replica")
        client.execute(f"UPDATE scan_jobs SET {before}".encode())  # noqa: S608 - the test's own words
    commit = "UPDATE scan_jobs SET status = 'committed', inbox_path = 'previews/job-1/a.pdf'"
    if said is None:
        client.execute(commit.encode())
        return
    with pytest.raises(psycopg.Error, match=said):
        client.execute(commit.encode())


def test_a_client_cannot_name_a_publication_before_it_commits(client: Connection) -> None:
    """`inbox_path` of a committing job says that the agent may have published it; a client does not say that."""
    client.execute("UPDATE scan_jobs SET inbox_path = 'a.pdf', file_hash = NULL, error = 'the shelf is full'")
    row = job(client)
    assert (row["inbox_path"], row["file_hash"], row["error"]) == (None, HASH, "the shelf is full")


def test_a_late_commit_changes_nothing(client: Connection) -> None:
    """The agent took the job back to preview: 0 rows for a client that names the status, SD001 for any other."""
    client.execute("SET scand.actor = 'agent'")
    client.execute("UPDATE scan_jobs SET status = 'preview'")
    client.execute("RESET scand.actor")
    commit = "UPDATE scan_jobs SET status = 'committed', inbox_path = 'a.pdf'"
    assert client.execute(f"{commit} WHERE status = 'committing'".encode()).rowcount == 0
    with pytest.raises(psycopg.Error, match="preview → committed is not a step") as caught:
        client.execute(commit.encode())
    assert caught.value.sqlstate == "SD001"


def test_config_and_database_must_agree_on_who_commits(client: Connection) -> None:
    """Both ways a disagreement is told with the command that mends it."""
    commit_by.check(client, "client")
    for by in ("agent", None):
        with pytest.raises(ConfigError, match="scand migrate --commit-by agent"):
            commit_by.check(client, by)
    commit_by.settle(client, "agent")
    commit_by.check(client, "agent")
    commit_by.check(client, None)
    with pytest.raises(ConfigError, match="scand migrate --commit-by client"):
        commit_by.check(client, "client")


@pytest.mark.parametrize(("actor", "read_back"), [("client", False), ("agent", None)])
def test_what_a_client_committed_before_is_read_back_as_well(
    client: Connection, actor: str, read_back: bool | None
) -> None:
    """The migration marks such jobs while their pages are there; the agent read back what it committed itself."""
    with client.transaction():
        client.execute("SET LOCAL session_replication_role = replica")
        client.execute("UPDATE scan_jobs SET status = 'committed', staging_path = '/spool/jobs/1'")
        client.execute("DELETE FROM scan_job_events")
        client.execute(
            "INSERT INTO scan_job_events (job_id, actor, from_status, to_status)"
            " SELECT id, %s, 'committing', 'committed' FROM scan_jobs",
            (actor,),
        )
    with client.transaction():
        client.execute(read_sql("migrations/0015_client_commits.sql").encode())
        assert client.execute("SELECT scand_actor() AS actor").fetchone() == {"actor": "client"}
    row = job(client)
    assert row["read_back"] is read_back
    assert (row["next_attempt_at"] is not None) == (actor == "client")
