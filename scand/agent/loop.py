"""The daemon: one thread, one selector. Wait → decide → perform, and again.

It never loads libsane and never touches the NAS: children do (`crew`). It only decides (`decide`), reads and
writes rows (`link`, `store`), and looks at the local disk (`spool`).
"""

from __future__ import annotations

import os
import selectors
import signal
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg

from scand import __version__
from scand.agent.children import Crew
from scand.agent.lock import StagingLock
from scand.agent.log.events import Event
from scand.agent.log.narrate import narrate
from scand.agent.log.reporter import Teller
from scand.agent.log.standing import Herald
from scand.agent.log.status import status_line
from scand.agent.perform import Performer
from scand.agent.reload import LiveConfig
from scand.agent.session import Link, Standing
from scand.agent.wakeup import Wakes
from scand.decide import decide
from scand.decide.actions import Exit
from scand.decide.occurrences import (
    Configured,
    DatabaseLost,
    Displaced,
    LookDue,
    Occurrence,
    ScanAsked,
    StopAsked,
    Tick,
)
from scand.decide.state import Limits, Look, View
from scand.decide.timeouts import ASK_EVERY

if TYPE_CHECKING:
    from collections.abc import Callable

    from scand.agent.log.journal import Journal
    from scand.config import Config
    from scand.queue.connection import Connection
    from scand.spool.directories import Spool

_LONGEST_WAIT = 0.5
"""Seconds between two turns of the loop when nothing happens: deadlines of children are judged at each turn."""

_MOST_STEPS = 200
"""Steps in one turn: whatever goes round in circles must not keep signals, children and heartbeat out."""

_FIRST_QUESTIONS = 2.0
"""Seconds after the start when an idle agent first asks whether scanner and NAS are there."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the daemon is started with.

    Attributes:
        config: as read at the start.
        reread: the config read again; raises ConfigError when it is bad.
        opener: see `link.Link`.
    """

    config: Config
    reread: Callable[[], Config]
    opener: Callable[[], Connection]
    spool: Spool
    journal: Journal


def limits(config: Config) -> Limits:
    """What deciding needs of the config."""
    return Limits(
        page_timeout=config.scanner.page_timeout,
        ready_timeout=config.agent.ready_timeout,
        preview_timeout=config.agent.preview_timeout,
        keep=config.staging.keep,
        commits=config.commit.by != "client",
        scanner=config.scanner.device,
    )


