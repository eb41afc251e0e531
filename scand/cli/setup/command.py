"""`scand setup`: from an installed package to a running service, by questions or by options."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scand import mounts
from scand.cli.host import fstab, people
from scand.cli.host.unit import Unit
from scand.cli.setup import sandbox_file, steps
from scand.cli.setup.answers import Answers
from scand.cli.setup.config_file import ConfigFile, has_credential
from scand.cli.setup.questions import ask
from scand.cli.terminal import console, visible
from scand.config.edit import written
from scand.config.files import SYSTEM
from scand.errors import ConfigError

if TYPE_CHECKING:
    from rich.console import Console

    from scand.cli.host.people import Person
    from scand.config import Config


@click.command()
@click.option("--scanner", help='A SANE name, or a pattern such as "fujitsu:*"; "": the only one there is.')
@click.option("--nas-root", "root", type=click.Path(path_type=Path), help="Where the NAS is mounted.")
@click.option(
    "--require-mount/--no-require-mount",
    default=None,
    help="Whether something has to be mounted there; without, it may be a plain directory.",
)
@click.option("--create-root", is_flag=True, help="Make the plain directory if it is missing.")
@click.option("--inbox", help="The folder below it for documents.")
@click.option("--group", help='Whose members may read the documents; "": only scand.')
@click.option(
    "--user", "users", multiple=True, metavar="NAME", help="May use scand without sudo. Repeatable."
)
@click.option("--yes", "-y", is_flag=True, help="Ask nothing: take options, present values and defaults.")
@click.pass_obj
def setup(config: Path | None, /, *, yes: bool, **options: Any) -> int:
    """Set the service up: scanner, NAS, who may read the documents and who may scan. For root; safe to repeat.

    It asks, with the present values as defaults, and changes nothing where they are kept. Where standard input is
    no terminal, or with --yes, options say what differs.

    It writes the service's config and what its sandbox needs, marks the NAS, starts the service, and ends with
    scand doctor and its exit status; with 75 where the NAS has to be mounted first.
    """
    unit, daemon = _installed(config)
    file = ConfigFile(unit.config or SYSTEM)
    group = people.USERS if people.group_id(people.USERS) is not None else ""
    said = {name: value for name, value in options.items() if value not in {None, False, ()}}
    said |= {"require_mount": False} if options["require_mount"] is False else {}
    answers = replace(Answers.present(file.table, group, _who_called()), **said)
    if not yes and sys.stdin.isatty():
        answers = ask(answers, said, daemon)
    return _Setup(unit, daemon, file, console()).run(answers)


def _installed(config: Path | None) -> tuple[Unit, Person]:
    """The unit and its user.

    Raises:
        ConfigError: this is not root, or there is no unit, or it reads another config.
    """
    if os.geteuid() != 0:
        raise ConfigError("Only root can set the service up: run `sudo scand setup`.")
    unit = Unit.read()
    if not unit.installed:
        raise ConfigError(
            "scand is not installed as a service on this machine: install its package, or run `make install` in "
            "its source directory. To try it without installing anything: `scand demo`."
        )
    sudo = people.caller().sudo
    if config is not None and config != (unit.config or SYSTEM):
        raise ConfigError(
            f"The service reads {unit.config or SYSTEM}: run `{sudo}scand setup` without --config."
        )
    daemon = people.named(unit.user)
    if daemon is None:
        raise ConfigError(f"This machine has no user {unit.user}: run `{sudo}systemd-sysusers`.")
    return unit, daemon


def _who_called() -> tuple[str, ...]:
    """The person who used sudo, as the first offered user; nobody where it was root itself."""
    name = os.environ.get("SUDO_USER", "")
    return (name,) if name not in {"", "root"} else ()


class _Setup:
    """The steps in their order; each prints what it changes."""

    def __init__(self, unit: Unit, daemon: Person, file: ConfigFile, out: Console) -> None:
        self._unit, self._daemon, self._file, self._out = unit, daemon, file, out

    def run(self, answers: Answers) -> int:
        """Take all steps, and return the exit status.

        Raises:
            ScandError: a step is refused; those before it are done, and are repeated at the next call.
        """
        self._check(answers)
        joined = steps.add_to_group([self._daemon.name], answers.group) if answers.group else []
        values = answers.values(self._file.table, credential=has_credential())
        config = self._file.set(values, self._daemon.gid)
        for (section, key), value in values.items():
            self._out.print(f"{self._file.path}: {section}.{key} = {visible(written(value))}")
        for name in steps.add_to_group(answers.users, people.USERS) if answers.users else []:
            self._out.print(f"{name} is in {people.USERS} now, from the next login on")
        self._daemon = people.named(self._unit.user) or self._daemon  # with its new groups
        if answers.create_root and not answers.require_mount:
            steps.make_root(answers.root, self._daemon, answers.group)
        known = mounts.table()
        if answers.require_mount and mounts.expects_mount(mounts.resolved(answers.root, known), known):
            return self._say_how_to_mount(config)
        self._out.print(steps.mark_nas(config, self._daemon))
        opened = sandbox_file.place(config, self._unit, mounts.table())
        if opened:
            done = "written" if sandbox_file.PLACE.exists() else "removed"
            self._out.print(f"{sandbox_file.PLACE}: {done}")
        if said := steps.start_service(
            self._unit, restart=bool(opened or joined) or self._lacks_groups(), reload=bool(values)
        ):
            self._out.print(said)
            steps.wait_until_ready()
        self._out.print()
        sys.stdout.flush()
        doctor = [sys.executable, "-P", "-m", "scand.cli", "--config", str(self._file.path), "doctor"]
        return subprocess.run(doctor, check=False).returncode

    def _check(self, answers: Answers) -> None:
        """Refuse impossible answers before anything is changed."""
        root = answers.root
        if not root.is_absolute():
            raise ConfigError(f"{root} must be absolute: where the NAS is mounted, such as /mnt/nas.")
        sandbox_file.check_seen(mounts.resolved(root, mounts.table()), self._unit)
        if not (answers.require_mount or answers.create_root or root.exists()):
            raise ConfigError(f"{root} does not exist: make it, or say --create-root, too.")
        steps.check_people(answers.users, [people.USERS] if answers.users else [])
        steps.check_people([], [answers.group] if answers.group else [])

    def _lacks_groups(self) -> bool:
        """Whether the daemon was started before its user was given one of its groups."""
        running = people.groups_of_process(self._unit.pid) if self._unit.active else None
        return running is not None and not self._daemon.groups <= running

    def _say_how_to_mount(self, config: Config) -> int:
        daemon, group = self._daemon, config.nas.group or people.group_name(self._daemon.gid)
        gid = people.group_id(group)
        self._out.print(f"\nNothing is mounted at {config.nas_root}.\n")
        advice = fstab.advice(
            config.nas_root,
            user=daemon.name,
            uid=daemon.uid,
            group=group,
            gid=daemon.gid if gid is None else gid,
            sudo=people.caller().sudo,
        )
        self._out.print(advice, soft_wrap=True)
        return os.EX_TEMPFAIL
