"""Which mount a descriptor is in: unlike a path, it cannot be mistaken for another."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple


class Mount(NamedTuple):
    """A line of /proc/self/mountinfo.

    Attributes:
        number: the mount's own; rename(2) does not go from one to another, though they be of one file system.
        device: "0:39", of the file system; empty if the mount is not listed.
        kind: of the file system, "nfs4"; empty likewise.
    """

    number: str
    device: str = ""
    kind: str = ""


def mount(fd: int) -> Mount:
    """The mount that an open file or directory is in. Source: proc(5), fdinfo and mountinfo."""
    info = dict(line.split(":\t", 1) for line in Path(f"/proc/self/fdinfo/{fd}").read_text().splitlines())
    for line in Path("/proc/self/mountinfo").read_text(errors="surrogateescape").splitlines():
        place, source = line.split(" - ", 1)
        number, _parent, device, *_ = place.split(" ")
        if number == info["mnt_id"]:
            return Mount(number, device, source.split(" ")[0])
    return Mount(info["mnt_id"])


def is_mounted(fd: int) -> bool:
    """Whether a directory lies on another file system than `/`.

    A mount of its own would not be enough: systemd's ReadWritePaths= binds the bare mountpoint onto itself,
    and an autofs is mounted while the NAS is not.
    """
    slash = os.open("/", os.O_PATH | os.O_CLOEXEC)
    try:
        here = mount(fd)
        return bool(here.device) and here.kind != "autofs" and here.device != mount(slash).device
    finally:
        os.close(slash)
