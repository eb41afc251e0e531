"""`scand config check`: whether the daemon would take the config, before it is asked to."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from scand.cli.terminal import console, echo_json, json_option, visible
from scand.config import Config

if TYPE_CHECKING:
    from pathlib import Path


@click.group()
def config() -> None:
    """The config."""


@config.command()
@json_option
@click.pass_obj
def check(path: Path | None, *, as_json: bool) -> None:
    """Read the config as the daemon does; say everything that is wrong, with file and line.

    Nothing is changed, and neither database nor NAS is asked. The exit status is 0 where the daemon would take
    it, and 78 where it would not. `systemctl reload scand` begins with this.
    """
    found = Config.load(path, os.environ, need="daemon")
    if as_json:
        echo_json({"path": found.path and str(found.path), "warnings": found.warnings})
        return
    for warning in found.warnings:
        click.echo(f"scand: {visible(warning)}", err=True)
    console().print(f"{found.path}: the daemon takes it")
