"""A PostgreSQL whose sessions are all taken, by clients with long transactions and floods of notifications."""

from __future__ import annotations

import os
import time
from contextlib import ExitStack, closing, suppress
from typing import TYPE_CHECKING

import psycopg
import pytest

from scand.queue.schema import migrate
from tests.acceptance.test_strangers import resident
from tests.conftest import fast_directory
from tests.postgres import private_postgres
from tests.support.checker import Checker
from tests.support.site import Site, numbers, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from subprocess import CompletedProcess

    from tests.acceptance.conftest import MakeSimulator

SESSIONS = 150
CONFIG = f"synchronous_commit = off\nmax_connections = {SESSIONS}\nmax_wal_senders = 0\n"
FLOOD = "SELECT count(pg_notify('scan_jobs', repeat('x', 7900) || n)) FROM generate_series(1, 200) n"


@pytest.fixture
def small_server() -> Iterator[str]:
    """The URL of a migrated database on a server of its own."""
    with private_postgres(fast_directory(), CONFIG) as postgres:
        with psycopg.connect(postgres.url, autocommit=True) as connection:
            migrate(connection)
        yield postgres.url


def taken(crowd: ExitStack, url: str) -> list[psycopg.Connection[tuple[object, ...]]]:
    """Sessions until there are no more."""
    sessions = []
    with suppress(psycopg.OperationalError):
        while True:
            sessions.append(crowd.enter_context(closing(psycopg.connect(url, autocommit=True))))
    return sessions


def test_the_daemon_serves_and_a_new_one_gets_in_when_there_is_room(
    tmp_path: Path, small_server: str, simulate: MakeSimulator
) -> None:
    """A batch goes on with a bounded heartbeat and memory; whoever comes new is told, and is let in later."""
    scanner = simulate("--count", "8", "--ppm", "240")
    with (
        closing(Site(tmp_path, small_server, scanner.config, extra='[agent]\nheartbeat = "1s"')) as site,
        ExitStack() as crowd,
    ):
        daemon = site.serving()
        job = site.submit(scan="auto", finish="commit")
        until(lambda: (site.job(job)["pages_scanned"] or 0) >= 2, "some pages")
        before = resident(daemon)
        sessions = taken(crowd, small_server)
        assert len(sessions) > SESSIONS - 10
        for session in sessions[:50]:
            session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
            session.execute("SELECT count(*) FROM scan_jobs")
        end = time.monotonic() + 4
        while time.monotonic() < end:
            sessions[-1].execute(FLOOD)
            (health,) = site.sql("SELECT alive, heartbeat_age_seconds AS age FROM scan_agent_health")
            assert health["alive"]
            assert health["age"] < 6
        assert resident(daemon) - before < 40 * 1024 * 1024
        site.wait(job, "committed")

        def refused() -> CompletedProcess[str] | None:
            """Places get free for a moment: that of the session that listened until it was flooded, and others."""
            taken(crowd, small_server)
            told = site.scand("list", check=False)
            return told if told.returncode else None

        told = until(refused, "the server is full")
        assert told
        assert told.returncode == os.EX_TEMPFAIL
        assert "takes no more sessions" in told.stderr
        assert "Traceback" not in told.stderr

        daemon.kill()
        sessions += taken(
            crowd, small_server
        )  # its sessions may not have ended yet; then there is no room either
        late = site.start()

        def waits() -> bool:
            return any(
                "takes no more sessions" in line["message"] for line in late.said("waiting_for_database")
            )

        until(waits, "it says why it waits")
        crowd.close()
        until(lambda: late.said("elected"), "it leads")
        assert [numbers(path) for path in site.inbox()] == [list(range(1, 17))]
        assert late.process.poll() is None
        assert Checker(site.connection, site.staging, site.nas, scanner.fed).settled() == []
