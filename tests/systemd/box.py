"""A real systemd to test against: process 1 of its own namespaces, gone without a trace when the test ends."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

from tests.systemd import cradle

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_T = TypeVar("_T")
PATIENCE = 20.0
"""Seconds for anything to come about. Long, since a loaded machine is no failure."""

PROGRAMS = (
    "nsenter",
    "unshare",
    "setpriv",
    "pivot_root",
    "systemctl",
    "journalctl",
    "udevadm",
    "dbus-daemon",
)
"""Debian: util-linux, systemd, udev, dbus."""

_ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LANG": "C.UTF-8",
    "SYSTEMD_PAGER": "",
    "SYSTEMD_COLORS": "0",
}


def missing() -> str:
    """Why no box can be made here; empty if one can."""
    if os.geteuid() != 0:
        return "only root can start a systemd of its own"
    if absent := [name for name in PROGRAMS if shutil.which(name, path=_ENVIRONMENT["PATH"]) is None]:
        return f"this machine has no {', '.join(absent)}"
    tried = subprocess.run(
        ["unshare", "--mount", "--pid", "--net", "--cgroup", "--fork", "mount", "-t", "tmpfs", "try", "/mnt"],
        capture_output=True,
        text=True,
        check=False,
    )
    return f"no namespaces are to be had here: {tried.stderr.strip()}" if tried.returncode else ""


def until(what: Callable[[], _T], wanted: str, patience: float = PATIENCE) -> _T:
    """Wait until `what` returns something true, and return that."""
    end = time.monotonic() + patience
    while not (found := what()):
        assert time.monotonic() < end, f"in {patience:g} s it did not come about: {wanted}"
        time.sleep(0.05)
    return found


class Box:
    """A booted systemd on a throw-away copy of this machine, with a loopback interface only.

    Args:
        layers: directories laid over this machine's `/`, the uppermost first; not of its root file system.
        shown: paths in the box → directories of this machine that are to be seen there, read-only.

    Attributes:
        root: its `/`, seen from outside.
    """

    def __init__(self, *layers: Path, shown: Mapping[str, Path] | None = None) -> None:
        self._layers, self._shown = layers, shown or {}

    def __enter__(self) -> Self:
        scratch = tempfile.mkdtemp(prefix="box-")
        plan = cradle.Plan(
            scratch, [str(path) for path in self._layers], {k: str(v) for k, v in self._shown.items()}
        )
        self._complaints = tempfile.TemporaryFile("w+")
        self._keeper = subprocess.Popen(
            [
                "unshare",
                "--mount",
                "--propagation=private",
                sys.executable,
                cradle.__file__,
                "keep",
                json.dumps(plan),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            text=True,
            start_new_session=True,  # Ctrl-C is for the test; the keeper cleans up when the test has ended
        )
        try:
            self._boot()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _boot(self) -> None:
        assert self._keeper.stdout is not None
        said = self._keeper.stdout.readline().strip()
        assert said, f"no box: {self._complained()}"
        self.pid = int(said)
        self.root = Path(f"/proc/{self.pid}/root")
        until((self.root / "run/systemd/private").exists, "systemd listens")
        state = self.run("systemctl", "is-system-running", "--wait", check=False).stdout.strip()
        assert state == "running", f"{state}\n{self.run('systemctl', '--failed').stdout}{self._complained()}"

    def _complained(self) -> str:
        self._complaints.seek(0)
        return self._complaints.read()

    def __exit__(self, *_: object) -> None:
        self._keeper.communicate()  # closes its standard input, and waits
        self._complaints.close()

    def run(
        self, *command: str | Path, user: str = "", check: bool = True, timeout: float = 60
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in the box to its end, as root or another user."""
        enter = ["nsenter", f"--target={self.pid}", "-m", "-u", "-i", "-n", "-p", "-C", "--root"]
        if user:
            enter += ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups", "--reset-env"]
        result = subprocess.run(
            [*enter, *command], env=_ENVIRONMENT, capture_output=True, text=True, timeout=timeout, check=False
        )
        if check:
            assert result.returncode == 0, f"{command}: {result.returncode}\n{result.stdout}{result.stderr}"
        return result

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        """Make a file, with the directories above it."""
        file = self.root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)

    def show(self, unit: str, *properties: str) -> dict[str, str]:
        """A unit's properties, as `systemctl show` prints them."""
        said = self.run("systemctl", "show", unit, f"--property={','.join(properties)}").stdout
        return dict(line.split("=", 1) for line in said.splitlines())

    def journal(self, *matches: str) -> list[dict[str, Any]]:
        """The journal's entries that match, in order."""
        self.run("journalctl", "--sync")
        said = self.run("journalctl", "--output=json", "--all", *matches).stdout
        return [json.loads(line) for line in said.splitlines()]
