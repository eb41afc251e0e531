"""Makes a box from the inside: fresh namespaces, a running systemd, and the cleaning up afterwards.

`box.Box` runs this file twice. First as the keeper, which lays out a root file system and a cgroup, and clears
them away when the box is over or nobody holds its standard input any more. Then, in all namespaces of its own,
as the process that becomes systemd.

The root is an overlay: this machine's `/` below, what the test adds above it, and on top a tmpfs that takes all
writes. The kernel is this machine's, too: what would reach it (/sys, /proc/sys, the clock) is read-only or barred.
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import shutil
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import NamedTuple, Self

_CLONE_NEWCGROUP = 0x02000000  # linux/sched.h

_WANTED = {
    "dbus.socket",
    "systemd-journald.service",
    "systemd-journald.socket",
    "systemd-journald-dev-log.socket",
}
"""What the box starts by itself. All else that systemd brings along is for machines: udev, sysctl, mounts …"""

_JOURNAL = "[Journal]\nStorage=volatile\nReadKMsg=no\nAudit=no\nForwardToSyslog=no\nRateLimitIntervalSec=0\n"
_DEVICES = {
    "null": (1, 3), "zero": (1, 5), "full": (1, 7), "random": (1, 8), "urandom": (1, 9), "tty": (5, 0),
    "autofs": (10, 235),
}  # fmt: skip
_LINKS = {"fd": "/proc/self/fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2", "ptmx": "pts/ptmx"}


class Plan(NamedTuple):
    """What a box is made of.

    Attributes:
        scratch: an empty directory: the mountpoint of everything, seen in the box's namespaces only.
        layers: directories laid over this machine's `/`, the uppermost first.
        shown: paths in the box → directories of this machine that are to be seen there, read-only.
    """

    scratch: str
    layers: list[str]
    shown: dict[str, str]

    @property
    def root(self) -> Path:
        """The box's `/`, seen from outside."""
        return Path(self.scratch) / "root"

    @classmethod
    def read(cls, text: str) -> Self:
        """Read a plan from JSON."""
        return cls(*json.loads(text))


def keep(plan: Plan) -> None:
    """Keep the box until it ends, or until standard input is closed."""
    _lay_out(plan)
    cgroup = _make_cgroup(Path(plan.scratch))
    namespaces = ["--mount", "--propagation=private", "--pid", "--ipc", "--uts", "--net"]
    init = subprocess.Popen(
        [
            "unshare",
            *namespaces,
            "--fork",
            "--kill-child",
            sys.executable,
            __file__,
            "become",
            json.dumps(plan),
        ],
        preexec_fn=lambda: _enter(cgroup),  # noqa: PLW1509 - one thread only
    )
    select.select([sys.stdin, os.pidfd_open(init.pid)], [], [])
    init.kill()  # and with it, by --kill-child, everything in the box
    init.wait()
    _remove_cgroup(cgroup)
    subprocess.run(["umount", "--lazy", plan.scratch], check=True)
    Path(plan.scratch).rmdir()


def _lay_out(plan: Plan) -> None:
    _mount("tmpfs", "box", plan.scratch, "mode=755")
    upper, work = (Path(plan.scratch) / name for name in ("upper", "work"))
    for directory in (upper, work, plan.root):
        directory.mkdir()
    lower = ":".join([*plan.layers, "/"])
    _mount("overlay", "box", plan.root, f"lowerdir={lower},upperdir={upper},workdir={work}")
    root = plan.root
    # Nothing that is enabled on this machine, and as few of systemd's own units as possible.
    shutil.rmtree(root / "etc/systemd/system", ignore_errors=True)
    for wanted in (root / "usr/lib/systemd/system").glob("*.wants/*"):
        if wanted.name not in _WANTED:
            wanted.unlink()
    for name, text in {
        "etc/fstab": "",
        "etc/hostname": "box\n",
        "etc/machine-id": f"{uuid.uuid4().hex}\n",
        "etc/systemd/journald.conf.d/box.conf": _JOURNAL,
    }.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.unlink(missing_ok=True)
        file.write_text(text)


