"""The operator, who fills the feeder as a signal or a control file commands."""

import math
from pathlib import Path

import click

from scand.simulator.faults import Faults, parse_fault
from scand.simulator.feeder import Feeder

_CHECK_INTERVAL = 0.03  # seconds between two checks for the control file


class Operator:
    """Carries out commands, which come from `post` or from the control file, one a line.

    A command is what `Feeder.execute` takes, or "fault jam@7", which schedules that fault. The control file is
    removed once it was read. It should be renamed into place, so that it is never read half-written.

    Args:
        feeder: to fill.
        faults: to add to.
        control_file: where it may appear; None: there is none.
    """

    def __init__(self, feeder: Feeder, faults: Faults, control_file: Path | None) -> None:
        self.feeder = feeder
        self._faults = faults
        self._control_file = control_file
        self._posted: list[str] = []
        self._collected: list[str] = []

    def post(self, command: str) -> None:
        """Add a command; may be called from a signal handler."""
        self._posted.append(command)

    def collect(self) -> None:
        """Collect the commands so far, also from the control file, without carrying them out yet."""
        while self._posted:
            self._collected.append(self._posted.pop(0))
        if self._control_file and self._control_file.exists():
            self._collected += self._control_file.read_text("utf-8").splitlines() or [""]
            self._control_file.unlink()

    def carry_out(self) -> None:
        """Carry out the collected commands; an invalid one is reported on stderr."""
        while self._collected:
            try:
                self._execute(self._collected.pop(0))
            except ValueError as error:
                click.echo(error, err=True)

    def _execute(self, command: str) -> None:
        word, _, spec = command.partition(" ")
        if word == "fault":
            self._faults.add(parse_fault(spec.strip()))
        else:
            self.feeder.execute(command)

    def next_check(self, now: float) -> float:
        """Return when to call `collect` again, on the clock of `now` (seconds)."""
        if self._collected:
            return now
        return now + _CHECK_INTERVAL if self._control_file else math.inf
