"""What a scan host needs, one check each: what is there, or the command that mends it.

Effects are at the edge: each check asks one thing of the outside (in a child process where it may hang) and
says what it found. A check that fails is no exception; what cannot be asked without it is left out.
"""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

from scand import mounts
from scand.cli.checks import database, host, nas, service
from scand.cli.checks.check import Check, refused, told, wrong
from scand.cli.host import people
from scand.cli.host.unit import Unit
from scand.config import Config
from scand.errors import ScandError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from scand.cli.host.people import Person

__all__ = ["Check", "examine", "exit_status"]


def examine(
    path: Path | None, environ: Mapping[str, str], unit: Unit, me: Person, url: Callable[[], str]
) -> Iterator[Check]:
    """Every check, in the order in which they should be mended.

    Args:
        path: `--config`, or None for the usual places.
        environ: where the config is looked for.
        unit: the daemon's, if it is installed.
        me: who asks, as whom commands are suggested; this process may be the daemon's user instead.
        url: where the database is.
    """
    hidden = unit.hides_config(path, environ)
    daemon = people.named(unit.user) if unit.installed else None
    if hidden and daemon is not None and daemon.uid == os.geteuid():
        config_path = shlex.quote(str(unit.config))
        mend = f"{me.sudo}chgrp {people.group_name(daemon.gid)} {config_path} && {me.sudo}chmod 0640 {config_path}"
        yield wrong("config", f"{unit.config} cannot be read by the daemon's user {daemon.name}.", mend)
        return
    if hidden:
        yield service.check_unit(unit, me)
        yield service.check_member(me)
        yield from database.check_database(url, None, _start(unit, me))
        rest = "config, staging, NAS, scanner and sandbox are for root to see: sudo scand doctor"
        yield Check("rest", ok=True, detail=rest)
        return
    try:
        config = Config.load(path, environ, need="daemon")
    except ScandError as error:
        yield refused("config", error)
        return
    yield Check("config", ok=True, detail=str(config.path))
    if config.path != unit.config:
        unit = Unit()  # it serves another config, and is not asked about
    if unit.installed:
        yield from _service(config, unit, me)
    yield told("staging", lambda: host.check_staging(config, me))
    yield told("disk", lambda: host.check_disk(config))
    yield from _nas(config, unit, me)
    if config.hooks.on_event:
        yield told("hook", lambda: host.check_hook(config, unit, me))
    served = False
    for check in database.check_database(url, config, _start(unit, me)):
        yield check
        served = check.name == "agent" and check.ok
    yield told("scanner", lambda: host.check_scanner(config, served=served))


def _start(unit: Unit, me: Person) -> str:
    return f"{me.sudo}systemctl start scand" if unit.installed else "scand run"


def _service(config: Config, unit: Unit, me: Person) -> Iterator[Check]:
    daemon = people.named(unit.user)
    yield service.check_unit(unit, me)
    if daemon is None:
        yield wrong("groups", f"This machine has no user {unit.user}.", f"{me.sudo}systemd-sysusers")
        return
    wanted = {people.SCANNERS, config.nas.group} if people.group_id(people.SCANNERS) else {config.nas.group}
    running = people.groups_of_process(unit.pid) if unit.pid else None
    yield service.check_groups(daemon, wanted - {""}, running, me)
    known = mounts.table()
    places = {key: mounts.resolved(path, known) for key, path in config.written.items()}
    yield service.check_sandbox(unit, places, me)


def _nas(config: Config, unit: Unit, me: Person) -> Iterator[Check]:
    """The NAS; who may read there only where it can be asked."""
    try:
        found, volume_id = nas.ask(config)
    except ScandError as error:
        yield refused("nas", error, f"{me.sudo}scand setup" if unit.installed else "")
        return
    yield nas.check_nas(config, found, volume_id)
    daemon = (people.named(unit.user) if unit.installed else None) or people.caller()
    if unit.installed and nas.nobody_else(config, found, daemon):
        why = f"Nobody but {daemon.name} may read the documents: nas.group is not set."
        yield wrong("readers", why, f"{me.sudo}scand setup")
    else:
        yield nas.check_readers(config, found, daemon, me)


def exit_status(checks: list[Check]) -> int:
    """0, or 78 where an operator must mend something, or 69 where something is only not there now."""
    failed = {check.exit_status for check in checks if not check.ok}
    if not failed:
        return os.EX_OK
    return os.EX_UNAVAILABLE if failed <= {os.EX_UNAVAILABLE, os.EX_TEMPFAIL} else os.EX_CONFIG
