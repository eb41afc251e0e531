"""The database is away, in every way that it can be. `SCAND_SOAK=1` makes the outages long."""

from __future__ import annotations

import itertools
import os
import random
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING
from uuid import uuid4

import psycopg
import pytest

from scand.queue.schema import migrate
from tests.postgres import private_postgres
from tests.support.checker import Checker
from tests.support.proxy import Mode, Proxy
from tests.support.site import Site, numbers, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from tests.acceptance.conftest import MakeSimulator
    from tests.postgres import PrivatePostgres
    from tests.support.site import Simulator

    Outage = Callable[[PrivatePostgres, Proxy], AbstractContextManager[None]]
    Disruption = Callable[[PrivatePostgres, Site], None]

SOAK = bool(os.environ.get("SCAND_SOAK"))


@pytest.fixture(scope="module")
def postgres() -> Iterator[PrivatePostgres]:
    """A server to which a test may do anything, as long as it runs again at the test's end."""
    with private_postgres() as postgres:
        yield postgres


@pytest.fixture
def private_url(postgres: PrivatePostgres) -> Iterator[str]:
    """A migrated database on that server."""
    name = f"scand_test_{uuid4().hex}"
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    url = postgres.url.replace("/postgres?", f"/{name}?")
    with psycopg.connect(url, autocommit=True) as connection:
        migrate(connection)
    yield url
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture
def proxy(private_url: str) -> Iterator[Proxy]:
    """The connection from the daemon to that database."""
    proxy = Proxy(private_url)
    yield proxy
    proxy.close()


@contextmanager
def site_behind(proxy: Proxy, url: str, directory: Path, scanner: Simulator) -> Iterator[Site]:
    """A site whose daemon uses the proxy, and the test does not; at the end, every invariant is checked."""
    site = Site(directory, url, scanner.config)
    site.database_url = proxy.url
    site.configure("")
    try:
        yield site
        assert Checker(site.connection, site.staging, site.nas, scanner.fed).settled() == []
    finally:
        site.close()


@pytest.fixture
def site(tmp_path: Path, private_url: str, proxy: Proxy, scanner: Simulator) -> Iterator[Site]:
    """Such a site, with the scanner of three sheets."""
    with site_behind(proxy, private_url, tmp_path, scanner) as site:
        yield site


# No answers.


@contextmanager
def frozen(postgres: PrivatePostgres, _proxy: Proxy) -> Iterator[None]:
    """The server stands still, for at least 5 s."""
    postgres.freeze()
    try:
        yield
        time.sleep(30 if SOAK else 0)
    finally:
        postgres.thaw()


@contextmanager
def half_open(_postgres: PrivatePostgres, proxy: Proxy) -> Iterator[None]:
    """The network swallows everything; when it works again, earlier sessions stay dead."""
    gone = time.monotonic()
    proxy.mode = Mode.HALF_OPEN
    yield
    time.sleep(max(0.0, gone + (300 if SOAK else 10) - time.monotonic()))
    proxy.mode = Mode.PASS


@pytest.mark.parametrize("outage", [frozen, half_open])
@pytest.mark.timeout(600)
def test_no_answers_in_mid_batch(
    tmp_path: Path,
    postgres: PrivatePostgres,
    proxy: Proxy,
    private_url: str,
    simulate: MakeSimulator,
    outage: Outage,
) -> None:
    """Scanning finishes locally, and heartbeat and job go on as soon as the database is back."""
    scanner = simulate("--count", "12", "--ppm", "240")
    with site_behind(proxy, private_url, tmp_path, scanner) as site:
        daemon = site.serving()
        job = site.submit(scan="auto", finish="commit")
        until(lambda: (site.job(job)["pages_scanned"] or 0) >= 2, "some pages")
        with outage(postgres, proxy):
            until(lambda: daemon.said("database_away"), "the daemon misses it")
            end = site.staging / "jobs" / str(job) / "batch-0001" / "end.json"
            until(end.exists, "scanning finishes locally")
            assert len(scanner.fed()) == 24
        assert len(daemon.said("elected")) == 1
        row = site.wait(job, "committed")
        assert numbers(site.nas / row["inbox_path"]) == list(range(1, 25))
        assert len(site.sql("SELECT page FROM scan_job_pages WHERE picture IS NOT NULL")) == 24
        assert daemon.said("waiting_for_lock") == []
        assert Checker(site.connection, site.staging, site.nas, scanner.fed).check(alive=True) == []


