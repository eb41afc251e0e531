"""The contract with a document server that shares the database."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import psycopg
import pytest

from scand.queue.schema import migrate
from scand.queue.statements import read_sql
from tests.support.site import Site, numbers, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import Any

    from tests.support.site import Simulator

    Login = Callable[..., psycopg.Connection[Any]]

SERVER_TABLES = """
CREATE TABLE documents (id BIGSERIAL PRIMARY KEY, name TEXT NOT NULL, uploaded BOOLEAN);
CREATE TABLE scan_jobs (
    id BIGSERIAL PRIMARY KEY, title TEXT NOT NULL, settings JSONB NOT NULL DEFAULT '{}',
    status TEXT NOT NULL DEFAULT 'draft', batch_count INTEGER NOT NULL DEFAULT 0, page_count INTEGER,
    last_activity_at TIMESTAMPTZ, last_progress_at TIMESTAMPTZ, staging_path TEXT, nas_staging_path TEXT,
    inbox_path TEXT, file_hash CHAR(64), doc_id BIGINT REFERENCES documents(id) ON DELETE SET NULL, error TEXT,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(), updated_at TIMESTAMPTZ NOT NULL DEFAULT now());
CREATE TABLE scan_job_batches (
    id BIGSERIAL PRIMARY KEY, job_id BIGINT NOT NULL REFERENCES scan_jobs ON DELETE CASCADE,
    batch_seq INTEGER NOT NULL, staging_path TEXT, page_count INTEGER, status TEXT NOT NULL DEFAULT 'scanned',
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(), UNIQUE (job_id, batch_seq));
CREATE TABLE scan_agent_status (
    id INTEGER PRIMARY KEY CHECK (id = 1), last_heartbeat TIMESTAMPTZ, agent_version TEXT,
    current_job_id BIGINT REFERENCES scan_jobs ON DELETE SET NULL, updated_at TIMESTAMPTZ DEFAULT now());
CREATE UNIQUE INDEX uq_scan_jobs_single_active ON scan_jobs ((TRUE))
    WHERE status IN ('ready', 'scanning', 'assembling', 'preview', 'committing');
CREATE INDEX idx_scan_jobs_queued ON scan_jobs (created_at) WHERE status = 'queued';
CREATE INDEX idx_scan_jobs_file_hash ON scan_jobs (file_hash) WHERE file_hash IS NOT NULL;
CREATE INDEX idx_scan_job_batches_job ON scan_job_batches (job_id, batch_seq);
INSERT INTO scan_jobs (title, status) VALUES ('from before', 'archived'), ('done', 'committed');
INSERT INTO scan_job_batches (job_id, batch_seq, status) VALUES (1, 1, 'odd');
"""


@pytest.fixture
def servers_url(database_url: str) -> str:
    """A database that a document server created first, migrated by scand."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(SERVER_TABLES)
        migrate(connection)
    return database_url


@pytest.fixture
def shared(tmp_path: Path, servers_url: str, scanner: Simulator) -> Iterator[Site]:
    """A site on that database, whose config says who commits."""
    site = Site(tmp_path, servers_url, scanner.config, extra='[commit]\nby = "agent"')
    yield site
    site.close()


def test_a_job_is_committed_on_a_document_servers_tables(shared: Site) -> None:
    """The server's rows stay, its documents table is left alone, and linking is its own work."""
    shared.serving()
    job = shared.submit("Shared", scan="auto", finish="commit")
    row = shared.wait(job, "committed")
    assert numbers(shared.nas / row["inbox_path"]) == list(range(1, 7))
    assert row["doc_id"] is None
    assert shared.sql("SELECT * FROM documents") == []
    shared.sql("UPDATE scan_jobs SET title = 'still mine' WHERE id = 1")
    shared.sql("UPDATE scan_job_batches SET page_count = 3 WHERE job_id = 1")
    shared.sql("DELETE FROM scan_jobs WHERE id = 1")
    assert [r["id"] for r in shared.sql("SELECT id FROM scan_jobs ORDER BY id")] == [2, job]


def test_a_config_that_does_not_say_who_commits_ends_the_daemon_with_78(shared: Site) -> None:
    """Without [commit] by, the daemon exits with 78: two programs that commit would make two files."""
    shared.configure("")
    daemon = shared.start()
    assert daemon.process.wait(30) == 78
    text = daemon.log_path.read_text()
    assert "[commit] by" in text
    assert "migrate --commit-by client" in text


def test_a_login_in_both_roles_drives_daemon_and_command_line(
    tmp_path: Path, migrated_url: str, scanner: Simulator, login: Login
) -> None:
    """A login in both roles runs the daemon and the command line, each with the rights of its own role only."""
    with psycopg.connect(migrated_url, autocommit=True) as connection:
        connection.execute(read_sql("roles.sql").encode())
    both = login(migrated_url, "scand_client", "scand_agent").execute("SELECT current_user").fetchone()
    client = login(migrated_url, "scand_client")
    assert both is not None
    with psycopg.connect(migrated_url, autocommit=True) as connection:
        connection.execute(f"ALTER ROLE {both[0]} PASSWORD 'secret'")
    parts = urlsplit(migrated_url)
    url = parts._replace(netloc=f"{both[0]}:secret@{parts.netloc.rpartition('@')[2]}").geturl()
    site = Site(tmp_path, url, scanner.config)
    try:
        daemon = site.serving()
        row = client.execute(
            "INSERT INTO scan_jobs (title, status, settings) VALUES ('by role', 'queued', '{\"scan\": \"auto\"}')"
            " RETURNING id"
        ).fetchone()
        assert row is not None
        job = row[0]
        until(lambda: site.batches(job), "the batch")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            client.execute("UPDATE scan_jobs SET page_count = 1 WHERE id = %s", (job,))
        assert site.scand("finish", str(job)).returncode == 0
        site.wait(job, "preview")
        assert site.scand("commit", str(job)).returncode == 0
        row = site.wait(job, "committed")
        assert daemon.said("unexpected") == []
        assert {actor for _, _, actor in site.events(job)} == {"client", "agent"}
    finally:
        site.close()
