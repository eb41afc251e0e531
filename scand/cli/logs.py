"""`scand logs`: the journal's story of the daemon, or of one job."""

from __future__ import annotations

import os

import click

from scand.cli.params import optional_job_argument
from scand.errors import Unavailable

_UNIT = "scand"


@click.command()
@optional_job_argument
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
