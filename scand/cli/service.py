"""`scand run`, `scand migrate`, `scand nas init`: commands for the operator of a scan host."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING, Literal

import click

from scand.agent import service as daemon
from scand.cli.host import people
from scand.cli.host.nas_mark import mark_nas
from scand.cli.host.unit import Unit
from scand.cli.session import maintenance_url
from scand.cli.terminal import console, echo_json, json_option
from scand.config import Config
from scand.config.files import SYSTEM
from scand.errors import ConfigError
from scand.queue.commit_by import settle
from scand.queue.connection import connect
from scand.queue.refusals import told
from scand.queue.schema import LONGEST_STATEMENT
from scand.queue.schema import migrate as bring_up_to_date
from scand.queue.statements import read_sql

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@click.pass_obj
def run(config: Path | None) -> None:
    """The daemon: take jobs from the queue until SIGTERM.

    SIGUSR1 scans now, SIGHUP reads the config again, SIGTERM stops after the sheet under way.
    """
    _own_staging(config, "run", service="systemctl start scand")
    daemon.run(config, os.environ)


@click.command()
@click.option(
    "--roles", is_flag=True, help="Also make the roles scand_client and scand_agent, or renew their rights."
)
@click.option(
    "--commit-by",
    type=click.Choice(["agent", "client"]),
    help="Also settle who commits, as [commit] by says in the config; clients may then commit, or no more.",
)
@json_option
@click.pass_obj
def migrate(
    config: Path | None, *, roles: bool, commit_by: Literal["agent", "client"] | None, as_json: bool
) -> None:
    """Bring the database's schema up to date; with nothing to do, do nothing.

    Run it as the owner of the tables; to make roles, it needs CREATEROLE. The daemon does it by itself for its
    embedded database, with the roles.
    """
    url = maintenance_url(config)
    with told(), connect(url, name="scand-migrate", deadline=LONGEST_STATEMENT) as connection:
        applied = bring_up_to_date(connection)
        if roles:
            with connection.transaction():
                connection.execute(read_sql("roles.sql").encode())
        if commit_by is not None:
            settle(connection, commit_by)
    if as_json:
        echo_json({"applied": applied, "commit_by": commit_by})
        return
    out = console()
    for name in applied:
        out.print(f"applied {name}")
    if not applied:
        out.print("the schema is up to date")
    if roles:
        out.print("scand_client and scand_agent have their rights in this database")
    if commit_by is not None:
        out.print(f"the {commit_by} commits in this database")


@click.group()
def nas() -> None:
    """The NAS."""


@nas.command()
@json_option
@click.pass_obj
def init(config: Path | None, *, as_json: bool) -> None:
    """Mark nas.root as the NAS of this installation, and remember the mark in staging.dir.

    Without it nothing is ever written to the NAS: an unmounted mountpoint is an empty directory, too.
    A NAS that is marked already keeps its mark. The members of nas.group get through the folders that scand has
    made there. scand setup does all this for the service.
    """
    settings = _own_staging(config, "nas init", service="scand setup")
    root, volume_id = settings.nas_root, mark_nas(settings)
    if as_json:
        echo_json({"root": root, "volume_id": volume_id})
    else:
        console().print(f"{root} is volume {volume_id}")


def _own_staging(path: Path | None, command: str, *, service: str) -> Config:
    """Load the config, if its staging directory belongs to this user: the daemon could not use another's files.

    Args:
        path: `--config`.
        command: what was asked for, without "scand".
        service: the command that root runs instead where the service uses that directory.

    Raises:
        ConfigError: it belongs to another user, or will; nothing was touched.
    """
    me, unit = people.caller(), Unit.read()
    if me.name != unit.user and unit.hides_config(path, os.environ):
        raise ConfigError(f"The service's files are for root and {unit.user} only: run `{me.sudo}{service}`.")
    config = Config.load(path, os.environ, need="daemon")
    staging, ours = config.staging.dir, unit.installed and unit.config == config.path
    owner = people.owner(staging) or (people.named(unit.user) if ours else None)
    if owner is None or owner.uid == me.uid:
        return config
    if unit.installed and owner.name == unit.user:
        mend = f"{me.sudo}{service}"
    else:
        chosen = f"--config {shlex.quote(str(config.path))} " if config.path not in {None, SYSTEM} else ""
        mend = me.run_as(owner, f"scand {chosen}{command}")
    raise ConfigError(f"{staging} is user {owner.name}'s, and you are {me.name}: run `{mend}` instead.")
