"""What the unit's sandbox lets the daemon do at a path, and the drop-in that opens more of it. Pure.

It is judged from the unit's settings, as `systemctl show` prints them. Source: systemd.exec(5),
"Sandboxing": the longest path that is named decides, but nothing comes back below a path that is hidden.
"""

from __future__ import annotations

import shlex
from enum import StrEnum
from pathlib import PurePath
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PROPERTIES = (
    "ProtectSystem",
    "ProtectHome",
    "PrivateTmp",
    "ReadWritePaths",
    "ReadOnlyPaths",
    "InaccessiblePaths",
    "TemporaryFileSystem",
    "StateDirectory",
    "RuntimeDirectory",
)
"""The settings that are looked at."""


class Reach(StrEnum):
    """What the daemon can do at a path, whatever the permissions say."""

    WRITE = "write"
    READ = "read"
    HIDDEN = "hidden"


class Rule(NamedTuple):
    """From this path on downwards, unless a longer path says otherwise.

    Attributes:
        setting: whose rule it is, for people: "ProtectHome=yes".
    """

    path: PurePath
    reach: Reach
    setting: str


_SYSTEM = {
    "yes": ("/usr", "/boot", "/efi"),
    "full": ("/usr", "/boot", "/efi", "/etc"),
    "strict": ("/",),
}
_HOMES = ("/home", "/root", "/run/user")
_HOME = {"yes": Reach.HIDDEN, "tmpfs": Reach.HIDDEN, "read-only": Reach.READ}
_STATE = {"StateDirectory": "/var/lib", "RuntimeDirectory": "/run"}
_LISTS = {
    "ReadWritePaths": Reach.WRITE,
    "ReadOnlyPaths": Reach.READ,
    "InaccessiblePaths": Reach.HIDDEN,
    "TemporaryFileSystem": Reach.HIDDEN,
}


def rules(settings: Mapping[str, str]) -> list[Rule]:
    """The rules that a unit's settings make.

    Args:
        settings: `PROPERTIES` as `systemctl show` prints them; one that is missing makes no rule.
    """
    found = [Rule(PurePath("/"), Reach.WRITE, "no sandbox")]
    system, home = settings.get("ProtectSystem", ""), settings.get("ProtectHome", "")
    found += [Rule(PurePath(path), Reach.READ, f"ProtectSystem={system}") for path in _SYSTEM.get(system, ())]
    if home in _HOME:
        found += [Rule(PurePath(path), _HOME[home], f"ProtectHome={home}") for path in _HOMES]
    if settings.get("PrivateTmp") == "yes":
        found += [Rule(PurePath(path), Reach.HIDDEN, "PrivateTmp=yes") for path in ("/tmp", "/var/tmp")]  # noqa: S108
    for name, above in _STATE.items():
        found += [
            Rule(PurePath(above, directory), Reach.WRITE, f"{name}={directory}")
            for directory in settings.get(name, "").split()
        ]
    for name, reach in _LISTS.items():
        found += [Rule(path, reach, f"{name}={path}") for path in _paths(settings.get(name, ""))]
    return found


def _paths(value: str) -> list[PurePath]:
    """Of a list of paths: "-" and "+" before one, and ":" with mount options behind one, are not its name."""
    return [PurePath(word.lstrip("-+").partition(":")[0]) for word in shlex.split(value)]


def decide(path: PurePath, rules: Iterable[Rule]) -> Rule:
    """The rule that counts for a path: the longest; of equal ones the strictest.

    Args:
        path: absolute, without symbolic links.
        rules: of `rules`: at least one for "/".
    """
    order = (Reach.WRITE, Reach.READ, Reach.HIDDEN)
    found = [rule for rule in rules if path.is_relative_to(rule.path)]
    hidden = [rule for rule in found if rule.reach is Reach.HIDDEN]
    return max(hidden or found, key=lambda rule: (len(rule.path.parts), order.index(rule.reach)))


MARK = "# Written by `scand setup`, which writes it anew or removes it: change nas.root there, not here.\n"
"""The first line of the drop-in; a file without it is the administrator's own."""

SHARED = frozenset(
    map(
        PurePath, ("/", "/boot", "/dev", "/etc", "/home", "/opt", "/root", "/run", "/usr", "/var", "/var/lib")
    )
)


def opened(path: PurePath, mountpoint: PurePath, fstype: str) -> PurePath:
    """The path that the drop-in names for one that has to be opened: itself, or what lies above its mountpoint.

    systemd looks at each path that it is given before it starts the daemon, and waits there for a server that
    does not answer. So for network file systems it is the directory above, unless that is one of the system's own.

    Args:
        path: what the daemon writes to.
        mountpoint: of the file system that it lies in.
        fstype: of that, as in /proc/self/mountinfo.
    """
    remote = fstype in _REMOTE or fstype.startswith("fuse")
    return mountpoint.parent if remote and mountpoint.parent not in SHARED else path


_REMOTE = frozenset({"autofs", "cifs", "smb3", "nfs", "nfs4", "9p", "ceph", "glusterfs", "afs"})


def drop_in(paths: Iterable[PurePath]) -> str:
    """The text of the drop-in that opens paths for writing.

    Args:
        paths: absolute.
    """
    lines = "".join(f'ReadWritePaths="-{_quoted(path)}"\n' for path in paths)
    return (
        f"{MARK}"
        "# What the daemon writes to, and the unit's sandbox does not open by itself.\n"
        "\n"
        "[Service]\n"
        '# "-": it need not be there. What is mounted there later, scand sees.\n'
        f"{lines}"
    )


def _quoted(path: PurePath) -> str:
    return str(path).replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
