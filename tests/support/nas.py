"""A NAS that comes and goes: a mountpoint in a mount namespace of the test's own, and volumes to mount there.

A process that is started through `Nas.inside` sees what is mounted. The test itself always sees the bare
mountpoint. `python -m tests.support.nas BACKING MOUNTPOINT` serves one volume through FUSE, with the faults that
it reads on stdin.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.isolated import UNSHARE
from tests.support.nas_fs import NasFs

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self


class Nas:
    """A mountpoint and volumes, which exist for a `with` block.

    Args:
        directory: for the mountpoint, "nas", and the volumes.

    Attributes:
        mountpoint: bare, as the test sees it.
        inside: a prefix for the arguments of a command that has to see what is mounted.
    """

    def __init__(self, directory: Path) -> None:
        self.mountpoint = directory / "nas"
        self.mountpoint.mkdir()
        self._untouched = self._state()
        self._volumes = directory / "volumes"
        self._faulty: list[FaultyVolume] = []

    def __enter__(self) -> Self:
        # It ends with its standard input, that is with the test. The namespace and its mounts end with it.
        self._namespace_holder = subprocess.Popen(
            [*UNSHARE, "sh", "-c", "echo; exec cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self._namespace_holder.stdout
        self._namespace_holder.stdout.readline()
        self.inside = ("nsenter", f"--mount=/proc/{self._namespace_holder.pid}/ns/mnt", "--")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for volume in self._faulty:
            volume.end()
        self._namespace_holder.communicate()

    # Volumes.

    def add(self, name: str, size: str = "8m", files: int = 0) -> Path:
        """Make an empty volume, which is not mounted yet.

        Args:
            name: for `mount`.
            size: in bytes, as the mount option of tmpfs is written.
            files: the most that it can hold; 0: any number.

        Returns:
            Where the test sees it.
        """
        volume = self._volumes / name
        volume.mkdir(parents=True)
        self._run("mount", "-t", "tmpfs", "-o", f"size={size},nr_inodes={files}", name, volume)
        return self.seen(volume)

    def add_faulty(self, name: str) -> FaultyVolume:
        """Make a volume whose faults can be chosen."""
        volume, backing = self._volumes / name, self._volumes / f"{name}-backing"
        volume.mkdir(parents=True)
        backing.mkdir()
        self._faulty.append(FaultyVolume(self.inside, backing, volume))
        return self._faulty[-1]

    def mount(self, name: str) -> Path:
        """Mount a volume over what is mounted, and return where the test sees it."""
        self._run("mount", "--bind", self._volumes / name, self.mountpoint)
        return self.seen(self.mountpoint)

    def unmount(self) -> None:
        """Unmount lazily what was mounted last: files that are open stay open."""
        self._run("umount", "--lazy", self.mountpoint)

    def exchange(self, name: str) -> None:
        """Unmount what was mounted last, and mount another volume."""
        self.unmount()
        self.mount(name)

    def read_only(self, name: str, *, yes: bool) -> None:
        """Make a volume read-only or writable."""
        self._run("mount", "-o", f"remount,{'ro' if yes else 'rw'}", self._volumes / name)

    def seen(self, path: Path) -> Path:
        """The path by which the test, which is outside, sees a path inside."""
        return Path(f"/proc/{self._namespace_holder.pid}/root") / path.relative_to("/")

    def _run(self, *command: str | Path) -> None:
        subprocess.run([*self.inside, *command], check=True)

    # The bare mountpoint.

    def untouched(self) -> bool:
        """Whether no name was ever made or removed under the bare mountpoint."""
        return self._state() == self._untouched

    def _state(self) -> tuple[int, list[Path]]:
        return self.mountpoint.stat().st_mtime_ns, sorted(self.mountpoint.iterdir())


def fill(file: Path) -> None:
    """Write to a file until its disk is full."""
    with suppress(OSError), file.open("wb", buffering=0) as opened:
        while True:
            opened.write(bytes(4096))


def fill_with_names(directory: Path) -> None:
    """Make empty files until the disk takes no more."""
    with suppress(OSError):
        for number in count():
            (directory / str(number)).touch()


class FaultyVolume:
    """A volume that is served by a process of its own; `NasFs` has the faults.

    Attributes:
        backing: the directory with what it really contains.
    """

    def __init__(self, inside: tuple[str, ...], backing: Path, mountpoint: Path) -> None:
        self.backing = backing
        self._server = subprocess.Popen(
            [*inside, sys.executable, "-m", "tests.support.nas", str(backing), str(mountpoint)],
            env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.calls()

    def fault(self, **faults: Any) -> None:
        """Set attributes of its `NasFs`: refuses, loses, spoils or hangs."""
        self._ask(faults)

    def calls(self) -> list[str]:
        """The calls that it has received so far."""
        return self._ask({})

    def end(self) -> None:
        """Stop serving: calls that hang get an error."""
        self._server.communicate()

    def _ask(self, faults: dict[str, Any]) -> list[str]:
        assert self._server.stdin
        assert self._server.stdout
        self._server.stdin.write(f"{json.dumps(faults)}\n")
        self._server.stdin.flush()
        calls: list[str] = json.loads(self._server.stdout.readline())
        return calls


def serve(backing: str, mountpoint: str) -> None:
    """Serve a volume until standard input ends."""
    with NasFs(Path(backing), Path(mountpoint)) as nas:
        for line in sys.stdin:
            for name, value in json.loads(line).items():
                setattr(nas, name, value)
            print(json.dumps(nas.calls), flush=True)  # noqa: T201 - the answer


if __name__ == "__main__":
    serve(*sys.argv[1:])
