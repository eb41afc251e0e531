"""The steps of `scand setup`: groups, a plain directory for documents, the NAS's mark, the service."""

from __future__ import annotations

import os
import shlex
import sys
import time
from typing import TYPE_CHECKING

from scand.cli.host import people
from scand.cli.host.unit import KEY, NAME, Unit
from scand.cli.setup.system import must, run, run_as
from scand.errors import ConfigError, TryAgain, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from scand.cli.host.people import Person
    from scand.config import Config

_NAS_PATIENCE = 60.0
"""Seconds for the NAS: an automount, and a disk that has to spin up."""
_READY_PATIENCE = 15.0
"""Seconds until the daemon has looked at database, scanner and NAS after its start."""


def check_people(users: Iterable[str], groups: Iterable[str]) -> None:
    """Check that this machine has these users and groups.

    Raises:
        ConfigError: one is missing; the sentence says which.
    """
    sudo = people.caller().sudo
    for group in groups:
        if people.group_id(group) is None:
            make = f"{sudo}groupadd --system {shlex.quote(group)}"
            raise ConfigError(f"This machine has no group {group}: `{make}` makes it.")
    for name in users:
        if people.named(name) is None:
            raise ConfigError(f"This machine has no user {name}: `getent passwd` lists them.")


def add_to_group(names: Iterable[str], group: str) -> list[str]:
    """Make users members of a group, and return those that were not yet.

    Raises:
        ConfigError: usermod(8) refuses.
    """
    added = [name for name in names if (person := people.named(name)) and group not in person.groups]
    for name in added:
        must(["usermod", "--append", "--groups", group, name])
    return added


def make_root(root: Path, daemon: Person, group: str) -> None:
    """Make the directory for documents on a host without a NAS: the daemon's, and its group may look into it.

    Raises:
        ConfigError: the directory above is missing. It is not made: it may belong to a mount that is away.
    """
    gid = people.group_id(group) if group else daemon.gid
    try:
        root.mkdir(mode=0o700)
        os.chown(root, daemon.uid, daemon.gid if gid is None else gid)
        root.chmod(0o750)
    except FileExistsError:
        pass
    except OSError as error:
        raise ConfigError(f"{root} cannot be made: {error.strerror}.") from error


def mark_nas(config: Config, daemon: Person) -> str:
    """Run `scand nas init` as the daemon's user, and return what it said.

    Raises:
        ScandError: the NAS is not there, or not writable for the daemon.
    """
    root, path = str(config.nas_root), str(config.path)
    inside = f"{root}/."  # an automount is not mounted by a look at the directory itself
    if run_as(daemon, ["test", "-d", inside], _NAS_PATIENCE).status:
        raise Unavailable(f"{root} cannot be entered by {daemon.name}: is the NAS on, and mounted there?")
    if run_as(daemon, ["test", "-w", inside], _NAS_PATIENCE).status:
        group = config.nas.group or people.group_name(daemon.gid)
        chown = f"{people.caller().sudo}chown {daemon.name}:{group} {shlex.quote(root)}"
        raise ConfigError(
            f"{daemon.name} may not write to {root}. On a local disk: `{chown}`; over SMB, the mount options uid= "
            "and gid= say who may; over NFS, the server."
        )
    said = run_as(
        daemon, [sys.executable, "-P", "-m", "scand.cli", "--config", path, "nas", "init"], _NAS_PATIENCE
    )
    if said.status:
        kind = {os.EX_UNAVAILABLE: Unavailable, os.EX_TEMPFAIL: TryAgain}.get(said.status, ConfigError)
        raise kind(said.text.removeprefix("scand: "))
    return said.text


def start_service(unit: Unit, *, restart: bool, reload: bool) -> str:
    """Enable the service and its key, and make it use what was changed; returns what was done, or "".

    Args:
        unit: as systemd knows it now.
        restart: the change takes effect in a new process only.
        reload: the config was changed.

    Raises:
        ConfigError: the service does not start.
    """
    units = [name for name in (NAME, KEY) if (found := Unit.read(name)).installed and not found.enabled]
    if units:
        must(["systemctl", "enable", "--quiet", *units])
    key = Unit.read(KEY)
    if key.installed and not key.active:
        must(["systemctl", "start", KEY])
    if unit.active and not restart:
        if reload:
            must(["systemctl", "reload", NAME])
        return "the service has read its config again" if reload else ""
    if run(["systemctl", "restart", NAME]).status:
        why = f"{people.caller().sudo}journalctl -u {NAME} -n 20"
        raise ConfigError(f"The service does not start: `{why}` says why.")
    return "the service is started"


def wait_until_ready() -> None:
    """Wait until the daemon has looked at everything after its start, for `_READY_PATIENCE` seconds at most."""
    end = time.monotonic() + _READY_PATIENCE
    while time.monotonic() < end:
        status = Unit.read().status
        if status == "idle" or status.startswith("job "):
            return
        time.sleep(0.2)
