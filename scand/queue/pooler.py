"""A pooler between scand and PostgreSQL: one in session mode is fine, one in transaction mode is not.

In transaction mode (PgBouncer's `pool_mode = transaction`) each transaction may run in another server session. The
advisory lock of the daemon, its role and its settings would then be in sessions that other clients get, too: two
daemons would both lead.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

import psycopg

from scand.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from scand.queue.connection import Connection

_T = TypeVar("_T")
_TRIES = 50
_ROUNDS = 3
_PATIENCE = 2
"""Seconds for the second session: in session mode a pool with one place left has none for it."""


def refuse_shared_session(connection: Connection, url: str) -> None:
    """Refuse a session that others get, too, before anything of it is changed.

    Without a pooler the server's process is the one that libpq was told of at the start; a pooler tells a number
    of its own. Then a second session is opened, and holds a transaction: in transaction mode it gets the server
    session that the first does not use at the moment, or the first is given another.

    Args:
        url: where the session was opened.

    Raises:
        ConfigError: it is a pooler in transaction mode (or statement mode).
        psycopg.Error: the session has ended.
    """
    mine = _process(connection)
    if mine == connection.info.backend_pid:
        return
    try:
        with type(connection).connect(
            url, connect_timeout=_PATIENCE, application_name="scand-pooler"
        ) as second:
            second.deadline = _PATIENCE
            for _ in range(_ROUNDS):
                with second.transaction():
                    other = _process(second)
                    if mine == other or _process(connection) != mine:
                        raise ConfigError(SENTENCE)
    except psycopg.Error as error:
        if error.sqlstate == _NO_TRANSACTIONS:
            raise ConfigError(SENTENCE) from error
        if connection.broken:
            raise
        # No second session to be had: the first one has its own.


_NO_TRANSACTIONS = "08P01"
"""What PgBouncer answers to BEGIN in statement mode."""

SENTENCE = (
    "There is a pooler in transaction mode between scand and PostgreSQL, in which a session is not kept: point "
    "database.url at PostgreSQL itself, or set pool_mode = session for this database in pgbouncer.ini."
)


def _process(connection: psycopg.Connection[object]) -> int:
    """The server's process that runs this transaction."""
    with connection.cursor(row_factory=psycopg.rows.scalar_row) as cursor:
        found = patiently(lambda: cursor.execute("SELECT pg_catalog.pg_backend_pid()").fetchone())
    return int(found or 0)


def patiently(ask: Callable[[], _T]) -> _T:
    """Do something short in a session that may still have a statement_timeout of 1 ms.

    Raises:
        psycopg.errors.QueryCanceled: it was canceled each time.
    """
    for _ in range(_TRIES):
        with suppress(psycopg.errors.QueryCanceled):
            return ask()
    return ask()
