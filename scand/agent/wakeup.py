"""Wakes the daemon's selector, for signals and helper threads: the "self-pipe trick", with a socket pair."""

from __future__ import annotations

import signal
import socket
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1)


class Wakeup:
    """A socket pair with one end in the selector: a byte written to the other end wakes it."""

    def __init__(self) -> None:
        self._read_end, self._write_end = socket.socketpair()
        for end in (self._read_end, self._write_end):
            end.setblocking(False)
        self._signals: deque[signal.Signals] = deque()

    def fileno(self) -> int:
        """The descriptor for the selector; readable once `wake` was called or a signal came."""
        return self._read_end.fileno()

    def take_signals(self) -> None:
        """Queue SIGNALS from now on, in the order in which they come. Only the main thread may call this."""
        signal.set_wakeup_fd(self._write_end.fileno(), warn_on_full_buffer=False)
        for number in SIGNALS:
            signal.signal(number, lambda number, _frame: self._signals.append(signal.Signals(number)))

    def wake(self) -> None:
        """Wake the selector; from any thread."""
        with suppress(BlockingIOError):  # it is full, so the selector wakes anyway
            self._write_end.send(b"\0")

    def drain(self) -> None:
        """Read what was written, so that the descriptor is not readable any more."""
        with suppress(BlockingIOError):
            while self._read_end.recv(4096):
                pass

    def signals(self) -> Iterator[signal.Signals]:
        """The signals that have come since the last call."""
        while self._signals:
            yield self._signals.popleft()
