"""Users and groups of this machine: who runs this process, who owns a directory, who is in which group."""

from __future__ import annotations

import grp
import os
import pwd
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

USERS = "scand-users"
"""The group whose members may use the command line without sudo."""

SCANNERS = "scanner"
"""The group that the udev rule gives scanners to."""


class Person(NamedTuple):
    """A user, with the groups that count for what it does.

    Attributes:
        name: the login name; "#4711" for a user id that has none, as sudo(8) spells it.
        uid: the user id.
        gid: the primary group.
        groups: the names of all its groups.
        home: the home directory; "/" where there is none.
        sudo: what this user types in front of a command for root: "sudo ", or "" for root itself.
    """

    name: str
    uid: int
    gid: int
    groups: frozenset[str]
    home: str = "/"
    sudo: str = "sudo "

    def run_as(self, other: Person, command: str) -> str:
        """The command line with which this user runs a command as another."""
        if other.uid == 0:
            return f"{self.sudo}{command}"
        if not self.sudo and not other.name.startswith("#"):
            return f"runuser -u {other.name} -- {command}"
        name = f"'{other.name}'" if other.name.startswith("#") else other.name
        return f"sudo -u {name} {command}"


def caller() -> Person:
    """The user of this process, with the groups that the process has.

    A person who has used sudo has to use it again. Source: sudo(8), SUDO_USER.
    """
    uid = os.geteuid()
    root = uid == 0 and not os.environ.get("SUDO_USER")
    entry = _entry(uid)
    return Person(
        name=entry.pw_name if entry else f"#{uid}",
        uid=uid,
        gid=os.getegid(),
        groups=_names([os.getegid(), *os.getgroups()]),
        home=entry.pw_dir if entry else "/",
        sudo="" if root else "sudo ",
    )


def named(name: str) -> Person | None:
    """A user by login name, with the groups of its next login; None where this machine has no such user."""
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return _person(entry)


def owner(path: Path) -> Person | None:
    """The owner of a file or directory; None where it does not exist, or may not be looked at."""
    try:
        state = path.stat()
    except OSError:
        return None
    entry = _entry(state.st_uid)
    return _person(entry) if entry else Person(f"#{state.st_uid}", state.st_uid, state.st_gid, frozenset())


def group_id(name: str) -> int | None:
    """A group by name; None where this machine has no such group."""
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        return None


def group_name(gid: int) -> str:
    """A group's name; its number where it has none."""
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


def members(group: str) -> frozenset[str]:
    """The login names that a group lists; users whose primary group it is are not among them."""
    try:
        return frozenset(grp.getgrnam(group).gr_mem)
    except KeyError:
        return frozenset()


def become(person: Person) -> None:
    """Change this process to another user with all its groups, for good."""
    os.initgroups(person.name, person.gid)
    os.setresgid(person.gid, person.gid, person.gid)
    os.setresuid(person.uid, person.uid, person.uid)
    os.environ |= {"HOME": person.home, "USER": person.name, "LOGNAME": person.name}


def groups_of_process(pid: int) -> frozenset[str] | None:
    """The groups that a running process has; None where it cannot be seen. Source: proc(5), "Groups"."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("Groups:"):
                return _names(map(int, line.split()[1:]))
    return None


def _person(entry: pwd.struct_passwd) -> Person:
    groups = os.getgrouplist(entry.pw_name, entry.pw_gid)
    return Person(entry.pw_name, entry.pw_uid, entry.pw_gid, _names(groups), entry.pw_dir)


def _entry(uid: int) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwuid(uid)
    except KeyError:
        return None


def _names(gids: Iterable[int]) -> frozenset[str]:
    return frozenset(group_name(gid) for gid in gids)
