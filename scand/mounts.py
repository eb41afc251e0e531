"""What is mounted where: /proc/self/mountinfo, by path without touching what is mounted, or by an open descriptor.

A path may hang where a server does not answer, or be another mount's a moment later; a descriptor may not.
Source: proc(5), mountinfo and fdinfo.
"""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

_MOUNTINFO = Path("/proc/self/mountinfo")
_OCTAL = re.compile(r"\\([0-7]{3})")


class Mount(NamedTuple):
    """A line of the table.

    Attributes:
        number: the mount's own; rename(2) does not go from one to another, though they be of one file system.
        device: "0:39", of the file system; empty if the mount is not listed.
        kind: of the file system, "cifs", "nfs4", "ext4", "autofs"; empty likewise.
        target: the mountpoint.
        source: "//server/share", "server:/export", "/dev/sda1".
    """

    number: str
    device: str = ""
    kind: str = ""
    target: PurePath = PurePath("/")
    source: str = ""


def table() -> list[Mount]:
    """What is mounted now, in the order in which mounts lie over each other."""
    return parse(_MOUNTINFO.read_text(errors="surrogateescape"))


def parse(text: str) -> list[Mount]:
    """The mounts that a mountinfo lists, in its order."""
    found = []
    for line in text.splitlines():
        place, _, what = line.partition(" - ")
        number, _parent, device, _root, target, *_ = place.split(" ")
        kind, source, *_ = what.split(" ")
        found.append(Mount(number, device, kind, PurePath(_plain(target)), _plain(source)))
    return found


def mount(fd: int) -> Mount:
    """The mount that an open file or directory is in."""
    info = dict(line.split(":\t", 1) for line in Path(f"/proc/self/fdinfo/{fd}").read_text().splitlines())
    number = info["mnt_id"]
    return next((mount for mount in table() if mount.number == number), Mount(number))


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


def holding(path: PurePath, mounts: Iterable[Mount]) -> Mount | None:
    """The mount that a path lies in: the longest mountpoint, of equal ones the last.

    Args:
        path: absolute, without symbolic links.
        mounts: of `table`.
    """
    found = None
    for mount in mounts:
        if path.is_relative_to(mount.target) and (
            found is None or len(mount.target.parts) >= len(found.target.parts)
        ):
            found = mount
    return found


def expects_mount(path: PurePath, mounts: list[Mount]) -> bool:
    """Whether nothing is mounted at a path nor above it, not even an automount that waits for a first look."""
    here, slash = holding(path, mounts), holding(PurePath("/"), mounts)
    return here is None or (slash is not None and here.device == slash.device)


def resolved(path: Path, mounts: list[Mount]) -> Path:
    """A path without the symbolic links on the way to its mountpoint.

    What is mounted is not looked at, since that may hang; so not beyond the first mountpoint of a file system that
    is not the system's own.
    """
    own = {mount.device for mount in mounts if mount.target == PurePath("/")}
    foreign = {mount.target for mount in mounts if mount.device not in own}
    found = Path("/")
    for number, part in enumerate(path.parts[1:], 2):
        step = found / part
        if step in foreign:
            return step.joinpath(*path.parts[number:])
        found = step.resolve()
    return found


def _plain(text: str) -> str:
    r"""A name without its escapes: a space is written as \040."""
    return _OCTAL.sub(lambda found: chr(int(found[1], 8)), text)
