"""The running server process: started, found again, stopped.

A process id in a file is only a hint: after a power cut it may be another program's. So a process counts as the
server only if its working directory is the data directory (which PostgreSQL sees to), and it is signaled by a
descriptor, which can never mean another process.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

from scand.errors import Unavailable
from scand.queue.embedded.programs import environment, last_words

if TYPE_CHECKING:
    from collections.abc import Sequence

PID_FILE = "postmaster.pid"
"""Its lines: pid, data directory, start time, port, socket directory, listen address, memory, status."""
LOG = "log"
_PID, _STATUS = 0, 7  # lines of it

_STARTING = 60.0
"""Seconds until it takes connections; after a power cut it first reads its log."""
_STOPPING = ((signal.SIGINT, 20.0), (signal.SIGQUIT, 3.0), (signal.SIGKILL, 5.0))
"""How it is asked to stop, and for how many seconds each is waited for. Source: PostgreSQL, "Shutting Down"."""


class Postmaster:
    """A server process that runs, or has just been started.

    Args:
        directory: its data directory.
        pid: the process.
        child: the process, where it is ours to reap.

    Raises:
        OSError: there is no such process.
    """

    def __init__(self, directory: Path, pid: int, child: subprocess.Popen[bytes] | None = None) -> None:
        self.directory, self.pid, self._child = directory, pid, child
        self._fd = os.pidfd_open(pid)

    @classmethod
    def find(cls, directory: Path) -> Self | None:
        """The server that runs on a data directory, whoever has started it; None: we see none."""
        pid = _pid(directory / PID_FILE)
        if pid is None or not works_in(pid, directory):
            return None
        try:
            found = cls(directory, pid)
        except OSError:
            return None
        if works_in(
            pid, directory
        ):  # asked again: between the two, another process may have taken the number
            return found
        found.close()
        return None

    @classmethod
    def start(cls, command: Sequence[str], directory: Path) -> Self:
        """Start a server; it goes on when this process dies, and its log is in the data directory.

        Raises:
            Unavailable: it cannot be run.
        """
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        try:
            log = os.open(directory / LOG, flags, 0o600)
            try:
                child = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=environment(),
                    start_new_session=True,  # Ctrl-C is for the daemon, which stops it in good order
                )
            finally:
                os.close(log)
            return cls(directory, child.pid, child)
        except OSError as error:
            raise Unavailable(f"The embedded PostgreSQL cannot be run: {error}.") from error

    def arguments(self) -> list[str]:
        """With which it was started; empty where it has ended."""
        try:
            return Path(f"/proc/{self.pid}/cmdline").read_text().rstrip("\0").split("\0")
        except OSError:
            return []

    def alive(self) -> bool:
        """Whether it runs."""
        return not self._ended(0.0)

    def wait_ready(self, seconds: float = _STARTING) -> None:
        """Wait until it takes connections.

        Raises:
            Unavailable: it has ended, or it is not ready after so long.
        """
        deadline = time.monotonic() + seconds
        while not self._ready():
            if not self.alive():
                said = last_words(_tail(self.directory / LOG))
                self.close()
                raise Unavailable(
                    f"The embedded PostgreSQL does not start ({said}): see {self.directory / LOG}."
                )
            if time.monotonic() > deadline:
                raise Unavailable(f"The embedded PostgreSQL is still starting: see {self.directory / LOG}.")
            time.sleep(0.02)

    def stop(self) -> None:
        """Stop it: in good order (sessions end, all is written), harder where it does not answer."""
        for number, seconds in _STOPPING:
            if self._ended(0.0):
                break
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._fd, number)
            self._ended(seconds)
        self.close()

    def close(self) -> None:
        """Let go of it, and leave it as it is."""
        if self._child is not None:
            self._child.poll()
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _ready(self) -> bool:
        try:
            lines = (self.directory / PID_FILE).read_text().splitlines()
        except OSError:
            return False
        return len(lines) > _STATUS and lines[_PID] == str(self.pid) and lines[_STATUS].strip() == "ready"

    def _ended(self, seconds: float) -> bool:
        if self._fd < 0:
            return True
        poll = select.poll()
        poll.register(self._fd, select.POLLIN)
        return bool(poll.poll(seconds * 1000))


def works_in(pid: int, directory: Path) -> bool:
    """Whether a process has this working directory; one that has ended has none."""
    try:
        return (Path("/proc") / str(pid) / "cwd").samefile(directory)
    except OSError:
        return False


def forget_dead(lock: Path) -> None:
    """Remove a lock file of PostgreSQL's if the server that wrote it does not run.

    PostgreSQL itself leaves it alone as long as any process has the number in it.

    Args:
        lock: postmaster.pid, or the lock beside a socket: process id and data directory are its first two lines.
            A power cut may leave neither.
    """
    try:
        pid, directory = lock.read_text().splitlines()[:2]
        alive = works_in(int(pid), Path(directory))
    except FileNotFoundError:
        return
    except ValueError:
        alive = False
    if not alive:
        lock.unlink(missing_ok=True)


def _pid(file: Path) -> int | None:
    try:
        return int(file.read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return None


def _tail(file: Path, size: int = 4096) -> str:
    with suppress(OSError):
        return file.read_bytes()[-size:].decode(errors="replace")
    return ""
