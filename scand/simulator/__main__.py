"""`python -m scand.simulator`: `scand simulate` on its own. Exit statuses follow sysexits(3)."""

import os
import sys

import click

from scand.simulator.main import simulate

try:
    simulate.main(prog_name="python -m scand.simulator", standalone_mode=False)
except click.ClickException as error:
    error.show()
    sys.exit(os.EX_USAGE if isinstance(error, click.UsageError) else error.exit_code)
