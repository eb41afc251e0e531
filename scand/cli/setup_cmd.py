"""`scand setup`: from an installed package to a running service, by questions or by options."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scand import fstab, mount_table, people, wire
from scand.cli.terminal import console, visible
from scand.config.files import SYSTEM
from scand.errors import ConfigError, ScandError
from scand.inquiry import ask_feeder
from scand.setup import sandbox_file, steps
from scand.setup.answers import Answers
from scand.setup.config_file import ConfigFile, has_credential
from scand.unit import Unit

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from scand.config import Config
    from scand.people import Person


@click.command()
@click.option("--scanner", help='A SANE name, or a pattern such as "fujitsu:*"; "": the only one there is.')
@click.option("--nas-root", type=click.Path(path_type=Path), help="Where the NAS is mounted.")
@click.option(
    "--require-mount/--no-require-mount",
    default=None,
    help="Whether something has to be mounted there; without, it may be a plain directory.",
)
@click.option("--create-root", is_flag=True, help="Make the plain directory if it is missing.")
@click.option("--inbox", help="The folder below it for documents.")
@click.option("--group", help='Whose members may read the documents; "": nobody else.')
@click.option(
    "--user", "users", multiple=True, metavar="NAME", help="May use scand without sudo; repeatable."
)
@click.option("--yes", "-y", is_flag=True, help="Ask nothing: take options, present values and defaults.")
@click.pass_obj
def setup(
    config: Path | None, /, *, create_root: bool, users: tuple[str, ...], yes: bool, **given: object
) -> int:
    """Set the service up: scanner, NAS, who may read the documents and who may scan. For root; safe to repeat.

    It asks, with the present values as defaults, and changes nothing where they are kept. Where standard input is
    no terminal, or with --yes, options say what differs.

    It writes the service's config and what its sandbox needs, marks the NAS, starts the service, and ends with
    scand doctor and its exit status; with 75 where the NAS has to be mounted first.
    """
    unit, daemon = _installed(config)
    file, out = ConfigFile(unit.config or SYSTEM), console()
    group = people.USERS if people.group_id(people.USERS) is not None else ""
    answers = Answers.present(file.table, group)
    answers = _with_options(answers, given)
    asked = not yes and sys.stdin.isatty()
    users = users or _who_called()
    if asked:
        answers, users, create_root = _ask(answers, given, users, create_root=create_root)
    return _apply(answers, users, file, unit, daemon, out, create_root=create_root)


def _installed(config: Path | None) -> tuple[Unit, Person]:
    """The unit and its user.

    Raises:
        ConfigError: this is not root, or there is no unit, or it reads another config.
    """
    if os.geteuid() != 0:
        raise ConfigError("The service can be set up by root only: run `sudo scand setup`.")
    unit = Unit.read()
    if not unit.installed:
        raise ConfigError(
            "scand is not installed as a service here: install the package (`apt install ./scand_*.deb`), or run "
            "`make install` in a checkout. To try scand without installing it: `scand demo`."
        )
    if config is not None and config != (unit.config or SYSTEM):
        raise ConfigError(f"The service reads {unit.config or SYSTEM}: run `scand setup` without --config.")
    daemon = people.named(unit.user)
    if daemon is None:
        raise ConfigError(f"This machine has no user {unit.user}: run `systemd-sysusers`.")
    return unit, daemon


def _who_called() -> tuple[str, ...]:
    """Who typed sudo."""
    name = os.environ.get("SUDO_USER", "")
    return (name,) if name not in {"", "root"} else ()


# The questions.


def _with_options(answers: Answers, given: dict[str, object]) -> Answers:
    """The options that were given, over the present values."""
    values = {
        "scanner": given["scanner"],
        "root": given["nas_root"],
        "require_mount": given["require_mount"],
        "inbox": given["inbox"],
        "group": given["group"],
    }
    return answers.but({name: value for name, value in values.items() if value is not None})


def _ask(
    answers: Answers, given: dict[str, object], users: tuple[str, ...], *, create_root: bool
) -> tuple[Answers, tuple[str, ...], bool]:
    """Ask for everything that no option has said."""

    def ask(option: str, text: str, present: str, check: Callable[[str], str] = str) -> str:
        if given[option] is not None:
            return present
        return str(click.prompt(text, default=present, value_proc=check, show_default=present != ""))

    scanner = ask(
        "scanner", f"{_scanners()}\nScanner (a name or pattern; empty: the only one)", answers.scanner
    )
    root = Path(ask("nas_root", "Where the NAS is mounted", str(answers.root), _absolute))
    require = answers.require_mount
    if given["require_mount"] is None:
        require = click.confirm("Must something be mounted there (no: it is a plain directory)?", require)
    if not require and not create_root and not root.exists():
        create_root = click.confirm(f"{root} does not exist. Make it?", default=True)
    inbox = ask("inbox", "Folder below it for documents", answers.inbox)
    group = ask("group", 'Group that may read the documents ("-": none)', answers.group or "-", _group)
    listed = " ".join(users)
    names = click.prompt(
        "Who may use scand without sudo (login names; empty: nobody more)",
        default=listed, value_proc=_users, show_default=listed != "",
    )  # fmt: skip
    return Answers(scanner, root, require, inbox, group.removeprefix("-")), tuple(names.split()), create_root


def _scanners() -> str:
    """What SANE finds, a line each; why it finds nothing."""
    click.echo("Looking for scanners …")
    try:
        found = ask_feeder(wire.ListDevices(), wire.Devices).devices
    except ScandError as error:
        return error.sentence
    lines = [
        f"  {visible(device.name)}   {visible(device.vendor)} {visible(device.model)}" for device in found
    ]
    return "\n".join(lines) or "  none found: it may be connected later"


def _absolute(text: str) -> str:
    if not Path(text).is_absolute():
        raise click.BadParameter("it must be an absolute path, such as /mnt/nas")
    return text


def _group(text: str) -> str:
    if text != "-" and people.group_id(text) is None:
        raise click.BadParameter(f"this machine has no group {text}")
    return text


def _users(text: str) -> str:
    if unknown := [name for name in text.split() if people.named(name) is None]:
        raise click.BadParameter(f"this machine has no user {unknown[0]}")
    return text


# The doing.


def _apply(
    answers: Answers,
    users: tuple[str, ...],
    file: ConfigFile,
    unit: Unit,
    daemon: Person,
    out: Console,
    *,
    create_root: bool,
) -> int:
    known = steps.known_mounts()
    if answers.root.is_absolute():
        sandbox_file.check_seen(mount_table.resolved(answers.root, known), unit)
    joined = steps.add_to_group([daemon.name], answers.group) if answers.group else []
    values = answers.values(file.table, credential=has_credential())
    config = file.set(values, daemon.gid)
    for (section, key), value in values.items():
        out.print(f"{file.path}: {section}.{key} = {visible(str(value))}")
    added = steps.add_to_group(users, people.USERS) if users else []
    for name in added:
        out.print(f"{name} is in {people.USERS} now, from the next login on")
    if not answers.require_mount and create_root:
        steps.make_root(answers.root, daemon, answers.group)
    elif answers.require_mount and not mount_table.is_mounted(
        mount_table.resolved(answers.root, known), known
    ):
        return _say_how_to_mount(config, daemon, out)
    daemon = people.named(unit.user) or daemon  # with its new groups
    out.print(steps.mark_nas(config, daemon))
    opened = sandbox_file.place(config, unit, steps.known_mounts())
    if opened:
        out.print(f"{sandbox_file.PLACE}: {'written' if sandbox_file.PLACE.exists() else 'removed'}")
    late = unit.active and not daemon.groups <= (people.groups_of_process(unit.pid) or daemon.groups)
    if said := steps.start_service(unit, restart=bool(opened or joined or late), reload=bool(values)):
        out.print(said)
        steps.wait_until_ready()
    out.print()
    return subprocess.run(
        [sys.executable, "-P", "-m", "scand.cli", "--config", str(file.path), "doctor"], check=False
    ).returncode


def _say_how_to_mount(config: Config, daemon: Person, out: Console) -> int:
    group = config.nas.group or people.group_name(daemon.gid)
    gid = people.group_id(group)
    out.print(f"\nNothing is mounted at {config.nas_root}.\n")
    out.print(
        fstab.advice(
            config.nas_root,
            user=daemon.name,
            uid=daemon.uid,
            group=group,
            gid=daemon.gid if gid is None else gid,
        ),
        soft_wrap=True,
    )
    return os.EX_TEMPFAIL
