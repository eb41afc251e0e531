"""Tells whether the daemon leads: the log when that changes, systemd (STATUS=) at every turn."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from scand.agent.log.events import Event
from scand.agent.log.status import status_line
from scand.agent.session import Standing

if TYPE_CHECKING:
    from scand.agent.log.reporter import Reporter
    from scand.decide.state import State

_QUIET_START = 5.0
"""Seconds of connecting after which systemd gets READY=1 all the same, and "waiting for the database"."""

_REMIND_EVERY = 600.0
"""Seconds between two log lines that the NAS is still away."""


class StandingLog:
    """The standing as it was last logged."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter
        self._started = time.monotonic()
        self._remind_at = float("inf")
        self._standing: tuple[Standing, str] = (Standing.AWAY, "connecting")
        self._away = False

    def turn(self, standing: Standing, trouble: str, state: State, refused: str = "") -> None:
        """Log a change, set STATUS=, and log again what is still away; called once a turn of the loop.

        Args:
            standing: whether this daemon leads.
            trouble: why it does not, or who does.
            state: what the daemon knows.
            refused: why the config as it is on disk is not in force; "": it is.
        """
        former, self._standing = self._standing, (standing, trouble)
        if self._standing != former:
            self._changed(former[0])
        now = time.monotonic()
        if state.nas_trouble is None:
            self._remind_at = now + _REMIND_EVERY
        elif now >= self._remind_at:
            self._remind_at = now + _REMIND_EVERY
            self._reporter.say(Event.NAS_AWAY, code=state.nas_trouble.code, why=state.nas_trouble.sentence)
        known = trouble != "connecting" or now - self._started > _QUIET_START
        status = {
            Standing.LEADING: status_line(state, now) if state.serving else "",
            Standing.WAITING: f"waiting: {trouble} has the lead",
            Standing.AWAY: f"waiting for the database: {trouble}" if known else "",
        }[standing]
        running = state.feeder is not None and state.feeder.run is not None
        if status and refused:
            status = f"{status}; config not taken: {refused}"
        self._reporter.turn(status, stopping=state.stopping and running)

    def _changed(self, former: Standing) -> None:
        standing, trouble = self._standing
        if self._away and standing is not Standing.AWAY:
            self._away = False
            self._reporter.say(Event.DATABASE_BACK)
        if standing is Standing.WAITING:
            self._reporter.say(Event.WAITING_FOR_LOCK, what="the lead", who=trouble)
        elif standing is Standing.LEADING:
            self._reporter.say(Event.READY)
        elif former is Standing.LEADING:
            self._away = True
            self._reporter.say(Event.DATABASE_AWAY, why=trouble)
        elif trouble != "connecting":
            self._reporter.say(Event.WAITING_FOR_DATABASE, why=trouble)