def _make_cgroup(scratch: Path) -> Path:
    """Make the box's cgroup below our own, so that our limits hold for the box."""
    hierarchy = scratch / "cgroup"
    hierarchy.mkdir()
    _mount("cgroup2", "cgroup", hierarchy)
    (ours,) = [
        line[3:] for line in Path("/proc/self/cgroup").read_text().splitlines() if line.startswith("0::")
    ]
    cgroup = hierarchy / ours.lstrip("/") / f"box-{os.getpid()}"
    cgroup.mkdir()
    return cgroup


def _enter(cgroup: Path) -> None:
    (cgroup / "cgroup.procs").write_text("0")
    if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWCGROUP):
        raise OSError(ctypes.get_errno(), "unshare")


def _remove_cgroup(cgroup: Path) -> None:
    while (
        "populated 1" in (cgroup / "cgroup.events").read_text()
    ):  # the processes that were killed have not ended yet
        time.sleep(0.01)
    for directory, _, _ in os.walk(cgroup, topdown=False):
        Path(directory).rmdir()


def become(plan: Plan) -> None:
    """Become systemd; this process is process 1 already."""
    root = plan.root
    pid = Path("/proc/self").readlink()  # this /proc is still that of the machine
    _mount("proc", "proc", root / "proc", "nosuid,nodev,noexec")
    for knobs in (root / "proc/sys", root / "proc/sysrq-trigger"):
        if knobs.exists():
            _read_only(knobs, "nosuid,nodev,noexec")
    _mount("sysfs", "sysfs", root / "sys", "ro,nosuid,nodev,noexec")
    _mount("cgroup2", "cgroup", root / "sys/fs/cgroup", "nosuid,nodev,noexec")
    _mount("tmpfs", "run", root / "run", "mode=755,nosuid,nodev")
    _mount("tmpfs", "tmp", root / "tmp", "mode=1777,nosuid,nodev")
    _make_devices(root / "dev")
    for inside, outside in plan.shown.items():
        place = root / inside.lstrip("/")
        place.mkdir(parents=True, exist_ok=True)
        subprocess.run(["mount", "--bind", outside, place], check=True)
        _read_only(place)
    os.chdir(root)
    subprocess.run(["pivot_root", ".", "."], check=True)
    subprocess.run(["umount", "--lazy", "."], check=True)
    os.chdir("/")
    # Mounts of units (credentials, for example) need propagation, as on a real machine.
    subprocess.run(["mount", "--make-rshared", "/"], check=True)
    os.write(1, f"{pid}\n".encode())
    with open("/dev/null", "r+b", buffering=0) as null:  # noqa: PTH123
        os.dup2(null.fileno(), 0)
        os.dup2(null.fileno(), 1)
    environment = {"container": "box", "LANG": "C.UTF-8", "PATH": os.environ["PATH"]}
    bar = ["--bounding-set", "-sys_time,-sys_module,-sys_rawio"]
    systemd = ["/lib/systemd/systemd", "--unit=basic.target", "--log-target=journal", "--show-status=0"]
    os.execvpe("setpriv", ["setpriv", *bar, "--", *systemd], environment)  # noqa: S606


def _make_devices(dev: Path) -> None:
    _mount("tmpfs", "dev", dev, "mode=755,nosuid")
    umask = os.umask(0)
    for name, (major, minor) in _DEVICES.items():
        os.mknod(dev / name, 0o020666, os.makedev(major, minor))
    os.umask(umask)
    for name, target in _LINKS.items():
        (dev / name).symlink_to(target)
    for name in ("pts", "shm"):
        (dev / name).mkdir()
    _mount("devpts", "devpts", dev / "pts", "newinstance,ptmxmode=0666,mode=620")
    _mount("tmpfs", "shm", dev / "shm", "mode=1777,nosuid,nodev")


def _mount(kind: str, source: str, target: str | Path, options: str = "defaults") -> None:
    subprocess.run(["mount", "-t", kind, "-o", options, source, target], check=True)


def _read_only(place: Path, options: str = "nosuid") -> None:
    subprocess.run(["mount", "--bind", place, place], check=True)
    subprocess.run(["mount", "-o", f"remount,bind,ro,{options}", place], check=True)


if __name__ == "__main__":
    {"keep": keep, "become": become}[sys.argv[1]](Plan.read(sys.argv[2]))
