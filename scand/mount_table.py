"""What is mounted where: /proc/self/mountinfo, read without touching what is mounted. Pure.

Source: proc(5), "mountinfo".
"""

from __future__ import annotations

import re
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

MOUNTINFO = Path("/proc/self/mountinfo")

_OCTAL = re.compile(r"\\([0-7]{3})")


class Mount(NamedTuple):
    """One file system, and where it is seen.

    Attributes:
        target: the mountpoint.
        device: "major:minor"; the same for all mounts of one file system.
        fstype: "cifs", "nfs4", "ext4", "autofs" …
        source: "//server/share", "server:/export", "/dev/sda1" …
    """

    target: PurePath
    device: str
    fstype: str
    source: str


def parse(text: str) -> list[Mount]:
    """The mounts, in the order in which they lie over each other."""
    found = []
    for line in text.splitlines():
        mount, _, source = line.partition(" - ")
        _number, _parent, device, _root, target, *_ = mount.split(" ")
        fstype, name, *_ = source.split(" ")
        found.append(Mount(PurePath(_plain(target)), device, fstype, _plain(name)))
    return found


def holding(path: PurePath, mounts: Iterable[Mount]) -> Mount | None:
    """The mount that a path lies in: the longest mountpoint, of equal ones the last.

    Args:
        path: absolute, without symbolic links.
        mounts: of `parse`.
    """
    found = None
    for mount in mounts:
        if path.is_relative_to(mount.target) and (
            found is None or len(mount.target.parts) >= len(found.target.parts)
        ):
            found = mount
    return found


def is_mounted(path: PurePath, mounts: list[Mount]) -> bool:
    """Whether a path lies on another file system than `/`; an automount that waits for its mount counts, too."""
    here, slash = holding(path, mounts), holding(PurePath("/"), mounts)
    return here is not None and (slash is None or here.device != slash.device)


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