# Sessions that end.


@pytest.mark.timeout(600 if SOAK else 120)
def test_a_network_that_cannot_be_relied_on(site: Site, proxy: Proxy, scanner: Simulator) -> None:
    """With sessions cut around COMMIT, slowed down and refused, every job is committed completely and once."""
    daemon = site.serving()
    for batch, document in itertools.permutations((Mode.CUT_BEFORE_COMMIT, Mode.CUT_AFTER_COMMIT)):
        job = site.submit(f"{batch.name} {document.name}", scan="auto", finish="preview")
        proxy.mode = batch
        site.wait(job, "preview")
        assert proxy.mode is Mode.PASS, "it struck"
        proxy.mode = document
        site.step(job, "committing")
        site.wait(job, "committed")
        assert proxy.mode is Mode.PASS, "it struck"
        scanner.reload()
    proxy.mode = Mode.SLOW
    site.wait(site.submit("slow", scan="auto", finish="commit"), "committed")
    scanner.reload()
    job = site.submit("cut", scan="auto", finish="commit")
    until(lambda: site.events(job)[-1] != (None, "queued", "client"), "it is claimed")
    lost = len(daemon.said("database_away"))
    proxy.mode = Mode.REFUSE
    until(lambda: len(daemon.said("database_away")) > lost, "the daemon misses it")
    chance = random.Random(seed := random.randrange(10**6))
    for _ in range(100 if SOAK else 3):
        proxy.mode = Mode.PASS
        time.sleep(chance.uniform(0, 2))
        proxy.mode = Mode.CUT
    proxy.mode = Mode.PASS
    site.wait(job, "committed")
    found = [numbers(site.nas / row["inbox_path"]) for row in site.sql("SELECT * FROM scan_jobs ORDER BY id")]
    assert found == [list(range(first, first + 6)) for first in range(1, 25, 6)], f"seed {seed}"
    assert daemon.process.poll() is None


def end_sessions(_postgres: PrivatePostgres, site: Site) -> None:
    """End the daemon's sessions, as an administrator does."""
    ended = site.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name LIKE 'scand%%' AND datname = current_database()"
    )
    assert ended


def restart(postgres: PrivatePostgres, site: Site) -> None:
    """Restart the server, as after a crash."""
    url = site.connection.info.dsn
    site.connection.close()
    postgres.stop()
    postgres.start()
    site.connect(url)


ORDERS = [(end_sessions, restart), (restart, end_sessions)]


@pytest.mark.parametrize("disruptions", ORDERS if SOAK else ORDERS[:1])
def test_in_every_state(
    tmp_path: Path,
    postgres: PrivatePostgres,
    proxy: Proxy,
    private_url: str,
    simulate: MakeSimulator,
    disruptions: Sequence[Disruption],
) -> None:
    """The daemon leads again after an outage in each state, and one job gets through all of them."""
    scanner = simulate("--count", "8", "--ppm", "240")
    with site_behind(proxy, private_url, tmp_path, scanner) as site:
        daemon, marker, hidden = site.serving(), site.nas / ".scand-volume", site.nas / ".hidden"
        turns = itertools.cycle(disruptions)

        def disrupt() -> None:
            led = len(daemon.said("elected"))
            next(turns)(postgres, site)
            until(lambda: len(daemon.said("elected")) > led, "it leads again")

        job = site.submit()
        site.wait(job, "ready")
        disrupt()
        site.step(job, "scanning")
        until(lambda: (site.job(job)["pages_scanned"] or 0) >= 3, "some pages")
        disrupt()
        until(lambda: site.batches(job), "the batch")
        site.wait(job, "ready")
        for state, after in (("assembling", "preview"), ("committing", "committed")):
            marker.rename(hidden)
            site.step(job, state)
            until(lambda: site.job(job)["error_code"], "the NAS is away")
            disrupt()
            hidden.rename(marker)
            site.wait(job, after)
            disrupt()
        assert numbers(site.nas / site.job(job)["inbox_path"]) == list(range(1, 17))
        assert daemon.said("waiting_for_lock") == []


