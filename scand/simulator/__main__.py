"""python -m scand.simulator: `scand simulate` by itself; exits as sysexits(3) has it."""

import os
import sys

import click

from scand.simulator.main import simulate

try:
    simulate.main(prog_name="python -m scand.simulator", standalone_mode=False)
except click.ClickException as refusal:
    refusal.show()
    sys.exit(os.EX_USAGE if isinstance(refusal, click.UsageError) else refusal.exit_code)
