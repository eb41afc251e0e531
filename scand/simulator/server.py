"""The sockets: one thread with one select serves all clients and the operator."""

import math
import select
import signal
import socket
import time
from types import FrameType

from scand.simulator.device import Scanner
from scand.simulator.session import Session
from scand.simulator.transfer import Pace


class Server:
    """A scanner on a listening socket.

    Args:
        scanner: to serve.
        address: IP address and TCP port.
        pace: of all images.

    Raises:
        OSError: it cannot listen there.
    """

    def __init__(self, scanner: Scanner, address: tuple[str, int], pace: Pace) -> None:
        self._listener = socket.create_server(address)
        self._listener.setblocking(False)
        self._scanner = scanner
        self._pace = pace
        self._sessions: list[Session] = []
        self._stopping = False
        # a signal writes to this pair, which wakes the select
        self._wakeup, self._wakeup_sender = socket.socketpair()
        self._wakeup_sender.setblocking(False)

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT; SIGHUP reloads the feeder. Signals require the main thread."""
        signal.set_wakeup_fd(self._wakeup_sender.fileno())
        for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        while not self._stopping:
            # Events must take effect in the order in which they happened. So commands are collected before the
            # select, which then shows which clients had already disconnected: the sheets that these left
            # unfinished are put back, too. And the oldest client is served first: one that was killed has closed
            # the device before a newer one opens it.
            self._scanner.operator.collect()
            readable, writable = self._wait()
            if self._wakeup in readable:
                self._wakeup.recv(4096)
            for session in self._sessions:
                if session.control in readable:
                    session.receive()
                if session.transfer and session.transfer.socket in readable + writable:
                    session.feed()
            self._sessions = [session for session in self._sessions if not session.closed]
            self._scanner.operator.carry_out()
            if self._listener in readable:
                self._accept()
        for session in self._sessions:
            session.close()
        self._listener.close()

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGHUP:
            self._scanner.operator.post("")
        else:
            self._stopping = True

    def _wait(self) -> tuple[list[socket.socket], list[socket.socket]]:
        now = time.monotonic()
        reads = [self._listener, self._wakeup, *(session.control for session in self._sessions)]
        writes = []
        wake = self._scanner.operator.next_check(now)
        for transfer in (session.transfer for session in self._sessions):
            if transfer and not transfer.connected:
                reads.append(transfer.socket)
            elif transfer and transfer.due <= now:
                writes.append(transfer.socket)
            elif transfer:
                wake = min(wake, transfer.due)
        readable, writable, _ = select.select(reads, writes, [], None if wake == math.inf else wake - now)
        return readable, writable

    def _accept(self) -> None:
        try:
            control, _ = self._listener.accept()
        except OSError:  # the client has already disconnected
            return
        control.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sessions.append(Session(control, self._scanner, self._pace))