class Agent:
    """The daemon's loop. `run` returns when it was told to stop and everything that had to be is done."""

    def __init__(self, around: Surroundings) -> None:
        config = around.config
        self._teller = Teller(around.journal, config.hooks.on_event)
        self._config = LiveConfig(config, around.reread, self._teller)
        self._selector = selectors.DefaultSelector()
        self._wakes = Wakes()
        self._selector.register(self._wakes, selectors.EVENT_READ, "wake")
        lock = StagingLock(around.spool.root)
        self._crew = Crew(self._selector, self._teller, lock.fileno())
        self._link = Link(around.opener, lock, self._wakes.wake)
        self._performer = Performer(self._config, around.spool, self._crew, self._teller)
        self._herald = Herald(self._teller)
        asked = time.monotonic() + _FIRST_QUESTIONS - ASK_EVERY
        self._view = View(limits(config), Look(), found_at=asked, checked_at=asked, swept_at=asked)
        self._occurrences: deque[Occurrence] = deque()
        self._listening: int | None = None
        self._next_look = self._next_heartbeat = self._listened = 0.0
        self._beaten: tuple[object, ...] = ()
        self._refusal = ""
        self._leaving = False

    def run(self) -> None:
        """Until SIGTERM or SIGINT.

        Raises:
            ConfigError: the database is not what it must be; trying again is no use.
        """
        path = self._config.now.path
        self._teller.say(Event.DAEMON_STARTED, version=__version__, pid=os.getpid(), path=path)
        self._wakes.take_signals()
        self._config.watch(self._wakes.wake)
        try:
            while not self._leaving:
                self._turn()
        finally:
            self._teller.stopping()
            self._config.close()
            self._crew.dismiss()
            self._link.close()
            self._teller.say(Event.DAEMON_STOPPED)

    def _turn(self) -> None:
        self._wait()
        self._serve()
        self._occurrences.append(Tick(self._listened))
        for _ in range(_MOST_STEPS):
            if self._leaving or not self._occurrences:
                break
            self._step(self._occurrences.popleft())
        self._beat()
        self._herald.turn(self._link.standing, self._link.trouble, self._view, self._config.refused)

    # Wait.

    def _wait(self) -> None:
        self._watch_database()
        now = time.monotonic()
        due = min(self._link.due(), self._next_look if self._link.store else now + _LONGEST_WAIT)
        timeout = 0 if self._occurrences else max(0.0, min(due - now, _LONGEST_WAIT))
        ready = self._selector.select(timeout)
        self._listened = time.monotonic()
        for key, _events in ready:
            match key.data:
                case "wake":
                    self._wakes.drain()
                case "database":
                    self._next_look = 0.0  # a hint, or the end of the session: the next look tells which
                case role:
                    self._occurrences.extend(self._crew.hear(role))
        for number in self._wakes.signals():
            self._signaled(number)
        if self._config.changed():
            self._reload(asked=False)

    def _watch_database(self) -> None:
        """The session's socket is in the selector while there is a session."""
        fd = self._link.fileno()
        if fd != self._listening:
            self._watch_nothing()
            if fd is not None:
                self._selector.register(fd, selectors.EVENT_READ, "database")
            self._listening = fd

    def _watch_nothing(self) -> None:
        if self._listening is not None:
            self._selector.unregister(self._listening)
            self._listening = None

    def _signaled(self, number: signal.Signals) -> None:
        if number is signal.SIGUSR1:
            self._occurrences.append(ScanAsked())
        elif number is signal.SIGHUP:
            self._reload()
        else:
            self._teller.say(Event.DAEMON_STOPPING, why=number.name)
            self._teller.stopping()
            self._occurrences.append(StopAsked())

    def _reload(self, *, asked: bool = True) -> None:
        """What is performed from now on goes by the new config, so it is decided on before all else that waits."""
        if self._config.reload(asked=asked):
            self._occurrences.appendleft(Configured(limits(self._config.now)))

    # Serve: the session, hints, the poll.

    def _serve(self) -> None:
        if self._link.turn() and (store := self._link.store):
            self._next_look = self._next_heartbeat = 0.0
            self._teller.say(Event.ELECTED, epoch=store.epoch)
            try:
                self._performer.elected(store)
            except psycopg.Error as error:
                self._drop_session(error)  # not knowing which database this is, nothing may be decided
        if self._link.standing is Standing.WAITING:
            self._occurrences.append(Displaced())  # whatever its children still do, it is another's
        self._crew.reap()
        store, now = self._link.store, time.monotonic()
        if store is None:
            return
        try:
            if store.hints() or now >= self._next_look:
                self._next_look = now + self._config.now.agent.poll
                self._occurrences.append(LookDue())
        except psycopg.Error as error:
            self._lost(error)

    def _beat(self) -> None:
        """The heartbeat: every few seconds, and at once when a job, scanner or NAS has come, gone or moved."""
        view, store, now = self._view, self._link.store, time.monotonic()
        job = view.look.job
        at = (job.id, job.status, job.error_code) if job else ()
        doing = (view.ready, view.scanner_trouble is None, view.nas_trouble is None, *at)
        if store is None or (now < self._next_heartbeat and doing == self._beaten):
            return
        self._next_heartbeat, self._beaten = now + self._config.now.agent.heartbeat, doing
        try:
            alive = store.heartbeat(
                job_id=job.id if job else None,
                state=status_line(view, now),
                ready=view.ready,
                device=view.device or None,
            )
        except psycopg.Error as error:
            self._lost(error)
        else:
            if not alive:
                self._stand_down()

    # Decide and perform.

    def _step(self, occurrence: Occurrence) -> None:
        before = self._view
        self._view, intents = decide(before, occurrence, time.monotonic())
        self._teller.looked(self._view.look.job)
        for event, about in narrate(before, occurrence, self._view):
            self._teller.say(event, **about)
        for intent in intents:
            if isinstance(intent, Exit):
                self._leaving = True
                return
            try:
                follow = list(self._performer.perform(intent, self._link.store))
            except psycopg.Error as error:
                self._lost(error)
                return
            if Displaced() in follow:
                self._stand_down()
                return
            self._occurrences.extendleft(reversed(follow))

    def _lost(self, error: psycopg.Error) -> None:
        """The session broke: scanning goes on to the end of the batch, and the link connects anew.

        Or it did not break, and the database refused a statement (a lock that a client holds, a full disk): the
        session is kept, and after a pause the rows are looked at again. To deciding both are an outage.
        """
        store = self._link.store
        if store is None or store.connection.closed:
            self._drop_session(error)
            return
        if str(error) != self._refusal:
            self._refusal = str(error)
            self._teller.say(Event.UNEXPECTED, why=f"the database refuses: {error}")
        self._next_look = time.monotonic() + self._config.now.agent.poll
        self._occurrences.append(DatabaseLost())

    def _drop_session(self, error: psycopg.Error) -> None:
        self._watch_nothing()
        self._link.lose(error)
        self._occurrences.append(DatabaseLost())

    def _stand_down(self) -> None:
        self._teller.say(Event.STOOD_DOWN, epoch="another's")
        self._watch_nothing()
        self._link.lose(psycopg.OperationalError("another daemon leads"))
        self._occurrences.append(Displaced())
