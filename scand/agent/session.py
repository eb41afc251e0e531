"""The daemon's one session with the database: opened in a thread, elected, lost, opened again.

Only connecting (with its DNS query) has a helper thread, since it can hang for minutes. The advisory lock and all
writes use the same session, so that a daemon which loses it loses the lead in the same moment. `hints` listens in
another.
"""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from enum import Enum, auto
from typing import TYPE_CHECKING

import psycopg

from scand.errors import ConfigError, ScandError
from scand.queue import rivals, statements
from scand.queue.results import AgentQueue

if TYPE_CHECKING:
    from collections.abc import Callable

    from scand.agent.lock import StagingLock
    from scand.queue.connection import Connection

RETRY = 1.0
"""Seconds between two tries to connect or to be elected: short, since people wait at the scanner."""

_TIMEOUTS = b"""
SET lock_timeout = '2s';                         -- a row that a client holds delays no call beyond its deadline
SET client_connection_check_interval = '2s';     -- a backend whose client has gone does not keep the lead
SET idle_session_timeout = '12s';                -- nor does one whose host lost its power, or whose connection a
SET idle_in_transaction_session_timeout = '12s'; -- firewall dropped: a living daemon has a heartbeat every 10 s
"""


class Standing(Enum):
    """Whether this daemon leads."""

    AWAY = auto()  # no session; connecting, or about to
    WAITING = auto()  # another daemon leads
    LEADING = auto()  # this one does


class Session:
    """At most one session at a time, and the standing that comes with it.

    Args:
        opener: returns a new session as the agent, whose schema has been checked; called in a thread.
        lock: of the staging directory; it is taken before anything else.
        wake: wakes the selector; called in that thread when `opener` has returned.

    Attributes:
        standing: see `Standing`.
        queue: the queue, while LEADING.
        trouble: why the database is away, or who leads; a sentence for STATUS and the log.
    """

    def __init__(self, opener: Callable[[], Connection], lock: StagingLock, wake: Callable[[], None]) -> None:
        self._opener, self._lock, self._wake = opener, lock, wake
        self._locked = False
        self._epoch: int | None = None
        self._queries = statements.load()
        self._thread: threading.Thread | None = None
        self._result: Connection | ScandError | None = None
        self._next_try = 0.0
        self._candidate: AgentQueue | None = None
        self.standing = Standing.AWAY
        self.queue: AgentQueue | None = None
        self.trouble = "connecting"

    def fileno(self) -> int | None:
        """The session's socket, for the selector; None while there is none."""
        return self.queue.connection.fileno() if self.queue else None

    def due(self) -> float:
        """When `turn` is next worth a call, `monotonic()` seconds."""
        return float("inf") if self.queue or self._thread else self._next_try

    def turn(self) -> bool:
        """Go one step towards leading, without waiting. True in the turn in which this daemon starts to lead.

        Raises:
            ConfigError: the schema or the login is not what it must be; trying again is no use.
        """
        if self.queue is not None:
            return False
        self._pick_up()
        now = time.monotonic()
        if now < self._next_try or self._thread is not None:
            return False
        self._next_try = now + RETRY
        if not (self._locked or self._lock.take()):
            self.standing, self.trouble = Standing.WAITING, self._lock.holder()
            return False
        if not self._locked:
            self._locked, self.standing, self.trouble = True, Standing.AWAY, "connecting"
        if self._candidate is None:
            self._thread = threading.Thread(target=self._open, name="connect", daemon=True)
            self._thread.start()
            return False
        return self._elect(self._candidate)

    def lose(self, error: Exception) -> None:
        """The session is broken, or another daemon leads: close it, and open another in RETRY seconds."""
        queue = self.queue or self._candidate
        if queue is not None:
            queue.connection.close()
        self.queue = self._candidate = None
        self.standing, self.trouble = Standing.AWAY, str(error).strip() or type(error).__name__
        self._next_try = time.monotonic() + RETRY

    def close(self) -> None:
        """Sign off and close the session; a database that does not answer is no obstacle."""
        if self.queue is not None:
            with suppress(psycopg.Error):
                self.queue.sign_off()
            self.queue.connection.close()
            self.queue = None

    def _open(self) -> None:
        try:
            self._result = self._opener()
        except ScandError as error:
            self._result = error
        except Exception as error:  # noqa: BLE001 - any error at all is an outage, and is tried again
            self._result = ScandError(f"The database is away: {error}")
        self._wake()

    def _pick_up(self) -> None:
        result, self._result = self._result, None
        if result is None:
            return
        self._thread = None
        if isinstance(result, ConfigError) and self._epoch is None:
            raise result  # once it has led, this is an outage like any other: a batch may be running
        if isinstance(result, ScandError):
            self.trouble = result.sentence
            self._next_try = time.monotonic() + RETRY
        else:
            self._candidate = AgentQueue(result, self._queries)
            self._next_try = 0.0

    def _elect(self, candidate: AgentQueue) -> bool:
        try:
            candidate.connection.execute(_TIMEOUTS)
            if not candidate.elect():
                who, epoch = rivals.leader(candidate)
                if stranger := rivals.stranger(candidate):
                    self.standing, self.trouble = Standing.AWAY, stranger
                elif epoch == self._epoch:  # nobody has led since: the server has not noticed its end yet
                    self.standing, self.trouble = Standing.AWAY, "its former session has not ended yet"
                else:
                    self.standing, self.trouble = Standing.WAITING, who
                return False
        except psycopg.Error as error:
            self.lose(error)
            return False
        self.queue, self._candidate, self._epoch = candidate, None, candidate.epoch
        self.standing, self.trouble = Standing.LEADING, ""
        return True
