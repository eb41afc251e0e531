"""An installation to measure: a database, a scanner, a NAS directory, the real daemon; and its clock."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg

from scand.queue.schema import migrate
from scand.spool.directories import Spool
from tests.conftest import database
from tests.support.site import Site, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from scand.spool.directories import JobDirectory
    from tests.support.site import Daemon

PATIENCE = 300.0
"""Seconds for anything to come about."""

_SETTLED = "ready", "preview", "committed", "failed", "canceled"


@dataclass
class Place:
    """A site whose daemon is measured. Durations are differences between the database's own times."""

    site: Site

    def serve(self) -> Daemon:
        """Start the daemon, and wait until it leads and its feeder is not looking for the device any more."""
        return self.site.serving()

    def claimed(self, **settings: Any) -> int:
        """A new job, which the daemon has claimed, and given a directory."""
        job = self.site.submit("Bench", **settings)
        self.site.wait(job, "ready", PATIENCE)
        until(self.directory(job).path.exists, "the job has a directory", PATIENCE)
        return job

    def step(self, job: int, to: str) -> float:
        """A client's step, and seconds from it until the agent has done what it asks for."""
        self.site.step(job, to)
        until(lambda: self.site.job(job)["status"] in {*_SETTLED} - {to}, f"{to} is done", PATIENCE)
        row = self.site.job(job)
        assert row["error_code"] in {None, "page_limit"}, row["error"]
        return self._since(job, to, row["status"])

    def event(self, job: int, to: str) -> float:
        """When the job last came into a status, in seconds of the epoch."""
        (row,) = self.site.sql(
            "SELECT extract(epoch FROM max(at))::float8 AS at FROM scan_job_events"
            " WHERE job_id = %s AND to_status = %s",
            job,
            to,
        )
        return float(row["at"])

    def _since(self, job: int, begun: str, ended: str) -> float:
        return self.event(job, ended) - self.event(job, begun)

    def directory(self, job: int) -> JobDirectory:
        """The job's, in the spool."""
        return Spool(self.site.staging).existing(job)

    def cancel(self, job: int) -> None:
        """Set the scanner free."""
        self.site.step(job, "canceled")


@contextmanager
def place(
    url: str, directory: Path, sane_config: Path, *, device: str = "", extra: str = ""
) -> Iterator[Place]:
    """A place with a database of its own on a server; the daemon is not started yet."""
    with database(url, "template0") as own:
        with psycopg.connect(own, autocommit=True) as connection:
            migrate(connection)
        directory.mkdir(exist_ok=True)
        site = Site(directory, own, sane_config, extra, device)
        quiet = site.config.read_text().replace('level = "debug"', 'level = "info"')
        site.config.write_text(quiet)
        try:
            yield Place(site)
        finally:
            site.close()
