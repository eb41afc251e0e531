"""A child process, seen from its parent: start it, read what it says and prints, see how it ended, kill it.

Whatever can hang or crash lives in a child. A child has one socket to its parent (see `wire`), and its stdout and
stderr are pipes, since drivers print there. It starts with SIGUSR1, SIGHUP and SIGINT blocked, because
`systemctl kill` signals the whole unit. It ends with the daemon: it sets PR_SET_PDEATHSIG for itself, and its
socket reaches end of file (see `wire.parent`).
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
from scand.wire.parent import UNIT_SIGNALS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import BaseModel

FEEDER, COURIER = "scand.feeder", "scand.courier"
"""The modules that run as child processes."""

_MEMORY = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1", "PILLOW_BLOCKS_MAX": "6"}
"""Pages are large: encoding one takes 35 MB at 300 dpi, 140 MB at 600. Huge pages of 2 MiB cost a fraction of the
page faults, and six of Pillow's blocks hold what two pages at 300 dpi need. A kernel or C library without huge
pages ignores this."""

_SECRETS = (
    "SCAND_DATABASE_URL",
    "PGPASSWORD",
    "PGPASSFILE",
    "PGSERVICE",
    "CREDENTIALS_DIRECTORY",
    "NOTIFY_SOCKET",
)


def clean_environment() -> dict[str, str]:
    """The environment for children: without what gives access to the database, or lets one speak to systemd."""
    return {name: value for name, value in os.environ.items() if name not in _SECRETS}


class Child:
    """A running child process. No read blocks, so one selector can watch all children.

    Args:
        module: `FEEDER` or `COURIER`.
        environ: its environment.
        inherit: descriptors that it keeps open for as long as it lives.

    Attributes:
        module: as given.
        pid: its process id.
        socket: readable when the child has sent a report, or has ended.
        pidfd: readable when the child has ended.
        output: its stdout and stderr, by name.
        killed: it has been sent SIGKILL; it may not have ended yet.

    Raises:
        OSError: the machine has no room for another process.
    """

    def __init__(self, module: str, environ: Mapping[str, str], inherit: tuple[int, ...] = ()) -> None:
        ours, theirs = socket.socketpair()
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, UNIT_SIGNALS)
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", module, str(theirs.fileno()), str(os.getpid())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=(theirs.fileno(), *inherit),
                # libsane's error texts are matched in English; what a driver prints must not stay in a buffer.
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
        """Send a command. If the child has ended, nothing happens here: `pidfd` tells of its end."""
        self.socket.setblocking(True)
        try:
            self.socket.sendall(wire.encode(command))
        except (BrokenPipeError, ConnectionResetError):
            pass
        finally:
            self.socket.setblocking(False)

    def reports(self) -> list[wire.Report]:
        """The reports that came since the last call.

        Raises:
            pydantic.ValidationError: see `wire.Lines.reports`.
        """
        return self._lines.reports(self._read(self.socket.fileno()))

    def at_eof(self) -> list[int]:
        """The descriptors that reached end of file since the last call."""
        ended, self._ended = self._ended, []
        return ended

    def printed(self, *, last: bool = False) -> list[tuple[str, str]]:
        """What was printed since the last call: ("stdout" or "stderr", line).

        Args:
            last: the child has ended: an incomplete last line counts, too.
        """
        now = time.monotonic()
        found = [
            (stream, line) for stream, output in self.output.items() for line in output.lines(now, last=last)
        ]
        self._ended += [output.fd for output in self.output.values() if output.ended]
        return found

    def descriptors(self) -> list[int]:
        """The descriptors that become readable when the child says or prints something, or ends."""
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
        """The exit status (negative: the number of the signal that killed it); None while it runs."""
        return self._process.poll()

    def kill(self) -> None:
        """SIGKILL. A child in uninterruptible sleep ends only when the kernel lets it."""
        self.killed = True
        self._process.kill()

    def hang_up(self) -> None:
        """Close the socket: the child finishes what it has to, and ends. Nothing more is heard of it."""
        self.socket.close()

    def reap(self, timeout: float) -> None:
        """Wait for its end, so that no zombie is left.

        Args:
            timeout: seconds; a child that is stuck in the kernel is not waited for any longer.
        """
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout)

    def close(self) -> None:
        """Close its descriptors. The process has ended, or is left behind."""
        self.socket.close()
        os.close(self.pidfd)
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()
