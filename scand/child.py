"""Whatever can hang or crash lives in a child process: spawn it, read it, judge its end, kill it.

A child has one socket to its parent (see `wire`), and its stdout and stderr are pipes, since drivers print
there. It starts with SIGUSR1, SIGHUP and SIGINT blocked (`systemctl kill` signals the whole unit) and dies
with the daemon: PR_SET_PDEATHSIG, set by the child itself, and end of file on its socket.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from scand import wire
from scand.noise import Noise

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import TracebackType

    from pydantic import BaseModel

_UNIT_SIGNALS = (signal.SIGUSR1, signal.SIGHUP, signal.SIGINT)
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_MEMORY = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1", "PILLOW_BLOCKS_MAX": "6"}
"""Pages are large: 35 MB while one is encoded at 300 dpi, 140 MB at 600. Memory in pieces of 2 MiB costs a
fraction of the faults, and Pillow keeps what two pages at 300 dpi need. Where kernel or C library have no such
pieces, nothing happens."""


_SECRET = (
    "SCAND_DATABASE_URL",
    "PGPASSWORD",
    "PGPASSFILE",
    "PGSERVICE",
    "CREDENTIALS_DIRECTORY",
    "NOTIFY_SOCKET",
)


def clean_environment() -> dict[str, str]:
    """What children inherit: all but what lets one into the database, or speak for the daemon."""
    return {name: value for name, value in os.environ.items() if name not in _SECRET}


class Child:
    """A running child process, seen from its parent. All reads are non-blocking, for one selector.

    Args:
        module: `scand.feeder` or `scand.courier`.
        environ: its environment.
        inherit: descriptors that it holds for as long as it lives.

    Attributes:
        module: as given.
        pid: its process id.
        socket: readable when it has said something, or is gone.
        pidfd: readable when it has ended.
        noise: its stdout and stderr, by name.
        killed: it has been sent SIGKILL, and may not have ended yet.
    """

    def __init__(self, module: str, environ: Mapping[str, str], inherit: tuple[int, ...] = ()) -> None:
        ours, theirs = socket.socketpair()
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, _UNIT_SIGNALS)
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", module, str(theirs.fileno()), str(os.getpid())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=(theirs.fileno(), *inherit),
                # libsane's error texts are matched in English; a driver's own buffers must not hold its words.
                env={**_MEMORY, **environ, "LC_ALL": "C", "PYTHONUNBUFFERED": "1"},
            )
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            theirs.close()
        self.module = module
        self.pid = self._process.pid
        self.pidfd = os.pidfd_open(self.pid)
        self.socket = ours
        self.socket.setblocking(False)
        assert self._process.stdout is not None  # noqa: S101 - PIPE was asked for
        assert self._process.stderr is not None  # noqa: S101
        self.noise = {
            "stdout": Noise(self._process.stdout.fileno()),
            "stderr": Noise(self._process.stderr.fileno()),
        }
        self._lines = wire.Lines()
        self._ended: list[int] = []
        self.killed = False

    def say(self, command: BaseModel) -> None:
        """Send a command; a child that is gone does not hear it, and its end is seen through `pidfd`."""
        self.socket.setblocking(True)
        try:
            self.socket.sendall(wire.encode(command))
        except (BrokenPipeError, ConnectionResetError):
            pass
        finally:
            self.socket.setblocking(False)

    def reports(self) -> list[wire.Report]:
        """What it has said since the last call."""
        return self._lines.reports(self._read(self.socket.fileno()))

    def silent(self) -> list[int]:
        """Descriptors that have come to their end since the last call: nothing more will be read there."""
        ended, self._ended = self._ended, []
        return ended

    def noises(self, *, last: bool = False) -> list[tuple[str, str]]:
        """What its driver has printed since the last call: (stream, line).

        Args:
            last: it has ended: a line that it began is a line, too.
        """
        now = time.monotonic()
        found = [
            (stream, line) for stream, noise in self.noise.items() for line in noise.lines(now, last=last)
        ]
        self._ended += [noise.fd for noise in self.noise.values() if noise.ended]
        return found

    def descriptors(self) -> list[int]:
        """What is readable when it has something to say, or has ended."""
        return [self.socket.fileno(), self.pidfd, *(noise.fd for noise in self.noise.values())]

    def _read(self, fd: int) -> bytes:
        parts = []
        try:
            while part := os.read(fd, 65536):
                parts.append(part)
            self._ended.append(fd)
        except (BlockingIOError, ConnectionResetError):
            pass
        return b"".join(parts)

    def ended(self) -> int | None:
        """The exit status (negative: the signal that killed it), or None while it runs."""
        return self._process.poll()

    def kill(self) -> None:
        """SIGKILL. A child in uninterruptible sleep ends only when the kernel lets it."""
        self.killed = True
        self._process.kill()

    def hang_up(self) -> None:
        """Say nothing more, and hear nothing more: it puts its things in order, and ends."""
        self.socket.close()

    def reap(self, timeout: float) -> None:
        """Wait for its end, so that no zombie is left; one that is stuck in the kernel is not waited for."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout)

    def close(self) -> None:
        """Let go of its descriptors; the process must have ended, or is left to its fate."""
        self.socket.close()
        os.close(self.pidfd)
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()


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


def ask(module: str, command: BaseModel, environ: Mapping[str, str], timeout: float) -> Iterator[wire.Report]:
    """One command to a child of its own, its reports one by one until it ends. For the command line.

    Args:
        module: `scand.feeder` or `scand.courier`.
        command: what to do.
        environ: the child's environment.
        timeout: seconds of silence after which the child is killed; the reports simply end then.
    """
    import select  # noqa: PLC0415 - the daemon has its own selector and never comes here

    child = Child(module, environ)
    try:
        child.say(command)
        child.socket.shutdown(socket.SHUT_WR)  # when it has done that, it may go
        heard, open_ = time.monotonic(), set(child.descriptors())
        while (left := heard + timeout - time.monotonic()) > 0:
            readable, _, _ = select.select(open_, [], [], left)
            child.noises()
            gone = child.pidfd in readable
            for report in child.reports():
                heard = time.monotonic()
                yield report
            open_ -= {*child.silent()}
            if gone:
                return
    finally:
        child.kill()
        child.ended()
        child.close()
