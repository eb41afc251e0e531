"""What wakeup the daemon's selector: signals, and its helper threads. The self-pipe, in one place."""

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
    """A socket pair: whoever writes a byte wakeup the selector. Signals are queued, in order."""

    def __init__(self) -> None:
        self._awake, self._wakeup = socket.socketpair()
        for end in (self._awake, self._wakeup):
            end.setblocking(False)
        self._signals: deque[signal.Signals] = deque()

    def fileno(self) -> int:
        """Readable when there was a wake."""
        return self._awake.fileno()

    def take_signals(self) -> None:
        """From now on signals are queued; called in the main thread."""
        signal.set_wakeup_fd(self._wakeup.fileno(), warn_on_full_buffer=False)
        for number in SIGNALS:
            signal.signal(number, lambda number, _frame: self._signals.append(signal.Signals(number)))

    def wake(self) -> None:
        """Wake the selector; from any thread."""
        with suppress(BlockingIOError):  # then it is full of wakeup already
            self._wakeup.send(b"\0")

    def drain(self) -> None:
        """Take in the wakeup."""
        with suppress(BlockingIOError):
            while self._awake.recv(4096):
                pass

    def signals(self) -> Iterator[signal.Signals]:
        """The signals that have come since the last call."""
        while self._signals:
            yield self._signals.popleft()
