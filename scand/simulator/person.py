"""Whoever stands at the feeder, told what to do by a signal or a control file."""

import math
from pathlib import Path

import click

from scand.simulator.feeder import Feeder

_GLANCE = 0.03  # seconds between two looks for the control file


class Person:
    """Tends the feeder when asked: by ask(), or when the `control_file` appears, whose text is the wish.

    The file is removed once it was read. It should be moved to its place, so that it is never read half.
    """

    def __init__(self, feeder: Feeder, control_file: Path | None) -> None:
        self.feeder = feeder
        self._control_file = control_file
        self._asked: list[str] = []
        self._heard: list[str] = []

    def ask(self, wish: str) -> None:
        """Say what is to be done, as Feeder.follow takes it; may be called from a signal handler."""
        self._asked.append(wish)

    def listen(self) -> None:
        """Hear what was asked so far, and look for the control file; nothing is done about it yet."""
        while self._asked:
            self._heard.append(self._asked.pop(0))
        if self._control_file and self._control_file.exists():
            self._heard.append(self._control_file.read_text("utf-8"))
            self._control_file.unlink()

    def attend(self) -> None:
        """Do what was heard; a wish that makes no sense is answered on stderr."""
        while self._heard:
            try:
                self.feeder.follow(self._heard.pop(0))
            except ValueError as error:
                click.echo(error, err=True)

    def due(self, now: float) -> float:
        """Say when the person is to be looked after again, in the time of `now`."""
        if self._heard:
            return now
        return now + _GLANCE if self._control_file else math.inf
