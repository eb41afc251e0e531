"""The sockets: one thread around one select, for all clients and the person at the feeder."""

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
    """A scanner on a listening socket; raises OSError where it cannot listen there."""

    def __init__(self, scanner: Scanner, address: tuple[str, int], pace: Pace) -> None:
        self._listener = socket.create_server(address)
        self._listener.setblocking(False)
        self._scanner = scanner
        self._pace = pace
        self._sessions: list[Session] = []
        self._stopping = False
        # a signal rings the bell, which wakes the select
        self._bell, self._button = socket.socketpair()
        self._button.setblocking(False)

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT; SIGHUP reloads the feeder. In the main thread, for the signals."""
        signal.set_wakeup_fd(self._button.fileno())
        for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._note)
        while not self._stopping:
            # Things are to take effect in the order in which they came to pass. So wishes are heard before
            # the select, which then says what clients were gone by then: the sheets that these left half-way
            # are put back. And the oldest client comes first: one that was killed has let go of the device
            # when a newer one asks for it.
            self._scanner.person.listen()
            readable, writable = self._wait()
            if self._bell in readable:
                self._bell.recv(4096)
            for session in self._sessions:
                if session.control in readable:
                    session.receive()
                if session.transfer and session.transfer.socket in readable + writable:
                    session.feed()
            self._sessions = [session for session in self._sessions if not session.closed]
            self._scanner.person.attend()
            if self._listener in readable:
                self._accept()
        for session in self._sessions:
            session.close()
        self._listener.close()

    def _note(self, number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGHUP:
            self._scanner.person.ask("")
        else:
            self._stopping = True

    def _wait(self) -> tuple[list[socket.socket], list[socket.socket]]:
        now = time.monotonic()
        reads = [self._listener, self._bell, *(session.control for session in self._sessions)]
        writes = []
        wake = self._scanner.person.due(now)
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
        except OSError:  # it has left again
            return
        control.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sessions.append(Session(control, self._scanner, self._pace))