def test_without_notifications_polling_is_enough(site: Site) -> None:
    """Polling notices every step of a client when no notification arrives."""
    (function,) = site.sql("SELECT pg_get_functiondef('scand_record_step'::regproc) AS text")
    silent = function["text"].replace("PERFORM pg_notify('scan_jobs', NEW.id::TEXT);", "")
    assert silent != function["text"]
    site.connection.execute(silent)
    site.serving()
    job = site.submit()
    site.wait(job, "ready", patience=10)
    site.scan(job)
    site.step(job, "assembling")
    site.wait(job, "preview", patience=10)
    site.step(job, "committing")
    site.wait(job, "committed", patience=10)


# An older backup is restored.

TABLES = (
    "scan_jobs", "scan_job_batches", "scan_job_pages", "scan_job_events", "scan_agent_status", "documents",
)  # fmt: skip


def keep(site: Site, name: str) -> None:
    """Back up the rows."""
    for table in TABLES:
        site.sql(f"CREATE TABLE {name}_{table} AS TABLE {table}")


def restore(site: Site, name: str) -> None:
    """Restore the rows, with the agent's epoch, and without triggers."""
    with site.connection.transaction():
        site.sql("SET LOCAL session_replication_role = replica")
        for table in TABLES:
            site.sql(f"DELETE FROM {table}")  # noqa: S608
            site.sql(f"INSERT INTO {table} TABLE {name}_{table}")


def previewed(site: Site, job: int) -> None:
    """Assemble the kept batches."""
    site.step(job, "assembling")
    site.wait(job, "preview")


def committed(site: Site, job: int) -> None:
    """Commit the job."""
    site.step(job, "committing")
    site.wait(job, "committed")


def test_an_older_backup_that_is_restored(site: Site, scanner: Simulator) -> None:
    """After an older backup is restored, rows are completed from disk, and the document is in the Inbox once."""
    daemon = site.serving()
    job = site.submit("Once", scan="auto")
    until(lambda: site.batches(job), "the first batch")
    site.wait(job, "ready")
    keep(site, "one_batch")
    scanner.reload()
    site.scan(job)
    previewed(site, job)
    keep(site, "preview")
    committed(site, job)
    first = site.job(job)

    restore(site, "one_batch")
    until(lambda: len(site.batches(job)) == 2, "the second batch is recorded again")
    assert len(site.sql("SELECT page FROM scan_job_pages WHERE picture IS NOT NULL")) == 12
    with site.connection.transaction():
        site.sql("SET LOCAL session_replication_role = replica")
        site.sql(
            "DELETE FROM scan_job_pages WHERE batch_seq = 1"
        )  # as if the backup were from before scand 0.2
    previewed(site, job)
    assert len(site.sql("SELECT page FROM scan_job_pages WHERE picture IS NOT NULL")) == 12
    committed(site, job)
    assert {key: site.job(job)[key] for key in ("file_hash", "inbox_path", "page_count")} == {
        key: first[key] for key in ("file_hash", "inbox_path", "page_count")
    }

    restore(site, "preview")
    site.step(job, "committing")
    site.wait(job, "committed")
    assert [path.name for path in site.inbox()] == ["Once.pdf"]
    assert numbers(site.inbox()[0]) == list(range(1, 13))
    assert daemon.process.poll() is None
