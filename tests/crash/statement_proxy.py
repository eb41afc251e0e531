"""A proxy between the daemon and PostgreSQL that knows every statement by its name in `sql/`.

At a chosen statement it injects a fault: before the server gets the statement, or when the server has carried it
out and the daemon has not read the answer. The fault is an action that it is given (SIGKILL for the daemon), or
the session is cut.
"""

from __future__ import annotations

import re
import socket
import struct
import threading
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING

from psycopg import conninfo

from scand.queue import statements
from tests.crash.faults import Moment, Statement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_AGENT = b"application_name\0scand\0"
_READS = frozenset(
    {"look", "leader", "installation", "same_document", "find_document", "deleted", "lock_holder", "blocker"}
)
"""Statements that only read, so that nothing can be lost with them."""


class StatementProxy:
    """Listens on a loopback port and passes everything on to the server.

    Args:
        url: the server's, in libpq's format.

    Attributes:
        url: where the daemon has to connect.
        statements: what the daemon has sent since `reset`, without what only reads.
        hit: set once the fault was injected.
    """

    def __init__(self, url: str) -> None:
        server = conninfo.conninfo_to_dict(url)
        self._host, self._port = str(server["host"]), int(server.get("port") or 5432)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = conninfo.make_conninfo(
            url,
            host="127.0.0.1",
            port=self._listener.getsockname()[1],
            sslmode="disable",
            gssencmode="disable",
        )
        self._names = {_shape(text.decode()): name for name, text in statements.load().items()}
        self._lock = threading.Lock()
        self.reset()
        threading.Thread(target=self._serve, daemon=True).start()

    def reset(self) -> None:
        """Inject no fault, and count statements from 1 again."""
        with self._lock:
            self._counted: Counter[str] = Counter()
            self.statements: list[Statement] = []
            self._wanted: tuple[Statement, Moment] | None = None
            self._action: Callable[[], None] | None = None
            self.hit = threading.Event()

    def arm(self, statement: Statement, moment: Moment, action: Callable[[], None] | None) -> None:
        """Inject a fault at this statement: call `action`, or without one cut the session."""
        self.reset()
        with self._lock:
            self._wanted, self._action = (statement, moment), action

    def close(self) -> None:
        """Stop listening; open sessions end with the daemon's or the server's end."""
        self._listener.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._session, args=(client,), daemon=True).start()

    def _session(self, client: socket.socket) -> None:
        with client, self._connect() as server:
            session = _Session(client, server)
            answering = threading.Thread(target=session.answer, daemon=True)
            answering.start()
            with suppress(OSError, EOFError):
                self._pass_on(session)
            for end in (client, server):  # wakes the thread, too, and ends the server's session
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
            answering.join()

    def _pass_on(self, session: _Session) -> None:
        agent = _AGENT in session.open()
        for text, group in session.groups():
            moment = self._moment_to_fail(text) if agent and text else None
            if moment is None:
                session.send(group)
                continue
            if moment is Moment.AFTER:
                session.carry_out(group)
            self.hit.set()
            if self._action:
                self._action()
            return

    def _connect(self) -> socket.socket:
        if not self._host.startswith("/"):
            return socket.create_connection((self._host, self._port))
        server = socket.socket(socket.AF_UNIX)
        server.connect(f"{self._host}/.s.PGSQL.{self._port}")
        return server

    def _moment_to_fail(self, text: str) -> Moment | None:
        name = self._names.get(_shape(text)) or " ".join(text.split()[:3])
        if name in _READS or name.startswith(("LISTEN", "SET", "SELECT set_config")):
            return None
        with self._lock:
            self._counted[name] += 1
            statement = Statement(name, self._counted[name])
            self.statements.append(statement)
            if self._wanted is None or self._wanted[0] != statement or self.hit.is_set():
                return None
            return self._wanted[1]


class _Session:
    """The two connections of a session, and the messages between them. Source: PostgreSQL, "Message Formats"."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self._client, self._server = client, server
        self._prepared: dict[str, str] = {}
        self._held = threading.Event()
        self._ready = threading.Event()

    def open(self) -> bytes:
        """Pass on the first message, which has no type."""
        (size,) = struct.unpack("!I", length := _exactly(self._client, 4))
        message = length + _exactly(self._client, size - 4)
        self._server.sendall(message)
        return message

    def groups(self) -> Iterator[tuple[str, bytes]]:
        """Yield the client's messages in groups that are answered together, each with its statement or ""."""
        group, text = b"", ""
        while True:
            head = _exactly(self._client, 5)
            body = _exactly(self._client, struct.unpack("!I", head[1:])[0] - 4)
            group += head + body
            match head[:1]:
                case b"P":
                    name, query, *_ = body.split(b"\0")
                    self._prepared[name.decode()] = query.decode()
                case b"B":
                    _portal, name, *_ = body.split(b"\0")
                    text = self._prepared.get(name.decode(), "")
                case b"Q":
                    text = body.rstrip(b"\0").decode()
            if head[:1] in {b"Q", b"S", b"p", b"X", b"H"}:
                yield text, group
                group, text = b"", ""

    def send(self, group: bytes) -> None:
        """Pass a group on to the server."""
        self._server.sendall(group)

    def carry_out(self, group: bytes) -> None:
        """Have the server carry out a group, and withhold its answer from the client."""
        self._held.set()
        self._server.sendall(group)
        self._ready.wait(10)

    def answer(self) -> None:
        """Pass the server's messages on to the client, until they are withheld."""
        with suppress(OSError, EOFError):
            while True:
                head = _exactly(self._server, 5)
                message = head + _exactly(self._server, struct.unpack("!I", head[1:])[0] - 4)
                if not self._held.is_set():
                    self._client.sendall(message)
                elif head[:1] == b"Z":  # ReadyForQuery: it is carried out
                    self._ready.set()
        with suppress(OSError):
            self._client.shutdown(socket.SHUT_RDWR)


def _exactly(end: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        if not (more := end.recv(size - len(data))):
            raise EOFError
        data += more
    return data


def _shape(text: str) -> str:
    """A statement without the names of its parameters, so that both ways of writing them are equal."""
    return " ".join(re.sub(r"%\(\w+\)s|\$\d+", "?", text).replace("%%", "%").split())
