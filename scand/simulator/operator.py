"""Whoever stands at the scanner, told what to do by a signal or a control file."""

import math
from pathlib import Path

import click

from scand.simulator.faults import Faults, parse_fault
from scand.simulator.feeder import Feeder

_GLANCE = 0.03  # seconds between two looks for the control file


class Person:
    """Tends the feeder when asked: by ask(), or when the `control_file` appears, each of whose lines is a wish.

    The file is removed once it was read. It should be moved to its place, so that it is never read half. A wish
    is what Feeder.follow takes, or "fault jam@7", which lets that fault come.
    """

    def __init__(self, feeder: Feeder, faults: Faults, control_file: Path | None) -> None:
        self.feeder = feeder
        self._faults = faults
        self._control_file = control_file
        self._asked: list[str] = []
        self._heard: list[str] = []

    def ask(self, wish: str) -> None:
        """Say what is to be done; may be called from a signal handler."""
        self._asked.append(wish)

    def listen(self) -> None:
        """Hear what was asked so far, and look for the control file; nothing is done about it yet."""
        while self._asked:
            self._heard.append(self._asked.pop(0))
        if self._control_file and self._control_file.exists():
            self._heard += self._control_file.read_text("utf-8").splitlines() or [""]
            self._control_file.unlink()

    def attend(self) -> None:
        """Do what was heard; a wish that makes no sense is answered on stderr."""
        while self._heard:
            try:
                self._follow(self._heard.pop(0))
            except ValueError as error:
                click.echo(error, err=True)

    def _follow(self, wish: str) -> None:
        word, _, spec = wish.partition(" ")
        if word == "fault":
            self._faults.add(parse_fault(spec.strip()))
        else:
            self.feeder.follow(wish)

    def due(self, now: float) -> float:
        """Say when the person is to be looked after again, in the time of `now`."""
        if self._heard:
            return now
        return now + _GLANCE if self._control_file else math.inf
