"""A minimal Debian of the same release as this machine."""

from __future__ import annotations

import platform
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Self

_OLDEST = 30 * 86400.0
"""Seconds after which the archive is made anew: `apt-get` would have to renew too much of it."""

_ENTER = """
set -e
mount -t tmpfs -o mode=755 fresh "$2"
tar -xf "$1" -C "$2"
mount -t proc proc "$2/proc"
cp --dereference /etc/resolv.conf "$2/etc/resolv.conf"
printf '#!/bin/sh\\nexit 101\\n' >"$2/usr/sbin/policy-rc.d"
chmod 755 "$2/usr/sbin/policy-rc.d"
echo ready
cat
"""
"""Mounts are this process's own, and gone with it. policy-rc.d: no package starts anything in here."""

_ENVIRONMENT = {
    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LANG": "C.UTF-8",
    "DEBIAN_FRONTEND": "noninteractive",
}


def archive(directory: Path) -> Path:
    """The tar of a minimal root, made with mmdebstrap and kept: that takes a minute, and the network.

    Args:
        directory: where it is kept.
    """
    name = platform.freedesktop_os_release()["VERSION_CODENAME"]
    kept = directory / f"debian-{name}.tar"
    if not kept.exists() or time.time() - kept.stat().st_mtime > _OLDEST:
        directory.mkdir(exist_ok=True)
        new = kept.with_suffix(".new")
        made = subprocess.run(
            ["mmdebstrap", "--quiet", "--variant=minbase", "--format=tar", name, new],
            capture_output=True,
            text=True,
            check=False,
        )
        assert made.returncode == 0, made.stderr
        new.rename(kept)
    return kept


class FreshDebian:
    """A root file system in memory, with this machine's network; it is removed afterwards.

    Args:
        tar: what is in it at the beginning.
    """

    def __init__(self, tar: Path) -> None:
        self._tar = tar

    def __enter__(self) -> Self:
        self.root = tempfile.mkdtemp(prefix="fresh-")
        self._keeper = subprocess.Popen(
            ["unshare", "--mount", "--propagation=private", "sh", "-c", _ENTER, "-", self._tar, self.root],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._keeper.stdout is not None
        assert self._keeper.stdout.readline() == "ready\n"
        return self

    def __exit__(self, *_: object) -> None:
        self._keeper.communicate()  # closes its standard input, and waits
        Path(self.root).rmdir()

    def run(self, *command: str, timeout: float = 60) -> str:
        """Run a command in it as root, which must succeed; returns its output."""
        result = subprocess.run(
            ["nsenter", f"--target={self._keeper.pid}", "--mount", "chroot", self.root, *command],
            env=_ENVIRONMENT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert result.returncode == 0, f"{command}: {result.returncode}\n{result.stdout}"
        return result.stdout

    def copy(self, file: Path, to: str) -> None:
        """Put a file of this machine into it."""
        place = Path(f"/proc/{self._keeper.pid}/root{self.root}{to}")
        place.write_bytes(file.read_bytes())
