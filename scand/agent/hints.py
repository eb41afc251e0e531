"""Hints that the queue has changed: LISTEN, in a session of its own.

Every login may NOTIFY as much as it likes, and a session that listens has to take all of it in before it gets the
answer to its next statement. So the session that leads does not listen. Hints come in another one, which is closed
when they come too fast; without hints, polling finds everything a little later.
"""

from __future__ import annotations

import selectors
import threading
import time
from typing import TYPE_CHECKING

import psycopg

from scand.errors import ScandError

if TYPE_CHECKING:
    from collections.abc import Callable

    from scand.queue.connection import Connection

RETRY = 1.0
"""Seconds between two tries to connect."""

PAUSE = 60.0
"""Seconds without hints after too many of them."""

MOST = 1000
"""Notifications in WINDOW seconds that are taken in; 200 would be a busy site's."""

WINDOW = 10.0
"""Seconds."""


class Hints:
    """The session, if there is one, with its socket in the selector.

    Args:
        opener: returns a new session that listens; called in a thread, since connecting may hang.
        selector: the session's socket is registered there, with the data "hints".
        wake: wakes the selector; called in that thread when `opener` has returned.
    """

    def __init__(
        self, opener: Callable[[], Connection], selector: selectors.BaseSelector, wake: Callable[[], None]
    ) -> None:
        self._opener, self._selector, self._wake = opener, selector, wake
        self._thread: threading.Thread | None = None
        self._result: Connection | None = None
        self._connection: Connection | None = None
        self._fd = -1
        self._next_try = 0.0
        self._window, self._heard = 0.0, 0

    def turn(self, *, wanted: bool) -> bool:
        """Open or close the session, without waiting. True in the turn in which it begins to listen.

        Args:
            wanted: whether this daemon leads; another one needs no hints.
        """
        if self._thread is not None and not self._thread.is_alive():
            self._thread = None
            if (connection := self._result) is not None:
                self._result = None
                self._connection = connection
                self._fd = connection.fileno()  # libpq forgets it when the session ends
                self._selector.register(self._fd, selectors.EVENT_READ, "hints")
                self._window, self._heard = time.monotonic(), 0
                return wanted
        if not wanted:
            self.close()
        elif self._connection is None and self._thread is None and time.monotonic() >= self._next_try:
            self._next_try = time.monotonic() + RETRY
            self._thread = threading.Thread(target=self._open, name="listen", daemon=True)
            self._thread.start()
        return False

    def take(self) -> int:
        """Take in what has come, without waiting.

        One call reads a buffer of libpq's, some 10 kB; more wakes the selector again.

        Returns:
            0; or how many notifications have come in WINDOW seconds, if too many: then the session is closed.
        """
        if self._connection is None:
            return 0
        pgconn, now = self._connection.pgconn, time.monotonic()
        if now - self._window > WINDOW:
            self._window, self._heard = now, 0
        try:
            pgconn.consume_input()
        except psycopg.Error:
            self.close()  # the session has ended: another is opened
            return 0
        while pgconn.notifies() is not None:
            self._heard += 1
        if self._heard <= MOST:
            return 0
        self.close()
        self._next_try = now + PAUSE
        return self._heard

    def close(self) -> None:
        """Close the session; `turn` opens another when it is wanted."""
        if self._connection is not None:
            self._selector.unregister(self._fd)
            self._connection.close()
            self._connection = None

    def _open(self) -> None:
        try:
            self._result = self._opener()
        except (ScandError, psycopg.Error):
            self._result = None  # the session that leads tells what is wrong with the database
        self._wake()
