"""`scand run`, `scand migrate`, `scand nas init`: what the operator of a scan host does."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from scand import service as daemon
from scand.cli.session import database_url, told
from scand.cli.terminal import console, echo_json, json_option
from scand.config import Config
from scand.database import connect
from scand.errors import ConfigError
from scand.migrate import migrate as bring_up_to_date
from scand.spool import Spool
from scand.volume import init_volume

if TYPE_CHECKING:
    from pathlib import Path

_PATIENCE = 3600.0
"""Seconds for one statement of a migration: on a big table it rewrites or indexes all of it."""


@click.command()
@click.pass_obj
def run(config: Path | None) -> None:
    """The daemon: take jobs from the queue until SIGTERM.

    SIGUSR1 scans now, SIGHUP reads the config again, SIGTERM stops after the sheet under way.
    """
    daemon.run(config, os.environ)


@click.command()
@json_option
@click.pass_obj
def migrate(config: Path | None, *, as_json: bool) -> None:
    """Bring the database's schema up to date; with nothing to do, do nothing.

    Run it as the owner of the tables. The daemon does it by itself for its embedded database.
    """
    with told(), connect(database_url(config), name="scand-migrate", deadline=_PATIENCE) as connection:
        applied = bring_up_to_date(connection)
    if as_json:
        echo_json({"applied": applied})
        return
    out = console()
    for name in applied:
        out.print(f"applied {name}")
    if not applied:
        out.print("the schema is up to date")


@click.group()
def nas() -> None:
    """The NAS."""


@nas.command()
@json_option
@click.pass_obj
def init(config: Path | None, *, as_json: bool) -> None:
    """Mark nas.root as the NAS that is meant, and remember the mark in staging.dir.

    Without it nothing is ever written to the NAS: an unmounted mountpoint is an empty directory, too.
    A NAS that is marked already keeps its mark. Run it as the daemon's user: sudo -u scand scand nas init.
    """
    settings = Config.load(config, os.environ, need="daemon")
    _check_owner(settings.staging.dir)
    volume_id = init_volume(settings.nas_root, require_mount=settings.nas.require_mount)
    Spool(settings.staging.dir).set_volume_id(volume_id)
    if as_json:
        echo_json({"root": settings.nas_root, "volume_id": volume_id})
    else:
        console().print(f"{settings.nas_root} is volume {volume_id}")


def _check_owner(staging: Path) -> None:
    """A mark that root wrote could not be read by the daemon.

    Raises:
        ConfigError: the staging directory is another user's.
    """
    owner = staging.stat().st_uid if staging.exists() else os.geteuid()
    if owner != os.geteuid():
        raise ConfigError(
            f"{staging} is user {owner}'s: run this as that user (sudo -u '#{owner}' scand nas init)."
        )
