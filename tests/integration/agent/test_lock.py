"""Who holds the staging lock: the process that is signaled must be the one that has it."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from scand.agent.lock import StagingLock, open_holder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_HOLD = """
import pathlib, sys
from scand.agent.lock import StagingLock
lock = StagingLock(pathlib.Path(sys.argv[1]))
print(lock.take(), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that has the lock until it is killed."""
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "True\n"
    yield process
    process.kill()
    process.communicate()


def _found(staging: Path) -> int | None:
    held = open_holder(staging)
    if held is None:
        return None
    pid, pidfd = held
    os.close(pidfd)
    return pid


def test_the_holder_is_found(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    """By its pid, and its pidfd is its own."""
    held = open_holder(tmp_path)
    assert held is not None
    assert held[0] == holder.pid
    signal.pidfd_send_signal(held[1], signal.SIGTERM)
    os.close(held[1])
    assert holder.wait(20) == -signal.SIGTERM
    assert _found(tmp_path) is None


def test_nobody_is_found_where_nobody_holds_it(tmp_path: Path) -> None:
    """No directory, no file, a file that was left behind."""
    assert _found(tmp_path / "nothing") is None
    assert _found(tmp_path) is None
    StagingLock(tmp_path)
    (tmp_path / "lock").write_text(f"{socket.gethostname()}, pid {os.getpid()}")
    assert _found(tmp_path) is None


@pytest.mark.parametrize("written", ["another process", "", "host, pid x", "host, pid 0"])
def test_a_number_in_the_file_proves_nothing(
    tmp_path: Path, holder: subprocess.Popen[str], written: str
) -> None:
    """The lock is held, but the file names a process that has not got it: an innocent, or none at all."""
    with subprocess.Popen(["sleep", "60"]) as innocent:
        (tmp_path / "lock").write_text(
            f"host, pid {innocent.pid}" if written == "another process" else written
        )
        assert _found(tmp_path) is None
        innocent.kill()


def test_to_have_the_file_open_is_not_to_have_the_lock(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    """This process looks at it, as a backup would."""
    with (tmp_path / "lock").open("r+") as file:
        file.truncate()
        file.write(f"host, pid {os.getpid()}")
        file.flush()
        assert _found(tmp_path) is None
        with pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
