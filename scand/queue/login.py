"""Why a server lets nobody in, whatever its language.

A connection that fails brings a sentence of the server, in the language of its lc_messages, which no client can
choose before it is let in. The SQLSTATE beside it tells a wrong password from a full server. libpq says it when
its verbosity is set; psycopg has no call for that.
"""

from __future__ import annotations

import ctypes
import re
import select
import sys
import time
from contextlib import suppress

from psycopg import pq

from scand.errors import ConfigError, ScandError, TryAgain, Unavailable

_REFUSED = {
    "28000",  # no entry in pg_hba.conf, no such login, or one that may not log in
    "28P01",  # wrong password
    "3D000",  # no such database
    "42501",  # no right to connect to it
}
_FULL = "53300"
_IN_ENGLISH = (
    "authentication failed",
    "does not exist",
    "no such user",
    "no such database",
    "no password supplied",
)
"""What PgBouncer says, with one SQLSTATE for everything, and libpq by itself."""


def refusal(conninfo: str, said: str, patience: float) -> ScandError:
    """What a connection that failed means for a person.

    Args:
        conninfo: with which it was tried; it is tried once more.
        said: the sentence of libpq or of the server.
        patience: seconds for the second try.
    """
    code = sqlstate(conninfo, patience)
    if code in _REFUSED or any(word in said for word in _IN_ENGLISH):
        return ConfigError(
            f"The database refuses the login: {said}. Mend database.url, or the server's pg_hba.conf."
        )
    if code == _FULL:
        return TryAgain(
            f"The database takes no more sessions: {said}. End some of other programs (pg_stat_activity shows "
            "them), or raise max_connections; a CONNECTION LIMIT for their login keeps room for scand."
        )
    return Unavailable(f"The database is away: {said}")


def sqlstate(conninfo: str, patience: float) -> str:
    """The SQLSTATE with which the server refuses a connection; "" if it does not, or is not there.

    Args:
        conninfo: a libpq URL or keyword string.
        patience: seconds until it is given up.
    """
    attempt = pq.PGconn.connect_start(conninfo.encode())
    try:
        _be_terse(attempt)
        end = time.monotonic() + patience
        while wanted := _WANTED.get(pq.PollingStatus(attempt.connect_poll())):
            poll = select.poll()
            poll.register(attempt.socket, wanted)
            if not poll.poll(max(0.0, end - time.monotonic()) * 1000):
                return ""
        found = re.search(r":\s+([0-9A-Z]{5})\s*\Z", attempt.get_error_message())
        return found[1] if found else ""
    finally:
        attempt.finish()


_WANTED = {pq.PollingStatus.READING: select.POLLIN, pq.PollingStatus.WRITING: select.POLLOUT}
_PQERRORS_SQLSTATE = 3  # libpq-fe.h: severity and SQLSTATE only


def _be_terse(attempt: pq.abc.PGconn) -> None:
    """Have libpq say SQLSTATEs: the same one that psycopg's extension module is linked with, where it has one."""
    with suppress(OSError):
        libpq = ctypes.CDLL(sys.modules[type(attempt).__module__].__file__)
        pointer = ctypes.c_void_p(attempt.pgconn_ptr)  # type: ignore[attr-defined]  # of psycopg's documented API
        libpq.PQsetErrorVerbosity(pointer, _PQERRORS_SQLSTATE)
