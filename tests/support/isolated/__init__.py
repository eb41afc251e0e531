"""Runs the body of a test in a process of its own: to be killed, or with mounts that no other process sees."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

UNSHARE = ("unshare", "--mount", "--propagation", "private")


def _can_mount() -> bool:
    try:
        return not os.geteuid() and not subprocess.call((*UNSHARE, "true"), stderr=subprocess.DEVNULL)
    except FileNotFoundError:
        return False


CAN_MOUNT = _can_mount()

needs_mounts = pytest.mark.skipif(not CAN_MOUNT, reason="only root may mount file systems")
needs_fuse = pytest.mark.skipif(
    not CAN_MOUNT or not Path("/dev/fuse").exists(), reason="needs root and /dev/fuse"
)


def isolated(function: Callable[..., None], *arguments: Path | str, mounts: bool = False) -> None:
    """Call a function of a module in a new process; the test fails if it raises anything.

    Args:
        function: takes strings.
        arguments: are passed as strings.
        mounts: give the process a mount namespace of its own.
    """
    function_of = (function.__code__.co_filename, function.__name__)
    argv = [sys.executable, "-W", "error", "-m", "tests.support.isolated", *function_of, *map(str, arguments)]
    done = subprocess.run(
        [*(UNSHARE if mounts else ()), *argv],
        cwd=Path(__file__).parents[3],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def mount_tmpfs(mountpoint: Path, size: str = "1m") -> None:
    """Mount an empty file system in memory; call it only in a mount namespace of its own.

    Args:
        mountpoint: an existing directory.
        size: in bytes, as the mount option of tmpfs is written.
    """
    subprocess.run(("mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(mountpoint)), check=True)
