"""One agent a staging directory: a flock that the daemon takes first, and its feeder holds with it.

A flock belongs to the open file, which the feeder inherits: as long as either lives, no other daemon begins. A
courier does not hold it, since it may be stuck in the kernel long after its daemon has gone.
"""

from __future__ import annotations

import fcntl
import os
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class StagingLock:
    """The lock on one staging directory. It ends with the last process that holds its descriptor."""

    def __init__(self, staging: Path) -> None:
        staging.mkdir(parents=True, exist_ok=True)
        self._fd = os.open(staging / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)

    def take(self) -> bool:
        """Try to be the one; True when it is ours, and from then on."""
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, f"{socket.gethostname()}, pid {os.getpid()}".encode(), 0)
        return True

    def holder(self) -> str:
        """Who has it, as far as it has said: "scanhost, pid 4711"."""
        return os.pread(self._fd, 200, 0).decode(errors="replace") or "another scand"

    @staticmethod
    def holder_pid(staging: Path) -> int | None:
        """The process on this host that holds the lock of a staging directory; None: nobody does.

        Raises:
            OSError: the lock may not be looked at.
        """
        try:
            with (staging / "lock").open("rb") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                except BlockingIOError:
                    return int(file.read(200).rpartition(b" ")[2])
        except FileNotFoundError:
            pass
        return None

    def fileno(self) -> int:
        """For the feeder to inherit."""
        return self._fd
