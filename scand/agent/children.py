"""The daemon's child processes.

There are at most one feeder, one courier at work and one that waits for its next task; and children that were let
go, or are stuck in the kernel. What they report and how they end become occurrences; nothing is decided here.
"""

from __future__ import annotations

import selectors
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from pydantic import ValidationError

from scand import wire
from scand.agent.log.events import Event
from scand.decide.occurrences import CourierEnded, CourierSaid, FeederEnded, FeederSaid, Occurrence
from scand.wire.child import COURIER, FEEDER, Child, clean_environment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import BaseModel

    from scand.agent.log.reporter import Reporter


CLOSING_TIME = 10.0
"""Seconds that a child has to end after its socket was closed (a feeder closes its device); then it is killed."""


class Children:
    """The children, and their descriptors in the daemon's selector.

    Args:
        selector: their descriptors are registered there, with the role as data.
        reporter: for what drivers print.
        lock: the descriptor of the staging lock, which the feeder holds with the daemon.
        waiting: seconds for which a courier waits for another task while there is no feeder.
    """

    def __init__(
        self, selector: selectors.BaseSelector, reporter: Reporter, lock: int, waiting: float = 15.0
    ) -> None:
        self._selector, self._reporter, self._lock, self._waiting = selector, reporter, lock, waiting
        self._children: dict[str, Child] = {}
        self._watched: set[int] = set()
        self._let_go: list[tuple[Child, float]] = []
        self._stuck: list[Child] = []
        self._spare: Child | None = None
        self._spare_since = 0.0

    def start(self, role: str) -> None:
        """Spawn the feeder or a courier; or take the courier that was prepared.

        Raises:
            OSError: the machine has no room for another process.
        """
        spare = self._spare if role == COURIER else None
        if spare is not None:
            self._spare = None
            if spare.ended() is not None:
                spare.close()
                spare = None
        child = spare or Child(role, clean_environment(), (self._lock,) if role == FEEDER else ())
        self._children[role] = child
        for fd in child.descriptors():
            self._selector.register(fd, selectors.EVENT_READ, role)
            self._watched.add(fd)

    def prepare(self) -> None:
        """Have a courier wait for its task from now on: loading its modules takes longer than binding 10 pages."""
        self._spare_since = time.monotonic()
        if self._spare is None and COURIER not in self._children:
            with suppress(OSError):
                self._spare = Child(COURIER, clean_environment())

    def tell(self, role: str, command: BaseModel) -> None:
        """Send a command to a child, if there is one."""
        if role in self._children:
            self._children[role].say(command)

    def kill(self, role: str) -> None:
        """Send SIGKILL; the end comes as an occurrence, by `hear` or `abandon`."""
        if role in self._children:
            self._children[role].kill()

    def abandon(self, role: str) -> Iterator[Occurrence]:
        """Go on without a child that was killed and does not end; one that was never started has ended, too."""
        if (child := self._children.pop(role, None)) is None:
            yield _ended(role, "it was never started")
            return
        self._forget(child)
        if role == COURIER:
            self._stuck.append(child)
        else:
            self._let_go.append((child, time.monotonic()))
        yield _ended(role, "killed, but stuck in the kernel")

    def retire(self, role: str) -> None:
        """Close the child's socket, upon which it cleans up and ends. Nothing that it still reports is heard."""
        if (child := self._children.pop(role, None)) is not None:
            self._forget(child)
            child.hang_up()
            self._let_go.append((child, time.monotonic() + CLOSING_TIME))

    def _release_spare(self) -> None:
        if (spare := self._spare) is not None:
            self._spare = None
            spare.hang_up()
            self._let_go.append((spare, time.monotonic() + CLOSING_TIME))

    def _log_output(self, child: Child, *, last: bool = False) -> None:
        for stream, line in child.printed(last=last):
            self._reporter.say(Event.DRIVER_NOISE, text=line, source=f"{child.module} {stream}")

    def stuck(self) -> bool:
        """Whether a courier that was abandoned still has not ended: the NAS still hangs."""
        for child in [child for child in self._stuck if child.ended() is not None]:
            self._stuck.remove(child)
            child.close()
        return bool(self._stuck)

    def reap(self) -> None:
        """Reap children that were let go and have ended; kill those that take longer than CLOSING_TIME."""
        if FEEDER not in self._children and time.monotonic() - self._spare_since > self._waiting:
            self._release_spare()
        left = []
        for child, deadline in self._let_go:
            ended = child.ended() is not None
            self._log_output(child, last=ended)  # also while it ends: a full pipe would keep it from ending
            if ended:
                child.close()
                continue
            if time.monotonic() > deadline:
                child.kill()
            left.append((child, deadline))
        self._let_go = left

    def hear(self, role: str) -> Iterator[Occurrence]:
        """What a child has reported, and whether it has ended; called when one of its descriptors is readable."""
        child = self._children.get(role)
        if child is None:
            return
        ended = child.ended()  # asked first: if it has ended, all that it reported can be read now
        idle = False
        try:
            for report in child.reports():
                idle = role == COURIER and isinstance(report, wire.Idle)
                yield FeederSaid(report) if role == FEEDER else CourierSaid(report)
        except ValidationError as error:
            self._reporter.say(Event.UNEXPECTED, why=f"{role} speaks another language: {error}")
            child.kill()
        self._log_output(child, last=ended is not None)
        for (
            fd
        ) in child.at_eof():  # a driver may close its stdout, which would then wake the selector for ever
            if fd in self._watched:
                self._watched.remove(fd)
                self._selector.unregister(fd)
        if ended is not None:
            del self._children[role]
            self._forget(child)
            child.close()
            if role == COURIER and FEEDER in self._children:
                self.prepare()
            yield _ended(role, f"signal {-ended}" if ended < 0 else f"exit status {ended}")
        elif idle and not child.killed:  # a killed one is dying: its end comes as an occurrence later
            del self._children[role]
            self._forget(child)
            self._spare, self._spare_since = child, time.monotonic()
            yield _ended(role, "done")

    def dismiss(self) -> None:
        """Kill and reap all children, at the end of the daemon."""
        for child in self._children.values():
            self._forget(child)
        self._release_spare()
        leaving = [child for child, _deadline in self._let_go]
        for child in [*self._children.values(), *leaving, *self._stuck]:
            child.kill()
            child.reap(timeout=2.0)
            child.close()
        self._children.clear()
        self._let_go, self._stuck = [], []

    def _forget(self, child: Child) -> None:
        for fd in self._watched.intersection(child.descriptors()):
            self._watched.remove(fd)
            self._selector.unregister(fd)


def _ended(role: str, how: str) -> Occurrence:
    return FeederEnded(how) if role == FEEDER else CourierEnded(how)
