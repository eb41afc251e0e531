"""The questions of `scand setup` on a terminal; the present value of each is its default."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scand.cli.host import people
from scand.cli.setup.answers import Answers
from scand.cli.setup.system import run_as
from scand.cli.terminal import visible
from scand.errors import ScandError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from scand.cli.host.people import Person

_PATIENCE = 90.0
"""Seconds until scanners are listed: network backends wait for answers."""


def ask(present: Answers, said: Collection[str], daemon: Person) -> Answers:
    """Ask for everything that no option has said.

    Args:
        present: the defaults.
        said: names of the attributes that options have said; they are not asked for.
        daemon: the daemon's user: its scanners are listed.
    """

    def answer(name: str, text: str, check: Callable[[str], str] = str) -> str:
        default = str(getattr(present, name))
        if name in said:
            return default
        return str(click.prompt(text, default=default, value_proc=check, show_default=default != ""))

    if "scanner" not in said:
        click.echo("Looking for scanners …")
        click.echo(_scanners(daemon))
    scanner = answer("scanner", "Scanner (a name or pattern; empty: the only one)")
    root = Path(answer("root", "Where the NAS is mounted", _absolute))
    require, create = present.require_mount, present.create_root
    if "require_mount" not in said:
        require = click.confirm("Must something be mounted there (no: it is a plain directory)?", require)
    if not (require or create or root.exists()):
        create = click.confirm(f"{root} does not exist. Make it?", default=True)
    inbox = answer("inbox", "Folder below it for documents")
    group = answer("group", "Group that may read the documents (none: only scand)", _group)
    users = present.users
    if "users" not in said:
        text = "Who may use scand without sudo (login names; empty: nobody more)"
        listed = " ".join(users)
        users = tuple(
            click.prompt(text, default=listed, value_proc=_users, show_default=listed != "").split()
        )
    return Answers(scanner, root, require, inbox, "" if group == "none" else group, users, create)


def _scanners(daemon: Person) -> str:
    """What SANE finds, a line each; why it finds nothing."""
    try:
        said = run_as(daemon, [sys.executable, "-P", "-m", "scand.cli", "devices", "--json"], _PATIENCE)
        found: Any = json.loads(said.text)
    except (ScandError, ValueError) as error:
        return f"  SANE does not say which there are: {error}"
    if not isinstance(found, list):
        return f"  {found['error']}"
    lines = [visible(f"  {device['name']}   {device['vendor']} {device['model']}") for device in found]
    return "\n".join(lines) or "  none found: it may be connected later"


def _absolute(text: str) -> str:
    if not Path(text).is_absolute():
        raise click.BadParameter("it must be an absolute path, such as /mnt/nas")
    return text


def _group(text: str) -> str:
    if text not in {"", "none"} and people.group_id(text) is None:
        raise click.BadParameter(f"this machine has no group {text}")
    return text


def _users(text: str) -> str:
    if unknown := [name for name in text.split() if people.named(name) is None]:
        raise click.BadParameter(f"this machine has no user {unknown[0]}")
    return text
