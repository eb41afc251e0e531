"""An installation to measure: a database, a scanner, a NAS directory and the real daemon, with timed steps."""

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
"""The longest wait for anything, in seconds."""

_SETTLED = "ready", "preview", "committed", "failed", "canceled"


@dataclass
class Installation:
    """A site whose daemon is measured. Durations are differences between times of the database."""

    site: Site

    def serve(self) -> Daemon:
        """Start the daemon, and wait until it leads."""
        return self.site.serving()

    def claimed(self, **settings: Any) -> int:
        """Submit a job, and wait until the daemon has claimed it and made its directory."""
        job = self.site.submit("Bench", **settings)
        self.site.wait(job, "ready", PATIENCE)
        until(self.directory(job).path.exists, "the job has a directory", PATIENCE)
        return job

    def step(self, job: int, to: str) -> float:
        """Change a job's status, and return the seconds until the agent has done what that asks for."""
        self.site.step(job, to)
        until(lambda: self.site.job(job)["status"] in {*_SETTLED} - {to}, f"{to} is done", PATIENCE)
        row = self.site.job(job)
        assert row["error_code"] in {None, "page_limit"}, row["error"]
        return self._since(job, to, row["status"])

    def event(self, job: int, to: str) -> float:
        """When the job last got a status, in seconds since the epoch."""
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
        """The job's directory in the spool."""
        return Spool(self.site.staging).existing(job)

    def cancel(self, job: int) -> None:
        """Cancel the job, so that another one can use the scanner."""
        self.site.step(job, "canceled")


@contextmanager
def installation(
    url: str, directory: Path, sane_config: Path, *, device: str = "", extra: str = ""
) -> Iterator[Installation]:
    """An installation with a database of its own on a server; the daemon is not started yet.

    Args:
        url: of the server.
        directory: for its files.
        sane_config: the SANE_CONFIG_DIR of its scanner.
        device: `scanner.device`.
        extra: more sections of the config.
    """
    with database(url, "template0") as own:
        with psycopg.connect(own, autocommit=True) as connection:
            migrate(connection)
        directory.mkdir(exist_ok=True)
        site = Site(directory, own, sane_config, extra, device)
        quiet = site.config.read_text().replace('level = "debug"', 'level = "info"')
        site.config.write_text(quiet)
        try:
            yield Installation(site)
        finally:
            site.close()
