"""`scand config check`: whether the daemon would take the config, before it is asked to."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from scand.cli.terminal import console, echo_json, json_option, visible
from scand.config import Config, files
from scand.config.values import EMBEDDED

if TYPE_CHECKING:
    from pathlib import Path


@click.group()
def config() -> None:
    """The config."""


@config.command()
@click.option("--quiet", "-q", is_flag=True, help="Say only what would be refused.")
@json_option
@click.pass_obj
def check(path: Path | None, *, quiet: bool, as_json: bool) -> None:
    """Read the config as the daemon does; say everything that is wrong, with file and line.

    Nothing is changed, and neither database nor NAS is asked. The exit status is 0 where the daemon would take
    it, and 78 where it would not. `systemctl reload scand` begins with this.
    """
    found = Config.load(path, _environment(path), need="daemon")
    if as_json:
        echo_json({"path": found.path and str(found.path), "warnings": found.warnings})
        return
    if quiet:
        return
    for warning in found.warnings:
        click.echo(f"scand: {visible(warning)}", err=True)
    console().print(f"{found.path}: the daemon takes it")


def _environment(path: Path | None) -> dict[str, str]:
    """This process's, with some URL for the one that cannot be seen from here.

    Beside a running service, systemd names the directory of its credentials to ExecReload= and does not let it be
    read (tried with 252). The URL that the daemon has from there cannot change before a restart anyway.
    """
    environ = dict(os.environ)
    directory = environ.get("CREDENTIALS_DIRECTORY")
    if directory and not os.access(directory, os.R_OK | os.X_OK):
        del environ["CREDENTIALS_DIRECTORY"]
        database = files.read(path, environ, forgiven=()).table.get("database", {})
        if isinstance(database, dict) and "url" not in database:
            environ.setdefault("SCAND_DATABASE_URL", EMBEDDED)
    return environ
