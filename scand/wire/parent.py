"""The parent, seen from a child process: commands come in, reports go out, and the child ends with its parent."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import threading
from typing import TYPE_CHECKING, Self

from scand import wire

if TYPE_CHECKING:
    from types import TracebackType

    from pydantic import BaseModel


UNIT_SIGNALS = (signal.SIGUSR1, signal.SIGHUP, signal.SIGINT)
"""Signals that are meant for the daemon and reach its children, too; children ignore them."""

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


class Parent:
    """The parent process.

    A child never outlives its parent: whichever method notices that the parent is gone ends the process. `wait`
    does it by SystemExit, since between two commands a device can still be closed properly; the others do it at
    once.

    Args:
        fd: the child's end of the socket.
        pid: the parent's process id.

    Raises:
        SystemExit: the parent is gone already.
    """

    def __init__(self, fd: int, pid: int) -> None:
        self._socket = socket.socket(fileno=fd)
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != pid:
            raise SystemExit(os.EX_UNAVAILABLE)  # the parent died before the call of prctl
        for number in UNIT_SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, UNIT_SIGNALS)
        self._send_lock = threading.Lock()
        self._lines = wire.Lines()
        self._waiting: list[wire.Command] = []

    @classmethod
    def from_argv(cls, argv: list[str]) -> Self:
        """The parent that started this process by `child.Child`; `argv` is [name, fd, pid]."""
        return cls(int(argv[1]), int(argv[2]))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def say(self, report: BaseModel) -> None:
        """Send a report. May be called from any thread: each call sends one whole line."""
        try:
            with self._send_lock:
                self._socket.sendall(wire.encode(report))
        except (BrokenPipeError, ConnectionResetError):
            os._exit(os.EX_UNAVAILABLE)  # the parent is gone; SystemExit would end only this thread

    def wait(self) -> wire.Command:
        """The next command, however long it takes.

        Raises:
            SystemExit: the parent has closed the socket.
        """
        while not self._waiting:
            if not (data := self._receive()):
                raise SystemExit(os.EX_OK)
            self._waiting += self._lines.commands(data)
        return self._waiting.pop(0)

    def poll(self) -> list[wire.Command]:
        """The commands that have come since the last call, without waiting."""
        try:
            data = self._receive(socket.MSG_DONTWAIT)
        except BlockingIOError:
            data = None
        if data == b"":
            os._exit(os.EX_OK)
        found, self._waiting = self._waiting + self._lines.commands(data or b""), []
        return found

    def _receive(self, flags: int = 0) -> bytes:
        try:
            return self._socket.recv(65536, flags)
        except ConnectionResetError:  # the parent closed the socket before it had read every report
            return b""
