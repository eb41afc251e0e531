"""Every instant of a piece of code, one after the other: what a kill or an error just there leaves behind.

An instant is where the interpreter reaches a line of the watched modules, or leaves one of their functions. At
the first, the second, … of them the process is killed by SIGKILL, or the code gets an OSError: before a line,
that is a call that failed; when leaving a function, one that was carried out and whose reply was lost.
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


_WELL, _STRUCK, _FAILED = range(3)


def kill() -> None:
    """End this process as the OOM killer or a power button would."""
    os.kill(os.getpid(), signal.SIGKILL)


def fail() -> None:
    """An I/O error."""
    raise OSError(errno.EIO, os.strerror(errno.EIO))


def every_instant(
    blow: Callable[[], None],
    act: Callable[[Path], None],
    check: Callable[[Path], None],
    *modules: ModuleType,
) -> int:
    """Deal a blow at each instant of `act` in turn, each time in a new directory, and look at what is there.

    The directories are in memory where possible: nothing here cuts the power, so fsync need not cost anything.

    Args:
        blow: `kill` or `fail`.
        act: is given the directory, in a child process; what it raises after the blow is swallowed.
        check: is given the directory, after that.
        modules: whose lines are instants.

    Returns:
        How many instants there were.
    """
    files = {module.__file__ for module in modules}
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    for number in count(1):
        with TemporaryDirectory(dir=memory) as directory:
            place = Path(directory)
            child = os.fork()
            if child == 0:
                _child(number, blow, act, place, files)
            _, status = os.waitpid(child, 0)
            ended = os.waitstatus_to_exitcode(status)
            assert ended in {_WELL, _STRUCK, -signal.SIGKILL}, f"failed by itself at instant {number}"
            try:
                check(place)
            except BaseException as error:
                error.add_note(f"after {blow.__name__} at instant {number}")
                raise
        if ended == _WELL:
            return number - 1
    raise AssertionError


def _child(
    number: int, blow: Callable[[], None], act: Callable[[Path], None], place: Path, files: set[str | None]
) -> None:
    left = number

    def trace(frame: FrameType, event: str, _argument: Any) -> Any:
        nonlocal left
        if frame.f_code.co_filename not in files:
            return None
        if event in {"line", "return"}:
            left -= 1
            if left == 0:
                blow()
        return trace

    sys.settrace(trace)
    try:
        act(place)
    except Exception:  # noqa: BLE001 - it was struck, or else the test is wrong
        if left > 0:
            sys.settrace(None)
            traceback.print_exc()
            os._exit(_FAILED)
    os._exit(_WELL if left > 0 else _STRUCK)
