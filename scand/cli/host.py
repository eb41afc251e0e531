"""`scand trigger`, `scand logs`: what one does on the scan host itself."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import click

from scand.cli.terminal import console
from scand.config import Config
from scand.errors import ConfigError, Unavailable
from scand.lock import StagingLock

if TYPE_CHECKING:
    from pathlib import Path

_UNIT = "scand"


@click.command()
@click.pass_obj
def trigger(config: Path | None) -> None:
    """Scan now: send the daemon of this host the signal, as a key or a button would.

    Into the job that is ready; with none, a new job as [manual] says. While a batch runs or a preview waits it
    changes nothing, and the log says so.
    """
    staging = Config.load(config, os.environ, need="client").staging.dir
    try:
        pid = StagingLock.holder_pid(staging)
    except PermissionError as error:
        raise ConfigError(
            f"Only root and the daemon's user may look into {staging}: run `sudo scand trigger`; where "
            "scand-scan.path is enabled, members of scand-users run `touch /run/scand-scan`."
        ) from error
    if pid is None:
        raise Unavailable(f"No daemon holds {staging}: start it (systemctl start {_UNIT}).")
    try:
        os.kill(pid, signal.SIGUSR1)
    except PermissionError as error:
        raise ConfigError(
            f"The daemon (pid {pid}) is another user's: sudo systemctl kill --signal=USR1 --kill-whom=main {_UNIT}"
        ) from error
    except ProcessLookupError as error:
        raise Unavailable(f"The daemon (pid {pid}) has just gone: systemctl status {_UNIT}.") from error
    console().print(f"told the daemon (pid {pid}) to scan")


@click.command()
@click.argument("job", type=click.IntRange(min=1), required=False)
@click.option("--follow", "-f", is_flag=True, help="Go on as it is written.")
@click.option("--unit", default=_UNIT, show_default=True, help="The systemd unit.")
@click.option("--json", "as_json", is_flag=True, help="journalctl's JSON, an object a line.")
def logs(job: int | None, unit: str, *, follow: bool, as_json: bool) -> None:
    """The daemon's log from the journal: all of it, or one JOB's story."""
    command = ["journalctl", "--unit", unit, "--output", "json" if as_json else "short-iso"]
    command += ["--follow"] if follow else ["--no-pager"]
    command += [f"SCAND_JOB_ID={job}"] if job is not None else []
    try:
        os.execvp(command[0], command)  # noqa: S606 - journalctl takes over, with its pager and its Ctrl-C
    except FileNotFoundError as error:
        raise Unavailable(
            "There is no journalctl here: the daemon's log is on its standard error."
        ) from error
