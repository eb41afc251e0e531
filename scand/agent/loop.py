"""The daemon: one thread, one selector. Wait → decide → perform, and again.

It never loads libsane and never touches the NAS: its children do (`children`), since both can hang. It decides
(`scand.decide`), reads and writes rows (`session`, `scand.queue`), and reads the local disk (`scand.spool`).
"""

from __future__ import annotations

import os
import selectors
import signal
import time
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

import psycopg

from scand import __version__
from scand.agent.children import Children
from scand.agent.hints import WINDOW, Hints
from scand.agent.lock import StagingLock
from scand.agent.log.events import Event
from scand.agent.log.narrate import Line, narrate, narrate_outcome
from scand.agent.log.reporter import Reporter
from scand.agent.log.standing import StandingLog
from scand.agent.log.status import status_line
from scand.agent.perform import Performer
from scand.agent.reload import LiveConfig, limits
from scand.agent.session import Session, Standing
from scand.agent.wakeup import Wakeup
from scand.decide import decide, occurrences
from scand.decide.actions import Exit
from scand.decide.pages import pages_due
from scand.decide.state import Snapshot, State
from scand.decide.timeouts import CHECK_EVERY
from scand.queue.rivals import refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from scand.agent.log.journal import Journal
    from scand.agent.service import Database
    from scand.config import Config
    from scand.decide.actions import DatabaseAction, LocalAction
    from scand.spool.directories import Spool

_LONGEST_WAIT = 0.5
"""Seconds between two turns of the loop when nothing happens; the deadlines of children are checked each turn."""

_STEPS_PER_TURN = 200
"""Occurrences handled in one turn, at most: then signals, children and the heartbeat come first again."""

_FIRST_CHECK = 2.0
"""Seconds after the start after which an idle agent first checks whether scanner and NAS are there."""


