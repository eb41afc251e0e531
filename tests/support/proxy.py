"""The network between the daemon and PostgreSQL, and what can happen to it.

A session that was open in `HALF_OPEN` stays dead, and the server does not learn of it: as behind a firewall that
has dropped the connection from its table.
"""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from enum import Enum, auto

from psycopg import conninfo

_COMMIT = b"Q\0\0\0\x0bCOMMIT\0"
"""The message that psycopg sends. Source: PostgreSQL, "Message Formats"."""


class Mode(Enum):
    """What the network does."""

    PASS = auto()
    REFUSE = auto()  # connections are refused, and all sessions are cut
    CUT = auto()  # all sessions are cut, new ones as soon as they connect
    CUT_BEFORE_COMMIT = auto()  # the server does not get the next COMMIT; then PASS
    CUT_AFTER_COMMIT = auto()  # the server gets the next COMMIT, and its answer is lost; then PASS
    HALF_OPEN = auto()  # connections are accepted, and nothing is ever answered
    SLOW = auto()  # every message takes `DELAY`


DELAY = 0.05
"""Seconds that a message takes in `Mode.SLOW`."""


class _Session:
    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self.client, self.server = client, server
        self.discards_answers = threading.Event()
        """Set when the server's answers are to be discarded."""
        self.answered = threading.Event()

    def cut(self) -> None:
        for end in (self.client, self.server):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


class Proxy:
    """Listens on a loopback port and passes everything on to a server.

    Args:
        url: the server's, in libpq's format.

    Attributes:
        url: the same, through the proxy.
    """

    def __init__(self, url: str) -> None:
        server = conninfo.conninfo_to_dict(url)
        self._host, self._port = str(server["host"]), int(server.get("port") or 5432)
        self._mode = Mode.PASS
        self._sessions: list[_Session] = []
        self._unanswered: list[socket.socket] = []
        self._listener = self._listen(0)
        self._at: int = self._listener.getsockname()[1]
        self.url = conninfo.make_conninfo(
            url, host="127.0.0.1", port=self._at, sslmode="disable", gssencmode="disable"
        )

    @property
    def mode(self) -> Mode:
        """What it does now; may be set."""
        return self._mode

    @mode.setter
    def mode(self, mode: Mode) -> None:
        former, self._mode = self._mode, mode
        if mode is Mode.REFUSE:
            self._stop_listening()
        elif former is Mode.REFUSE:
            self._listener = self._listen(self._at)
        if mode in {Mode.REFUSE, Mode.CUT}:
            for session in self._sessions:
                session.cut()

    def close(self) -> None:
        """Cut all sessions and stop listening."""
        self._mode = Mode.CUT
        self._stop_listening()
        for session in self._sessions:
            session.cut()
            session.client.close()
            session.server.close()
        for client in self._unanswered:
            client.close()

    def _listen(self, port: int) -> socket.socket:
        listener = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self._serve, args=(listener,), daemon=True).start()
        return listener

    def _stop_listening(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread in accept
        self._listener.close()

    def _serve(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                if self._mode is Mode.HALF_OPEN:
                    self._unanswered.append(client)
                elif self._mode is Mode.CUT:
                    client.close()
                else:
                    self._start_session(client)

    def _start_session(self, client: socket.socket) -> None:
        try:
            server = self._connect()
        except OSError:
            client.close()
            return
        session = _Session(client, server)
        self._sessions.append(session)
        for pump in (self._ask, self._answer):
            threading.Thread(target=pump, args=(session,), daemon=True).start()

    def _connect(self) -> socket.socket:
        if not self._host.startswith("/"):
            return socket.create_connection((self._host, self._port))
        server = socket.socket(socket.AF_UNIX)
        try:
            server.connect(f"{self._host}/.s.PGSQL.{self._port}")
        except OSError:
            server.close()
            raise
        return server

    def _ask(self, session: _Session) -> None:
        """From the daemon to the server."""
        with suppress(OSError):
            while data := session.client.recv(65536):
                if self._mode is Mode.HALF_OPEN:
                    return
                if _COMMIT in data and self._mode in {Mode.CUT_BEFORE_COMMIT, Mode.CUT_AFTER_COMMIT}:
                    if self._mode is Mode.CUT_AFTER_COMMIT:
                        session.discards_answers.set()
                        session.server.sendall(data)
                        session.answered.wait(10)
                    self._mode = Mode.PASS
                    break
                self._delay()
                session.server.sendall(data)
            if self._mode is Mode.HALF_OPEN:
                return
        session.cut()

    def _answer(self, session: _Session) -> None:
        """From the server to the daemon."""
        with suppress(OSError):
            while data := session.server.recv(65536):
                if self._mode is Mode.HALF_OPEN:
                    return
                if session.discards_answers.is_set():
                    session.answered.set()
                    continue
                self._delay()
                session.client.sendall(data)
            if self._mode is Mode.HALF_OPEN:
                return
        session.cut()

    def _delay(self) -> None:
        if self._mode is Mode.SLOW:
            time.sleep(DELAY)
