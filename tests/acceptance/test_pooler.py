"""A whole road through PgBouncer: daemon and clients in session mode, a web also in transaction mode."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import psycopg

from scand.queue.intents import ClientQueue
from tests.support.pgbouncer import pgbouncer
from tests.support.site import Site, numbers, until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.site import Simulator


def test_the_whole_road_in_session_mode(tmp_path: Path, migrated_url: str, scanner: Simulator) -> None:
    """Daemon and client through the pooler: a sheet becomes a document in the Inbox."""
    with pgbouncer(migrated_url, "session") as url:
        site = Site(tmp_path, url, scanner.config)
        daemon = site.serving()
        try:
            row = site.wait(site.submit(scan="auto", finish="commit"), "committed")
            assert numbers(site.nas / row["inbox_path"]) == list(range(1, 7))
            assert len(daemon.said("elected")) == 1
            assert "committed" in site.scand("list", "--all").stdout
            with ClientQueue.open(url) as first, ClientQueue.open(url) as second:
                job = first.submit("Through the pooler", {}, draft=True)
                assert second.job(job).title == "Through the pooler"
            assert daemon.stop() == 0
        finally:
            site.close()


def _went_on(site: Site, job: int, before: int) -> bool:
    """The client's step, and the agent's after it."""
    return len(site.events(job)) >= before + 2


def test_a_web_takes_a_job_through_its_life_in_transaction_mode(
    tmp_path: Path, migrated_url: str, scanner: Simulator
) -> None:
    """The web is at a pooler, the daemon at the server itself."""
    site = Site(tmp_path, migrated_url, scanner.config)
    try:
        with (
            pgbouncer(migrated_url, "transaction") as url,
            psycopg.connect(url, autocommit=True, prepare_threshold=None) as web,
        ):
            site.serving()
            job = web.execute(
                "INSERT INTO scan_jobs (title, status) VALUES ('Web', 'queued') RETURNING id"
            ).fetchone()
            assert job is not None
            (job_id,) = job
            site.wait(job_id, "ready")
            for button, rest in (
                ("scanning", "ready"),
                ("assembling", "preview"),
                ("committing", "committed"),
            ):
                before = len(site.events(job_id))
                web.execute("UPDATE scan_jobs SET status = %s WHERE id = %s", (button, job_id))
                until(partial(_went_on, site, job_id, before), f"{rest} follows {button}")
                site.wait(job_id, rest)
    finally:
        site.close()
