"""Runs in the unit's sandbox instead of the daemon, tries the given acts, and prints each result as JSON."""

from __future__ import annotations

import ctypes
import errno
import grp
import json
import mmap
import os
import socket
import subprocess
import sys
from pathlib import Path

_NEW_USER, _NEW_NAMESPACE = 0x10000000, 0x00020000  # linux/sched.h


def write(place: str) -> None:
    """Make a file there."""
    (Path(place) / "probe").write_text("probe")


def look(place: str) -> None:
    """List a directory."""
    os.listdir(place)  # noqa: PTH208 - nothing but the call


def read(place: str) -> None:
    """Open a file or a device."""
    os.close(os.open(place, os.O_RDONLY | os.O_NONBLOCK))


def reach(family: str) -> None:
    """Make a socket of a family."""
    socket.socket(
        getattr(socket, family), socket.SOCK_RAW if family == "AF_NETLINK" else socket.SOCK_DGRAM
    ).close()


def become(_: str) -> None:
    """Become root."""
    os.setuid(0)


def borrow(program: str) -> None:
    """Become root by a program with set-user-ID root, which prints who it runs as."""
    if subprocess.run([program, "--user"], stdout=subprocess.PIPE, check=True).stdout.strip() != b"0":
        raise PermissionError(errno.EPERM, "it ran as we do")


def enter(_: str) -> None:
    """Make new namespaces."""
    _call("unshare", _NEW_USER | _NEW_NAMESPACE)


def mount(place: str) -> None:
    """Mount something."""
    _call("mount", b"tmpfs", place.encode(), b"tmpfs", 0, None)


def give(group: str) -> None:
    """Give an own file to a group that this process is in, or to another group."""
    file = Path("/run/scand/given")
    file.touch()
    os.chown(file, -1, grp.getgrnam(group).gr_gid)


def trace(pid: str) -> None:
    """Attach to another process: PTRACE_SEIZE."""
    _call("ptrace", 0x4206, int(pid), None, None)


def name(_: str) -> None:
    """Rename the host."""
    socket.sethostname("probe")


def generate(_: str) -> None:
    """Map memory that can be written and executed."""
    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC).close()


def _call(function: str, *arguments: object) -> None:
    if getattr(ctypes.CDLL(None, use_errno=True), function)(*arguments) < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def tried(call: str, argument: str) -> str:
    """The result of an act: "done", or the name of the error."""
    try:
        globals()[call](argument)
    except OSError as error:
        return errno.errorcode[error.errno or 0]
    return "done"


if __name__ == "__main__":
    status = dict(line.split(":\t", 1) for line in Path("/proc/self/status").read_text().splitlines())
    outcome = {" ".join(pair): tried(*pair) for pair in json.loads(sys.argv[1])}
    print(json.dumps({"status": status, "outcome": outcome}))  # noqa: T201
