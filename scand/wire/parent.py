"""The child's end of the socket: what it says to its parent, and how it leaves with it."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import threading
from typing import TYPE_CHECKING, Self

from scand import wire
from scand.wire.child import _PR_SET_PDEATHSIG, _UNIT_SIGNALS

if TYPE_CHECKING:
    from types import TracebackType

    from pydantic import BaseModel


class Parent:
    """The parent, seen from the child: commands come in, reports go out.

    An orphan never goes on: whichever call notices that the parent is gone ends the process, `wait` by
    SystemExit (between two commands, so that a device is closed in good order), the others at once.
    """

    def __init__(self, fd: int, pid: int) -> None:
        self._socket = socket.socket(fileno=fd)
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != pid:
            raise SystemExit(os.EX_UNAVAILABLE)  # it died before the line above
        for number in _UNIT_SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _UNIT_SIGNALS)
        self._saying = threading.Lock()
        self._lines = wire.Lines()
        self._waiting: list[wire.Command] = []

    @classmethod
    def from_argv(cls, argv: list[str]) -> Self:
        """The parent that spawned this process through `Child`: [name, fd, pid]."""
        return cls(int(argv[1]), int(argv[2]))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def say(self, report: BaseModel) -> None:
        """Send a report; one call is one line, whole, from whichever thread."""
        try:
            with self._saying:
                self._socket.sendall(wire.encode(report))
        except (BrokenPipeError, ConnectionResetError):
            os._exit(os.EX_UNAVAILABLE)  # the parent is gone: stop at once, whichever thread this is

    def wait(self) -> wire.Command:
        """The next command, however long it takes.

        Raises:
            SystemExit: the parent has closed the socket.
        """
        while not self._waiting:
            if not (data := self._heard()):
                raise SystemExit(os.EX_OK)
            self._waiting += self._lines.commands(data)
        return self._waiting.pop(0)

    def poll(self) -> list[wire.Command]:
        """What has come in since, without waiting: between two pieces of a page."""
        try:
            data = self._heard(socket.MSG_DONTWAIT)
        except BlockingIOError:
            data = None
        if data == b"":
            os._exit(os.EX_OK)
        found, self._waiting = self._waiting + self._lines.commands(data or b""), []
        return found

    def _heard(self, flags: int = 0) -> bytes:
        try:
            return self._socket.recv(65536, flags)
        except ConnectionResetError:  # it closed the socket with a report in it that it had not read
            return b""
