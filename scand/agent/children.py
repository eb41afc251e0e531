"""The daemon's children as processes: at most one feeder, one courier, which also waits, and those that are stuck.

What they say and how they end comes out as occurrences; nothing is decided here.
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


GOING = 10.0
"""Seconds that a feeder which was let go has to close its device."""


class Children:
    """The children, and their descriptors in the daemon's selector.

    Args:
        lock: the descriptor of the staging lock, which the feeder holds with the daemon.
        waiting: seconds that a courier waits for another task when there is no feeder that will bring one.
    """

    def __init__(
        self, selector: selectors.BaseSelector, reporter: Reporter, lock: int, waiting: float = 15.0
    ) -> None:
        self._selector, self._reporter, self._lock, self._waiting = selector, reporter, lock, waiting
        self._children: dict[str, Child] = {}
        self._watched: set[int] = set()
        self._leaving: list[tuple[Child, float]] = []
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
        """From now on a courier waits for its task: loading its modules takes longer than binding 10 pages."""
        self._spare_since = time.monotonic()
        if self._spare is None and COURIER not in self._children:
            with suppress(OSError):
                self._spare = Child(COURIER, clean_environment())

    def tell(self, role: str, command: BaseModel) -> None:
        """Say something to it, if it is there."""
        if role in self._children:
            self._children[role].say(command)

    def kill(self, role: str) -> None:
        """SIGKILL; its end comes as an occurrence."""
        if role in self._children:
            self._children[role].kill()

    def abandon(self, role: str) -> Iterator[Occurrence]:
        """Go on without a child that was killed and does not end."""
        if (child := self._children.pop(role, None)) is not None:
            self._forget(child)
            if role == COURIER:
                self._stuck.append(child)
            else:
                self._leaving.append((child, time.monotonic()))
            yield _ended(role, "killed, but stuck in the kernel")

    def retire(self, role: str) -> None:
        """Close its socket: it puts its things in order and goes. Whatever it would still say is not heard."""
        if (child := self._children.pop(role, None)) is not None:
            self._forget(child)
            child.hang_up()
            self._leaving.append((child, time.monotonic() + GOING))

    def _release_spare(self) -> None:
        if (spare := self._spare) is not None:
            self._spare = None
            spare.hang_up()
            self._leaving.append((spare, time.monotonic() + GOING))

    def _tell_noises(self, child: Child, *, last: bool = False) -> None:
        for stream, line in child.printed(last=last):
            self._reporter.say(Event.DRIVER_NOISE, text=line, source=f"{child.module} {stream}")

    def stuck(self) -> bool:
        """Whether a courier that was left behind still has not ended: the NAS still hangs."""
        for child in [child for child in self._stuck if child.ended() is not None]:
            self._stuck.remove(child)
            child.close()
        return bool(self._stuck)

    def reap(self) -> None:
        """Take note of the end of those that were let go; one that hangs in its driver is killed."""
        if FEEDER not in self._children and time.monotonic() - self._spare_since > self._waiting:
            self._release_spare()
        left = []
        for child, deadline in self._leaving:
            ended = child.ended() is not None
            self._tell_noises(child, last=ended)  # nor may a full pipe keep it from going
            if ended:
                child.close()
                continue
            if time.monotonic() > deadline:
                child.kill()
            left.append((child, deadline))
        self._leaving = left

    def hear(self, role: str) -> Iterator[Occurrence]:
        """What a child has said, and whether it has ended; called when one of its descriptors is readable."""
        child = self._children.get(role)
        if child is None:
            return
        ended = child.ended()  # asked first: what it said before its end is then all there to be read
        back = False
        try:
            for report in child.reports():
                back = role == COURIER and isinstance(report, wire.Idle)
                yield FeederSaid(report) if role == FEEDER else CourierSaid(report)
        except ValidationError as error:
            self._reporter.say(Event.UNEXPECTED, why=f"{role} speaks another language: {error}")
            child.kill()
        self._tell_noises(child, last=ended is not None)
        for fd in child.at_eof():  # a driver may close its stdout; readable for ever, it would keep us awake
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
        elif back and not child.killed:  # else it is dying, and its end is told when it has ended
            del self._children[role]
            self._forget(child)
            self._spare, self._spare_since = child, time.monotonic()
            yield _ended(role, "done")

    def dismiss(self) -> None:
        """Kill and reap all: the daemon leaves."""
        for child in self._children.values():
            self._forget(child)
        self._release_spare()
        leaving = [child for child, _deadline in self._leaving]
        for child in [*self._children.values(), *leaving, *self._stuck]:
            child.kill()
            child.reap(timeout=2.0)
            child.close()
        self._children.clear()
        self._leaving, self._stuck = [], []

    def _forget(self, child: Child) -> None:
        for fd in self._watched.intersection(child.descriptors()):
            self._watched.remove(fd)
            self._selector.unregister(fd)


def _ended(role: str, how: str) -> Occurrence:
    return FeederEnded(how) if role == FEEDER else CourierEnded(how)
