"""Whatever can hang or crash lives in a child process: spawn it, read it, judge its end, kill it.

A child has one socket to its parent (see `wire`), and its stdout and stderr are pipes, since drivers print
there. It starts with SIGUSR1, SIGHUP and SIGINT blocked (`systemctl kill` signals the whole unit) and dies
with the daemon: PR_SET_PDEATHSIG, set by the child itself, and end of file on its socket.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from scand import wire
from scand.wire.output import Output

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import BaseModel


FEEDER, COURIER = "scand.feeder", "scand.courier"


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
        output: its stdout and stderr, by name.
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
        self.output = {
            "stdout": Output(self._process.stdout.fileno()),
            "stderr": Output(self._process.stderr.fileno()),
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

    def printed(self, *, last: bool = False) -> list[tuple[str, str]]:
        """What its driver has printed since the last call: (stream, line).

        Args:
            last: it has ended: a line that it began is a line, too.
        """
        now = time.monotonic()
        found = [
            (stream, line) for stream, output in self.output.items() for line in output.lines(now, last=last)
        ]
        self._ended += [output.fd for output in self.output.values() if output.ended]
        return found

    def descriptors(self) -> list[int]:
        """What is readable when it has something to say, or has ended."""
        return [self.socket.fileno(), self.pidfd, *(output.fd for output in self.output.values())]

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
