"""A PostgreSQL server of the tests' own: one that may be stopped, frozen and started again.

It trusts whoever can reach its socket, in a directory of its own that is private.
"""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from scand.queue.embedded import Postmaster
from tests.support.postgres_releases import programs

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def private_postgres(
    place: str | None = None, config: str = "", *, version: int | None = None
) -> Iterator[PrivatePostgres]:
    """A running server in a directory of its own, which goes with it.

    Args:
        place: the directory in which its directory is made; short, since a unix socket's path has 107 bytes.
        config: lines of postgresql.conf, on top of not surviving a power cut.
        version: PostgreSQL's major version; None: the newest there is.
    """
    base = Path(tempfile.mkdtemp(prefix="scand-", dir=place))
    try:
        postgres = PrivatePostgres(base / "pg", version)
        postgres.make(f"fsync = off\nfull_page_writes = off\n{config}")
        postgres.start()
        try:
            yield postgres
        finally:
            postgres.thaw()
            postgres.stop()
    finally:
        shutil.rmtree(base, ignore_errors=True)


class PrivatePostgres:
    """The server, and the person at its switch.

    Args:
        directory: its data directory, and where its socket lies.
        version: PostgreSQL's; None: the newest there is.
    """

    def __init__(self, directory: Path, version: int | None = None) -> None:
        self.directory = directory
        self._programs = programs(version)
        self._postmaster: Postmaster | None = None

    @property
    def url(self) -> str:
        """A superuser's, on its unix socket."""
        return f"postgresql://postgres:@/postgres?host={self.directory}"

    def make(self, config: str = "") -> None:
        """Make the database, with lines on top of its config."""
        how = ("-U", "postgres", "--auth=trust", "--encoding=utf8", "--no-sync", "-D", self.directory)
        self._programs.run("initdb", *how)
        with (self.directory / "postgresql.conf").open("a") as file:
            file.write(config)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        how = ("-h", "", "-k", self.directory, "-D", self.directory)
        self._postmaster = Postmaster.start(self._programs.command("postgres", *how), self.directory)
        self._postmaster.wait_ready()

    def stop(self) -> None:
        """At once, as in a crash: sessions end in mid-statement, and the next start recovers."""
        self._end(signal.SIGQUIT)

    def shut_down(self) -> None:
        """In good order."""
        self._end(signal.SIGINT)

    def _end(self, number: signal.Signals) -> None:
        if self._postmaster is not None:
            if self._postmaster.alive():
                os.kill(self._postmaster.pid, number)
            self._postmaster.stop()

    def freeze(self) -> None:
        """SIGSTOP to all of its processes: the kernel still takes connections, and nobody answers."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self._postmaster is None or not self._postmaster.alive():
            return
        main = self._postmaster.pid
        os.kill(main, number)
        for child in Path(f"/proc/{main}/task/{main}/children").read_text().split():
            with suppress(ProcessLookupError):
                os.kill(int(child), number)
