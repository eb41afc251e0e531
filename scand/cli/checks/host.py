"""What the scan host has: local disk, the scanner, the program that is told of events."""

from __future__ import annotations

import os
import shlex
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from scand import wire
from scand.cli.checks.check import Check, gib, wrong
from scand.cli.host import people, sandbox
from scand.cli.host.sandbox import Reach
from scand.errors import ScandError
from scand.faults import ErrorCode
from scand.jobs.settings import resolve
from scand.spool.directories import Spool
from scand.wire.ask import ask_feeder

if TYPE_CHECKING:
    from scand.cli.host.people import Person
    from scand.cli.host.unit import Unit
    from scand.config import Config


def check_staging(config: Config, me: Person) -> Check:
    """Whether this user can write where the pages go, and nobody else's directory is meant.

    Args:
        me: who asks, as whom commands are suggested.
    """
    directory = config.staging.dir
    owner = people.owner(directory)
    if owner is None or not directory.is_dir():
        made = f"install -d -m 0750 -o scand -g scand {shlex.quote(str(directory))}"
        return wrong("staging", f"{directory} does not exist.", f"{me.sudo}{made}")
    ours = owner.uid == os.geteuid()
    if not ours or not os.access(directory, os.W_OK | os.X_OK):
        mend = f"chmod u+wx {shlex.quote(str(directory))}" if ours else me.run_as(owner, "scand doctor")
        whose = f"it is user {owner.name}'s" if not ours else "its owner may not write there"
        return wrong("staging", f"{directory} cannot be used by this user: {whose}.", mend)
    aside = Spool(directory).put_aside()
    told = (
        f"; put aside, since they belong to no job of this database: {', '.join(map(str, aside))}"
        if aside
        else ""
    )
    return Check("staging", ok=True, detail=f"{directory}{told}")


def check_disk(config: Config) -> Check:
    """Whether there is room for pages.

    Raises:
        OSError: never where `check_staging` was content.
    """
    directory, least = config.staging.dir, config.staging.min_free
    while not directory.exists():
        directory = directory.parent
    free = shutil.disk_usage(directory).free
    detail = f"{gib(free)} free below {directory}; staging.min_free is {gib(least)}"
    if free >= least:
        return Check("disk", ok=True, detail=detail)
    return wrong("disk", f"{detail}.", "make room there", os.EX_UNAVAILABLE)


def check_scanner(config: Config, *, served: bool) -> Check:
    """Whether the device opens, and can do what the default profile asks.

    Args:
        served: an agent is alive; it may have the device open, and some drivers let nobody else in.

    Raises:
        ScandError: it cannot; the sentence says what it offers.
    """
    question = wire.Probe(device=config.scanner.device, settings=resolve({}, config.presets))
    try:
        probed = ask_feeder(question, wire.Probed, config.scanner.page_timeout)
    except ScandError as error:
        if served and error.code is ErrorCode.DEVICE_BUSY:
            return Check("scanner", ok=True, detail="in use by the agent, and not asked")
        raise
    facts = [probed.device, probed.source, probed.sides, probed.mode, f"{probed.resolution:g} dpi"]
    return Check("scanner", ok=True, detail=", ".join(str(fact) for fact in facts if fact))


def check_hook(config: Config, unit: Unit, me: Person) -> Check:
    """Whether the program that is told of events is there, may be run by this user, and is seen by the service.

    Args:
        me: who asks, as whom commands are suggested.
    """
    key, edit = f'hooks.on_event = "{config.hooks.on_event}"', f"correct it in {config.path}"
    program = next(iter(shlex.split(config.hooks.on_event)), "")
    rule = sandbox.decide(Path(os.path.normpath(program)), unit.rules)
    if unit.installed and rule.reach is Reach.HIDDEN:
        copy = f"{me.sudo}install -m 0755 {shlex.quote(program)} /usr/local/bin/"
        return wrong("hook", f"{key}: the service does not see {program} ({rule.setting}).", copy)
    if not Path(program).is_file():
        return wrong("hook", f"{key}: there is no such program.", edit)
    if not os.access(program, os.X_OK):
        allow = f"{me.sudo}chmod a+rx {shlex.quote(program)}"
        return wrong("hook", f"{key}: this user may not run it.", allow)
    return Check("hook", ok=True, detail=program)
