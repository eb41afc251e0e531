"""Others in the database: they lock, flood, empty tables. `SCAND_SOAK=1` makes it long."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from scand.queue.statements import AGENT_LOCK
from tests.support.checker import Checker
from tests.support.site import Site, numbers, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.acceptance.conftest import MakeSimulator
    from tests.support.site import Daemon, Simulator

SOAK = bool(os.environ.get("SCAND_SOAK"))


@pytest.fixture
def slow(simulate: MakeSimulator) -> Simulator:
    """A scanner that takes 0.25 s for a side of its eight sheets."""
    return simulate("--count", "8", "--ppm", "240")


@pytest.fixture
def busy(tmp_path: Path, migrated_url: str, slow: Simulator) -> Iterator[Site]:
    """A site with that scanner, whose daemon shows a sign of life every second."""
    site = Site(tmp_path, migrated_url, slow.config, extra='[agent]\nheartbeat = "1s"')
    yield site
    site.close()


def scanning(site: Site) -> tuple[Daemon, int]:
    """A daemon in the middle of a batch, and the job."""
    daemon = site.serving()
    job = site.submit(scan="auto", finish="commit")
    until(lambda: (site.job(job)["pages_scanned"] or 0) >= 2, "some pages")
    return daemon, job


def test_a_table_that_is_locked_for_long(busy: Site, slow: Simulator) -> None:
    """The agent lives, says who has the lock, scans on, and finishes the job as soon as it can."""
    daemon, job = scanning(busy)
    with psycopg.connect(busy.database_url, application_name="migration of the web") as client:
        client.execute("LOCK TABLE scan_jobs")
        end = time.monotonic() + (30 if SOAK else 5)
        while time.monotonic() < end:
            (health,) = busy.sql("SELECT alive, heartbeat_age_seconds AS age FROM scan_agent_health")
            assert health["alive"]
            assert health["age"] < 6  # a second, and two waits for the lock of 2 s each
            time.sleep(0.2)
        (locked,) = daemon.said("queue_locked")
        assert f"database session {client.info.backend_pid} " in locked["message"]
        assert "migration of the web" in locked["message"]
        assert busy.sql("SELECT state FROM scan_agent_status")[0]["state"] in locked["message"]
        assert len(slow.fed()) == 16
    row = busy.wait(job, "committed")
    assert numbers(busy.nas / row["inbox_path"]) == list(range(1, 17))
    assert len(daemon.said("elected")) == 1
    assert Checker(busy.connection, busy.staging, busy.nas, slow.fed).settled() == []


def test_the_queue_is_emptied_in_mid_batch(busy: Site, slow: Simulator) -> None:
    """TRUNCATE takes the agent's row along: it makes another, ends the batch, keeps its pages, and serves on."""
    daemon, job = scanning(busy)
    (before,) = busy.sql("SELECT epoch FROM scan_agent_status")
    busy.sql("TRUNCATE scan_jobs RESTART IDENTITY CASCADE")
    (made,) = until(lambda: daemon.said("status_row_made"), "its row is there again")
    assert made["epoch"] > before["epoch"]
    until(lambda: daemon.said("job_deleted"), "it says what became of the job")
    pages = busy.staging / "jobs" / str(job) / "batch-0001" / "end.json"
    until(pages.exists, "the batch has an end")
    slow.reload()
    again = busy.submit("Again", finish="commit")
    assert again == job
    row = busy.scanned(again, "committed")
    (aside,) = daemon.said("spool_put_aside")
    safe = len((Path(aside["path"]) / "batch-0001" / "pages.jsonl").read_text().splitlines())
    rest = numbers(busy.nas / row["inbox_path"])
    assert rest == list(range(rest[0], 17))
    assert rest[0] <= safe + 1
    assert len(daemon.said("elected")) == 1
    assert "Traceback" not in daemon.log_path.read_text()
    assert daemon.process.poll() is None
    (health,) = busy.sql("SELECT alive, ready FROM scan_agent_health")
    assert health == {"alive": True, "ready": True}


def resident(daemon: Daemon) -> int:
    """The memory of a daemon, in bytes."""
    status = Path(f"/proc/{daemon.process.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) * 1024


def test_a_flood_of_notifications(site: Site, scanner: Simulator) -> None:
    """Whoever may connect may NOTIFY: the daemon stops listening, keeps its memory, and finds jobs by polling."""
    daemon = site.serving()
    listens = "SELECT pid FROM pg_stat_activity WHERE query = 'LISTEN scan_jobs'"
    until(lambda: site.sql(listens), "it listens")
    before = resident(daemon)
    flood = "SELECT count(pg_notify('scan_jobs', repeat('x', 7900) || n)) FROM generate_series(1, %s) n"
    site.sql(flood, 200_000 if SOAK else 30_000)  # 8 kB each
    until(lambda: daemon.said("hints_flooded"), "it says so")
    row = site.wait(site.submit(scan="auto", finish="commit"), "committed")
    assert numbers(site.nas / row["inbox_path"]) == list(range(1, 7))
    grown = resident(daemon) - before
    assert grown < 40 * 1024 * 1024, f"{grown / 1e6:.0f} MB"
    assert len(daemon.said("elected")) == 1
    assert Checker(site.connection, site.staging, site.nas, scanner.fed).check(alive=True) == []


def test_the_daemons_lock_in_another_hand(site: Site) -> None:
    """The session that has it is named with the command that ends it, and that command mends it."""
    with psycopg.connect(site.database_url, application_name="psql", autocommit=True) as client:
        client.execute("SELECT pg_advisory_lock(%s)", (AGENT_LOCK,))
        daemon = site.start()
        (waiting, *_) = until(lambda: daemon.said("waiting_for_database"), "it waits")
        end = f"SELECT pg_terminate_backend({client.info.backend_pid})"
        assert f"has taken the advisory lock of scand's daemon: end it with {end}" in waiting["message"]
        assert 'application "psql"' in waiting["message"]
        site.sql(end)
        until(lambda: daemon.said("elected"), "it leads")


def unguarded(site: Site, statement: str) -> None:
    """Run a statement past all triggers, as whoever restores a backup may."""
    with site.connection.transaction():
        site.sql("SET LOCAL session_replication_role = replica")
        site.sql(statement)


def test_rows_that_are_removed_in_mid_batch(busy: Site, slow: Simulator) -> None:
    """Without the agent's row and the table of steps the batch goes on; the daemon says the mend, and goes on."""
    daemon, job = scanning(busy)
    unguarded(busy, "DELETE FROM scan_agent_status")
    until(lambda: daemon.said("status_row_made"), "its row is there again")
    unguarded(busy, "DELETE FROM scan_job_transitions")

    def told() -> bool:
        lines = [*daemon.said("database_away"), *daemon.said("waiting_for_database")]
        return any('run "scand migrate"' in line["message"] for line in lines)

    until(told, "it says the mend")
    busy.scand("migrate")
    row = busy.wait(job, "committed")
    assert numbers(busy.nas / row["inbox_path"]) == list(range(1, 17))
    assert daemon.process.poll() is None
    assert "Traceback" not in daemon.log_path.read_text()
    assert Checker(busy.connection, busy.staging, busy.nas, slow.fed).check(alive=True) == []
