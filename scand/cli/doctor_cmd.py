"""`scand doctor`: ticks, or what mends."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click
from rich.table import Table
from rich.text import Text

from scand.cli.terminal import console, echo_json, json_option, visible
from scand.doctor import Check, examine, exit_status

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console


@click.command()
@json_option
@click.pass_obj
def doctor(config: Path | None, *, as_json: bool) -> int:
    """Check config, staging, disk, scanner, NAS, database, schema, roles and agent; say what mends each.

    Nothing is changed, no paper moves. The exit status is 0 where all is well, 78 where an operator must mend
    something, 69 where something is only not there now.
    """
    out = console(quiet=as_json)
    checks = []
    for check in examine(config, os.environ):
        checks.append(check)
        _print(out, check)
    if as_json:
        echo_json([check._asdict() for check in checks])
    return exit_status(checks)


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
