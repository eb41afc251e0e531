"""Interrupts a piece of code at each of its instants in turn, and checks what is left behind.

An instant is where the interpreter reaches a line of the watched modules, or leaves one of their functions. At the
first, then at the second, and so on, the process is killed by SIGKILL or the code gets an OSError. Before a line,
the error stands for a call that failed; at the end of a function, for one that succeeded and whose reply was lost.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
import traceback
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType, ModuleType
    from typing import Any


_COMPLETED, _INTERRUPTED, _FAILED = range(3)


def kill() -> None:
    """End this process as the OOM killer would."""
    os.kill(os.getpid(), signal.SIGKILL)


def fail() -> None:
    """Raise an I/O error."""
    raise OSError(errno.EIO, os.strerror(errno.EIO))


def every_instant(
    interrupt: Callable[[], None],
    act: Callable[[Path], None],
    check: Callable[[Path], None],
    *modules: ModuleType,
) -> int:
    """Interrupt `act` at each of its instants in turn, each time in a new directory, and check the directory.

    The directories are in memory if possible: nothing here cuts the power, so fsync need not take any time.

    Args:
        interrupt: `kill` or `fail`.
        act: is called with the directory, in a child process; what it raises after the interruption is ignored.
        check: is called with the directory after that.
        modules: whose lines are instants.

    Returns:
        How many instants there were.
    """
    files = {module.__file__ for module in modules}
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    for number in count(1):
        with TemporaryDirectory(dir=memory) as directory:
            path = Path(directory)
            child = os.fork()
            if child == 0:
                _child(number, interrupt, act, path, files)
            _, status = os.waitpid(child, 0)
            ended = os.waitstatus_to_exitcode(status)
            assert ended in {_COMPLETED, _INTERRUPTED, -signal.SIGKILL}, (
                f"failed by itself at instant {number}"
            )
            try:
                check(path)
            except BaseException as error:
                error.add_note(f"after {interrupt.__name__} at instant {number}")
                raise
        if ended == _COMPLETED:
            return number - 1
    raise AssertionError


def _child(
    number: int,
    interrupt: Callable[[], None],
    act: Callable[[Path], None],
    path: Path,
    files: set[str | None],
) -> None:
    left = number

    def trace(frame: FrameType, event: str, _argument: Any) -> Any:
        nonlocal left
        if frame.f_code.co_filename not in files:
            return None
        if event in {"line", "return"}:
            left -= 1
            if left == 0:
                interrupt()
        return trace

    sys.settrace(trace)
    try:
        act(path)
    except Exception:  # noqa: BLE001 - it was interrupted, or else the test is wrong
        if left > 0:
            sys.settrace(None)
            traceback.print_exc()
            os._exit(_FAILED)
    os._exit(_COMPLETED if left > 0 else _INTERRUPTED)
