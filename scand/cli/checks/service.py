"""The systemd unit: enabled and running, its sandbox, the groups of its user and of who asks."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

from scand.cli.checks.check import Check, wrong
from scand.cli.host import people, sandbox
from scand.cli.host.sandbox import Reach

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from scand.cli.host.people import Person
    from scand.cli.host.unit import Unit


def check_unit(unit: Unit, me: Person) -> Check:
    """Whether the service runs, now and after the next boot. Pure.

    Args:
        me: who asks, as whom commands are suggested.
    """
    if unit.stale:
        reload = f"{me.sudo}systemctl daemon-reload && {me.sudo}systemctl restart scand"
        return wrong("service", "The unit's files have changed since systemd read them.", reload)
    if unit.active and unit.enabled:
        return Check("service", ok=True, detail=f"{unit.state}, enabled")
    if unit.active:
        return wrong("service", f"{unit.state}, but not started at boot.", f"{me.sudo}systemctl enable scand")
    if unit.enabled:
        detail = f"{unit.state}; why: {me.sudo}journalctl -u scand -n 20"
        return wrong("service", detail, f"{me.sudo}systemctl restart scand", os.EX_UNAVAILABLE)
    return wrong("service", f"{unit.state}, and not started at boot.", f"{me.sudo}scand setup")


def check_sandbox(unit: Unit, places: Mapping[str, Path], me: Person) -> Check:
    """Whether the service may write to the NAS and to local disk, also after its next start. Pure.

    Args:
        places: the config's key → a directory that the daemon writes to, without symbolic links.
        me: who asks, as whom commands are suggested.
    """
    rules = unit.rules
    for key, path in places.items():
        rule = sandbox.decide(path, rules)
        if rule.reach is Reach.HIDDEN:
            why = f"The service does not see {path} ({rule.setting}): {key} has to be elsewhere."
            return wrong("sandbox", why, f"{me.sudo}scand setup --nas-root /mnt/nas")
        if rule.reach is Reach.READ:
            why = (
                f"The service may not write below {path} ({rule.setting}): what is mounted there since its start "
                "works until its next start only."
            )
            return wrong("sandbox", why, f"{me.sudo}scand setup")
    return Check(
        "sandbox", ok=True, detail=f"the service may write to {' and '.join(map(str, places.values()))}"
    )


def check_groups(daemon: Person, wanted: Iterable[str], running: frozenset[str] | None, me: Person) -> Check:
    """Whether the daemon's user is in the groups that it needs, and its process has them already. Pure.

    Args:
        daemon: the user, with the groups of its next start.
        wanted: names of groups.
        running: the groups of the running process; None where there is none.
        me: who asks, as whom commands are suggested.
    """
    names = sorted(set(wanted))
    if missing := [name for name in names if name not in daemon.groups]:
        groups = shlex.quote(",".join(missing))
        mend = f"{me.sudo}usermod -aG {groups} {daemon.name} && {me.sudo}systemctl restart scand"
        return wrong("groups", f"{daemon.name} is not in {' and '.join(missing)}.", mend)
    if running is not None and (late := [name for name in names if name not in running]):
        since = f"The daemon runs without {' and '.join(late)}, which {daemon.name} has been given since."
        return wrong("groups", since, f"{me.sudo}systemctl restart scand")
    return Check("groups", ok=True, detail=f"{daemon.name} is in {', '.join(names) or 'all that it needs'}")


def check_member(me: Person) -> Check:
    """Whether who asks may use the command line. Pure but for the list of the group's members."""
    group = people.USERS
    if group in me.groups:
        return Check("member", ok=True, detail=f"{me.name} is in {group}")
    if me.name in people.members(group):
        detail = f"{me.name} is in {group} from the next login on; in this shell, already:"
        return wrong("member", detail, f"newgrp {group}")
    detail = f"{me.name} is not in {group}, whose members may use scand. It counts from the next login on."
    return wrong("member", detail, f"sudo usermod -aG {group} {shlex.quote(me.name)}")
