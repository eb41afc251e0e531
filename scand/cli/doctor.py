"""`scand doctor`: ticks, or what mends."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click
from rich.table import Table
from rich.text import Text

from scand.cli.checks import Check, examine, exit_status
from scand.cli.host import people
from scand.cli.host.unit import Unit
from scand.cli.session import database_url
from scand.cli.terminal import console, echo_json, json_option, visible
from scand.config import Config
from scand.errors import ScandError

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from scand.cli.host.people import Person


@click.command()
@json_option
@click.pass_obj
def doctor(config: Path | None, *, as_json: bool) -> int:
    """Check config, service, staging, disk, NAS, readers, database, agent and scanner; say what mends each.

    Nothing is changed, no paper moves. Root looks with the eyes of the daemon's user. Somebody who may not read
    the service's config is told what can be seen without it. The exit status is 0 where all is well, 78 where an
    operator must mend something, 69 where something is only not there now.
    """
    out, me, unit = console(quiet=as_json), people.caller(), Unit.read()
    path = _as_the_daemon(config, unit, me)
    checks = []
    for check in examine(path, os.environ, unit, me, lambda: database_url(path)):
        checks.append(check)
        _print(out, check)
    if as_json:
        echo_json([check._asdict() for check in checks])
    return exit_status(checks)


def _as_the_daemon(path: Path | None, unit: Unit, me: Person) -> Path | None:
    """Let root become the daemon's user where the service's own config is meant; the path of the config.

    What root may do says nothing of what the daemon may, and a driver or a NAS needs no root to look at it.
    """
    daemon = people.named(unit.user) if unit.installed else None
    if me.uid or daemon is None or daemon.uid == 0:
        return path
    try:
        found = Config.load(path, os.environ, need="daemon").path
    except ScandError:
        return path  # the check says so
    if found is None or found != unit.config:
        return path
    people.become(daemon)
    return found


def _print(out: Console, check: Check) -> None:
    line = Table.grid(padding=(0, 1))
    line.add_column(width=1)
    line.add_column(width=9)
    line.add_column(overflow="fold")
    tick = Text("✓", "green") if check.ok else Text("✗", "red")
    line.add_row(
        tick,
        Text(check.name, "" if check.ok else "bold"),
        Text("\n".join(map(visible, check.detail.splitlines())), "dim" if check.ok else ""),
    )
    if check.mend:
        line.add_row("", "", Text(f"→ {visible(check.mend)}", "yellow"))
    out.print(line)