class Agent:
    """The daemon's loop.

    Args:
        config: as read at the start.
        reread: the config read again; raises ConfigError when it is bad.
        database: where sessions come from.
        spool: the staging directory.
        journal: the log.
    """

    def __init__(
        self,
        config: Config,
        reread: Callable[[], Config],
        database: Database,
        spool: Spool,
        journal: Journal,
    ) -> None:
        self._reporter = Reporter(journal, config.hooks.on_event)
        self._config = LiveConfig(config, reread, self._reporter)
        self._selector = selectors.DefaultSelector()
        self._wakeup = Wakeup()
        self._selector.register(self._wakeup, selectors.EVENT_READ, "wake")
        lock = StagingLock(spool.root)
        self._children = Children(self._selector, self._reporter, lock.fileno())
        self._session = Session(database.open, lock, self._wakeup.wake)
        self._hints = Hints(database.listen, self._selector, self._wakeup.wake)
        self._performer = Performer(self._config, spool, self._children)
        self._standing_log = StandingLog(self._reporter)
        checked = time.monotonic() + _FIRST_CHECK - CHECK_EVERY
        new = State(limits(config), Snapshot(), canceled=0)
        self._state = replace(new, scanner_checked=checked, nas_checked=checked, swept=checked)
        self._occurrences: deque[occurrences.Occurrence] = deque()
        self._watched_fd: int | None = None
        self._next_look = self._next_heartbeat = self._heard_at = 0.0
        self._last_beat: tuple[object, ...] = ()
        self._refusal = ""
        self._leaving = False

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT; return once the sheet under way is safe and recorded.

        Raises:
            ConfigError: the schema, the login or `[commit] by` must be mended; trying again is no use.
        """
        path = self._config.now.path
        self._reporter.say(Event.DAEMON_STARTED, version=__version__, pid=os.getpid(), path=path)
        self._wakeup.take_signals()
        self._config.watch(self._wakeup.wake)
        try:
            while not self._leaving:
                self._turn()
        finally:
            self._reporter.stopping()
            self._config.close()
            self._children.dismiss()
            self._hints.close()
            self._session.close()
            self._reporter.say(Event.DAEMON_STOPPED)

    def _turn(self) -> None:
        self._wait()
        self._serve()
        self._occurrences.append(occurrences.Tick(self._heard_at))
        for _ in range(_STEPS_PER_TURN):
            if self._leaving or not self._occurrences:
                break
            self._step(self._occurrences.popleft())
        self._beat()
        self._standing_log.turn(
            self._session.standing, self._session.trouble, self._state, self._config.refused
        )

    # Wait.

    def _wait(self) -> None:
        self._watch_database()
        now = time.monotonic()
        due = min(self._session.due(), self._next_look if self._session.queue else now + _LONGEST_WAIT)
        due = min(due, pages_due(self._state))
        timeout = 0 if self._occurrences else max(0.0, min(due - now, _LONGEST_WAIT))
        ready = self._selector.select(timeout)
        self._heard_at = time.monotonic()
        for key, _events in ready:
            match key.data:
                case "wake":
                    self._wakeup.drain()
                case "database":
                    self._next_look = 0.0  # perhaps the end of the session: the next look tells
                case "hints":
                    self._next_look = 0.0
                    if too_many := self._hints.take():
                        self._reporter.say(Event.HINTS_FLOODED, count=too_many, seconds=f"{WINDOW:g}")
                case role:
                    self._occurrences.extend(self._children.hear(role))
        for number in self._wakeup.signals():
            self._signaled(number)
        if self._config.changed():
            self._reload(asked=False)

    def _watch_database(self) -> None:
        """The session's socket is in the selector while there is a session."""
        fd = self._session.fileno()
        if fd != self._watched_fd:
            self._unwatch_database()
            if fd is not None:
                self._selector.register(fd, selectors.EVENT_READ, "database")
            self._watched_fd = fd

    def _unwatch_database(self) -> None:
        if self._watched_fd is not None:
            self._selector.unregister(self._watched_fd)
            self._watched_fd = None

    def _signaled(self, number: signal.Signals) -> None:
        if number is signal.SIGUSR1:
            self._occurrences.append(occurrences.ScanAsked())
        elif number is signal.SIGHUP:
            self._reload()
        else:
            self._reporter.say(Event.DAEMON_STOPPING, why=number.name)
            self._reporter.stopping()
            self._occurrences.append(occurrences.StopAsked())

    def _reload(self, *, asked: bool = True) -> None:
        """Read the config again. It is decided on first, since what is performed from now on goes by it."""
        if self._config.reload(asked=asked):
            self._occurrences.appendleft(occurrences.Configured(limits(self._config.now)))

    # Serve: the sessions, the poll.

    def _serve(self) -> None:
        if self._session.turn() and (queue := self._session.queue):
            self._next_look = self._next_heartbeat = 0.0
            self._reporter.say(Event.ELECTED, epoch=queue.epoch)
            try:
                self._performer.elected(queue)
            except psycopg.Error as error:
                self._drop_session(error)  # nothing may be decided before it is known which database this is
        if self._session.standing is Standing.WAITING:
            self._occurrences.append(occurrences.Displaced())  # so that children of an earlier session stop
        self._children.reap()
        queue, now = self._session.queue, time.monotonic()
        if self._hints.turn(wanted=queue is not None):
            self._next_look = 0.0  # for what has changed before it listened
        if queue is not None and now >= self._next_look:
            self._next_look = now + self._config.now.agent.poll
            self._occurrences.append(occurrences.LookDue())

    def _beat(self) -> None:
        """Write the heartbeat: every `agent.heartbeat` seconds, and at once when job, scanner or NAS changed."""
        state, queue, now = self._state, self._session.queue, time.monotonic()
        job = state.snapshot.job
        about = (job.id, job.status, job.error_code) if job else ()
        doing = (state.ready, state.scanner_trouble is None, state.nas_trouble is None, self._refusal, *about)
        if queue is None or (now < self._next_heartbeat and doing == self._last_beat):
            return
        self._next_heartbeat, self._last_beat = now + self._config.now.agent.heartbeat, doing
        try:
            alive = queue.heartbeat(
                job_id=job.id if job else None,
                state=self._refusal or status_line(state, now),
                ready=state.ready,
                device=state.device or None,
            )
        except psycopg.Error as error:
            self._lost(error)
        else:
            if not alive:
                self._next_look = 0.0  # it tells whether another daemon leads, or the row is missing

    # Decide and perform.

    def _step(self, occurrence: occurrences.Occurrence) -> None:
        before = self._state
        self._state, actions = decide(before, occurrence, time.monotonic())
        self._reporter.looked(self._state.snapshot.job)
        self._say(narrate(before, occurrence, self._state))
        for action in actions:
            if isinstance(action, Exit):
                self._leaving = True
                return
            if not self._perform(action):
                return

    def _perform(self, action: DatabaseAction | LocalAction) -> bool:
        """Perform an action and log what became of it. False: the actions after it are not performed."""
        follow: list[occurrences.Occurrence] = []
        try:
            for outcome in self._performer.perform(action, self._session.queue):
                self._say(narrate_outcome(outcome))
                if isinstance(outcome, occurrences.StatusRowMade):
                    self._next_heartbeat = 0.0
                elif isinstance(outcome, occurrences.Looked):
                    self._refusal = ""
                if not isinstance(outcome, occurrences.Note):
                    follow.append(outcome)
        except psycopg.Error as error:
            self._lost(error)
            return False
        if occurrences.Displaced() in follow:
            self._stand_down()
            return False
        self._occurrences.extendleft(reversed(follow))
        return True

    def _say(self, lines: Iterable[Line]) -> None:
        for event, about in lines:
            self._reporter.say(event, **about)

    def _lost(self, error: psycopg.Error) -> None:
        """A statement failed. Deciding takes it for an outage: a batch that is being scanned goes on to its end.

        If the session is broken, another one is opened. If the database refused the statement (a client holds a
        lock, its disk is full), the session is kept, and the rows are read again after `agent.poll` seconds. If it
        says that this is no step, the table of steps is not what it was: a new session compares it.
        """
        queue = self._session.queue
        why = refusal(queue, error) if queue else ""  # it asks the database, and may find the session broken
        if queue is None or queue.connection.closed or error.sqlstate == "SD001":
            self._drop_session(error)
            return
        locked = isinstance(error, psycopg.errors.LockNotAvailable | psycopg.errors.DeadlockDetected)
        if why != self._refusal:
            self._refusal = why
            self._reporter.say(Event.QUEUE_LOCKED if locked else Event.UNEXPECTED, why=why)
        self._next_look = time.monotonic() + self._config.now.agent.poll
        self._occurrences.append(occurrences.DatabaseLost())

    def _drop_session(self, error: psycopg.Error) -> None:
        self._unwatch_database()
        self._session.lose(error)
        self._occurrences.append(occurrences.DatabaseLost())

    def _stand_down(self) -> None:
        self._reporter.say(Event.STOOD_DOWN, epoch="another's")
        self._unwatch_database()
        self._session.lose(psycopg.OperationalError("another daemon leads"))
        self._occurrences.append(occurrences.Displaced())
