"""The daemon: one thread, one selector. Wait → decide → perform, and again.

It never loads libsane and never touches the NAS: children do (`crew`). It only decides (`decide`), reads and
writes rows (`link`, `store`), and looks at the local disk (`spool`).
"""

from __future__ import annotations

import os
import selectors
import signal
import socket
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg

from scand import __version__, systemd
from scand.crew import Crew
from scand.decide import decide
from scand.errors import ScandError
from scand.link import Link, Standing
from scand.lock import StagingLock
from scand.messages import Event
from scand.perform import Performer
from scand.status import status_line
from scand.view import (
    Configured,
    DatabaseLost,
    Displaced,
    Exit,
    Limits,
    Look,
    LookDue,
    Occurrence,
    ScanAsked,
    StopAsked,
    Tick,
    View,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from scand.config import Config
    from scand.database import Connection
    from scand.jobs import Status
    from scand.journal import Journal
    from scand.spool import Spool

_LONGEST_WAIT = 0.5
"""Seconds between two turns of the loop when nothing happens: deadlines of children are judged at each turn."""


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
        commits=config.commit.by != "client",
    )


class Agent:
    """The daemon's loop. `run` returns when it was told to stop and everything that had to be is done."""

    def __init__(self, around: Surroundings) -> None:
        self._around, self._journal = around, around.journal
        self._selector = selectors.DefaultSelector()
        self._awake, self._wakes = socket.socketpair()
        for end in (self._awake, self._wakes):
            end.setblocking(False)
        self._selector.register(self._awake, selectors.EVENT_READ, "wake")
        self._lock = StagingLock(around.spool.root)
        self._crew = Crew(self._selector, self._journal, self._lock.fileno())
        self._link = Link(around.opener, self._lock, self._wake)
        self._performer = Performer(around.config, around.spool, self._crew, self._journal)
        self._view = View(limits(around.config), Look())
        self._occurrences: deque[Occurrence] = deque()
        self._signals: deque[signal.Signals] = deque()
        self._listening: int | None = None
        self._next_look = self._next_heartbeat = 0.0
        self._told: tuple[int, Status, str | None] | None = None
        self._standing: tuple[Standing, str] | None = None
        self._status = ""
        self._leaving = False

    def run(self) -> None:
        """Until SIGTERM or SIGINT.

        Raises:
            ConfigError: the database is not what it must be; trying again is no use.
        """
        self._journal.say(
            Event.DAEMON_STARTED, version=__version__, pid=os.getpid(), path=self._performer.config.path
        )
        self._take_signals()
        try:
            while not self._leaving:
                self._turn()
        finally:
            systemd.notify("STOPPING=1")
            self._crew.dismiss()
            self._link.close()
            self._journal.say(Event.DAEMON_STOPPED)

    def _turn(self) -> None:
        self._wait()
        self._serve()
        self._occurrences.append(Tick())
        while self._occurrences and not self._leaving:
            self._step(self._occurrences.popleft())
        self._beat()
        self._tell()

    # Wait.

    def _take_signals(self) -> None:
        signal.set_wakeup_fd(self._wakes.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1):
            signal.signal(number, lambda number, _frame: self._signals.append(signal.Signals(number)))

    def _wake(self) -> None:
        with suppress(BlockingIOError):  # then it is full of wakes already
            self._wakes.send(b"\0")

    def _wait(self) -> None:
        self._watch_database()
        now = time.monotonic()
        due = min(self._link.due(), self._next_look if self._link.store else now + _LONGEST_WAIT)
        timeout = 0 if self._occurrences else max(0.0, min(due - now, _LONGEST_WAIT))
        for key, _events in self._selector.select(timeout):
            match key.data:
                case "wake":
                    self._drain()
                case "database":
                    self._next_look = 0.0  # a hint, or the end of the session: the next look tells which
                case role:
                    self._occurrences.extend(self._crew.hear(role))
        while self._signals:
            self._occurrences.extend(self._signaled(self._signals.popleft()))

    def _drain(self) -> None:
        with suppress(BlockingIOError):
            while self._awake.recv(4096):
                pass

    def _watch_database(self) -> None:
        """The session's socket is in the selector while there is a session."""
        fd = self._link.fileno()
        if fd != self._listening:
            if self._listening is not None:
                self._selector.unregister(self._listening)
            if fd is not None:
                self._selector.register(fd, selectors.EVENT_READ, "database")
            self._listening = fd

    def _signaled(self, number: signal.Signals) -> Iterator[Occurrence]:
        if number is signal.SIGUSR1:
            yield ScanAsked()
        elif number is signal.SIGHUP:
            yield from self._reload()
        else:
            self._journal.say(Event.DAEMON_STOPPING, why=number.name)
            yield StopAsked()

    def _reload(self) -> Iterator[Occurrence]:
        """The config is read again; a bad one is refused as a whole, and the old one stays."""
        try:
            config = self._around.reread()
        except ScandError as error:
            self._journal.say(Event.CONFIG_REFUSED, why=error.sentence)
            return
        self._performer.config = config
        self._journal.say(Event.CONFIG_RELOADED, path=config.path)
        yield Configured(limits(config))

    # Serve: the session, hints, the poll, the heartbeat.

    def _serve(self) -> None:
        if self._link.turn() and (store := self._link.store):
            self._next_look = self._next_heartbeat = 0.0
            self._journal.say(Event.ELECTED, epoch=store.epoch)
            try:
                self._performer.elected(store)
            except psycopg.Error as error:
                self._lost(error)
        if self._link.standing is Standing.WAITING and self._view.serving:
            self._occurrences.append(Displaced())
        self._crew.reap()
        store, now = self._link.store, time.monotonic()
        if store is None:
            return
        try:
            if store.hints() or now >= self._next_look:
                self._next_look = now + self._performer.config.agent.poll
                self._occurrences.append(LookDue())
        except psycopg.Error as error:
            self._lost(error)

    def _beat(self) -> None:
        """The heartbeat: every few seconds, and at once when the job is another or has moved."""
        store, job, now = self._link.store, self._view.look.job, time.monotonic()
        doing = (job.id, job.status, job.error_code) if job else None
        if store is None or (now < self._next_heartbeat and doing == self._told):
            return
        self._next_heartbeat, self._told = now + self._performer.config.agent.heartbeat, doing
        try:
            alive = store.heartbeat(
                job_id=job.id if job else None,
                state=status_line(self._view),
                ready=self._view.serving and not self._view.stopping,
                device=self._view.device or None,
            )
        except psycopg.Error as error:
            self._lost(error)
        else:
            if not alive:
                self._stand_down()

    # Decide and perform.

    def _step(self, occurrence: Occurrence) -> None:
        self._view, intents = decide(self._view, occurrence, time.monotonic())
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

        Or it did not break, and the database refused a statement: then the next look tries again.
        """
        store = self._link.store
        if store is not None and not store.connection.closed:
            self._journal.say(Event.UNEXPECTED, why=f"the database refuses: {error}")
            return
        self._watch_nothing()
        self._link.lose(error)
        self._occurrences.append(DatabaseLost())

    def _stand_down(self) -> None:
        self._journal.say(Event.STOOD_DOWN, epoch="another's")
        self._watch_nothing()
        self._link.lose(psycopg.OperationalError("another daemon leads"))
        self._occurrences.append(Displaced())

    def _watch_nothing(self) -> None:
        if self._listening is not None:
            self._selector.unregister(self._listening)
            self._listening = None

    # Tell.

    def _tell(self) -> None:
        """Log a change of standing once, and keep systemd's STATUS right."""
        standing = (self._link.standing, self._link.trouble)
        if standing != self._standing:
            former, self._standing = self._standing, standing
            if standing[0] is Standing.WAITING:
                self._journal.say(Event.WAITING_FOR_LOCK, what="the lead", who=standing[1])
            elif standing[0] is Standing.AWAY and former and former[0] is not Standing.AWAY:
                self._journal.say(Event.DATABASE_AWAY, why=standing[1])
            elif standing[0] is Standing.AWAY and former:
                self._journal.say(Event.WAITING_FOR_DATABASE, why=standing[1])
        status = {
            Standing.LEADING: status_line(self._view),
            Standing.WAITING: f"waiting: {standing[1]} has the lead",
            Standing.AWAY: f"waiting for the database: {standing[1]}",
        }[standing[0]]
        lines = ["WATCHDOG=1"]
        if status != self._status and (standing[0] is not Standing.AWAY or standing[1] != "connecting"):
            lines += [f"STATUS={status}"] if self._status else ["READY=1", f"STATUS={status}"]
            self._status = status
        systemd.notify(*lines)
