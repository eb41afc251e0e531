"""One daemon for each staging directory: a flock, which the daemon takes first and its feeder holds with it.

A flock belongs to the open file, which the feeder inherits: as long as either lives, no other daemon begins. A
courier does not hold it, since it may be stuck in the kernel long after its daemon has ended.
"""

from __future__ import annotations

import fcntl
import os
import socket
from contextlib import suppress
from pathlib import Path


class StagingLock:
    """The lock on one staging directory. It ends with the last process that holds its descriptor."""

    def __init__(self, staging: Path) -> None:
        staging.mkdir(parents=True, exist_ok=True)
        self._fd = os.open(staging / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)

    def take(self) -> bool:
        """Try to take the lock, without waiting; True if this process now holds it, until its end."""
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, f"{socket.gethostname()}, pid {os.getpid()}".encode(), 0)
        return True

    def holder(self) -> str:
        """Which process holds it, as it has written into the file: "scanhost, pid 4711"."""
        return os.pread(self._fd, 200, 0).decode(errors="replace") or "another scand"

    def fileno(self) -> int:
        """The descriptor, for the feeder to inherit."""
        return self._fd


def open_holder(staging: Path) -> tuple[int, int] | None:
    """The process on this host that holds the lock of a staging directory; None: nobody does.

    The pid in the file alone proves nothing: its writer may have ended, and another process may have the number.
    So a pidfd is opened first; then the process must belong to the file's owner, and must have the lock, as its
    `/proc/<pid>/fdinfo` shows (proc(5)). A signal sent to the pidfd reaches that process or none.

    Returns:
        Its pid, and a pidfd, which the caller closes; or None.

    Raises:
        PermissionError: this user may not look at the lock, or at the process.
    """
    try:
        file = (staging / "lock").open("rb")
    except (FileNotFoundError, NotADirectoryError):
        return None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            written = file.read(200).rpartition(b" ")[2]
        else:
            return None
        if not written.isdigit():
            return None
        pid, lock = int(written), os.fstat(file.fileno())
    try:
        pidfd = os.pidfd_open(pid)
    except (ProcessLookupError, OverflowError, OSError):
        return None
    try:
        if Path(f"/proc/{pid}").stat().st_uid == lock.st_uid and _has_lock(pid, lock):
            return pid, pidfd
    except FileNotFoundError:
        pass  # it has just ended
    except BaseException:
        os.close(pidfd)
        raise
    os.close(pidfd)
    return None


def _has_lock(pid: int, lock: os.stat_result) -> bool:
    """Whether one of a process's descriptors is the lock's file, and holds a flock on it."""
    process = Path(f"/proc/{pid}")
    for link in (process / "fd").iterdir():
        with suppress(FileNotFoundError):
            found = link.stat()
            if (found.st_dev, found.st_ino) == (lock.st_dev, lock.st_ino):
                lines = (process / "fdinfo" / link.name).read_text().splitlines()
                if any(line.startswith("lock:") and "FLOCK" in line for line in lines):
                    return True
    return False
