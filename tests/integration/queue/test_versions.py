"""The oldest PostgreSQL that scand takes, one that it does not take, and databases that an older scand made."""

from __future__ import annotations

import hashlib
import re
from os import EX_CONFIG
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from scand.errors import ConfigError
from scand.jobs.lifecycle import STEPS, Status
from scand.queue import requirements
from scand.queue.schema import check, migrate
from scand.queue.statements import read_sql, sql_directory
from tests.integration.queue.rows import OF_PARKED
from tests.shell import Shell
from tests.support.postgres_releases import TOO_OLD

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Connect

RELEASED = 10
"""The migrations of 0.1, by number."""

JOB_OF_0_1 = """
    INSERT INTO scan_jobs (title, status, settings, batch_count, page_count, staging_path, nas_staging_path, error)
    VALUES (%s, %s, '{"mode": "gray"}', 1, 2, '/spool/jobs/1', '.scan-staging/job-1/merged.pdf', 'e')
"""


def checksum_of_0_1(text: str) -> str:
    """As 0.1 wrote it into the database: of the text that it had."""
    former = re.search(r"^-- Former SHA-256: ([0-9a-f]{64})$", text, re.MULTILINE)
    return former[1] if former else hashlib.sha256(text.encode()).hexdigest()


@pytest.fixture
def old(database_url: str, connect: Connect) -> psycopg.Connection[Any]:
    """A superuser's session in a database that scand 0.1 has migrated."""
    database = connect(database_url)
    database.execute(
        "CREATE TABLE scand_migrations (version INTEGER PRIMARY KEY, name TEXT NOT NULL,"
        " checksum CHAR(64) NOT NULL, applied_at TIMESTAMPTZ NOT NULL DEFAULT now())"
    )
    for path in sorted((sql_directory() / "migrations").glob("*.sql"))[:RELEASED]:
        text = read_sql(f"migrations/{path.name}")
        database.execute(text.encode())
        database.execute(
            "INSERT INTO scand_migrations (version, name, checksum) VALUES (%s, %s, %s)",
            (int(path.stem[:4]), path.stem, checksum_of_0_1(text)),
        )
    return database


@pytest.mark.parametrize("status", list(Status))
def test_a_job_of_0_1_goes_on(old: psycopg.Connection[Any], status: Status) -> None:
    """After the migration it has all that it had, and every step of the table is open to it."""
    with old.transaction():
        old.execute("SET LOCAL session_replication_role = replica")
        old.execute(JOB_OF_0_1, (status, status))
        old.execute(
            "INSERT INTO scan_job_batches (job_id, batch_seq, page_count, staging_path) VALUES (1, 1, 2, '/b.pdf')"
        )
    columns = "title, status, settings, batch_count, page_count, error, created_at, updated_at"
    before = old.execute(f"SELECT {columns} FROM scan_jobs".encode()).fetchall()  # noqa: S608
    assert len(migrate(old)) > 0
    check(old)
    assert old.execute(f"SELECT {columns} FROM scan_jobs".encode()).fetchall() == before  # noqa: S608
    for from_status, to_status, actor in STEPS:
        if from_status == status and (from_status, to_status) not in OF_PARKED:
            with old.transaction(force_rollback=True):
                old.execute("SELECT set_config('scand.actor', %s, true)", (actor,))
                old.execute("UPDATE scan_jobs SET status = %s", (to_status,))


def test_a_migration_that_more_servers_take_now_is_the_same(old: psycopg.Connection[Any]) -> None:
    """Its former checksum is good, that of any other text is not."""
    migrate(old)
    old.execute("UPDATE scand_migrations SET checksum = repeat('0', 64) WHERE version = 3")
    with pytest.raises(ConfigError, match="0003_steps was changed"):
        check(old)


@pytest.fixture(scope="session")
def too_old(postgres_servers: Callable[[int | None], str]) -> str:
    """The URL of a server of the version before the oldest."""
    return postgres_servers(TOO_OLD)


@pytest.mark.parametrize("command", ["migrate", "list", "run", "doctor"])
def test_a_server_that_is_too_old_is_told_before_anything_is_done(
    too_old: str, tmp_path: Path, command: str
) -> None:
    """By migrate, a client, the daemon and doctor, with the version that is needed; and nothing was made in it."""
    config = tmp_path / "scand.toml"
    (tmp_path / "nas").mkdir()
    config.write_text(
        f'[database]\nurl = "{too_old}"\n[staging]\ndir = "{tmp_path}/staging"\n[nas]\nroot = "{tmp_path}/nas"\n'
    )
    said, complained = Shell(tmp_path, "").run("--config", str(config), command, status=EX_CONFIG)
    told = f"is PostgreSQL {TOO_OLD}.23: scand needs {requirements.OLDEST} or later"
    assert told in said + complained
    assert "Traceback" not in said + complained
    with psycopg.connect(too_old) as database:
        assert database.execute("SELECT FROM pg_tables WHERE schemaname = 'public'").rowcount == 0
