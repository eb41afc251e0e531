"""The daemon's children as processes: at most one feeder and one courier, and those that are stuck.

What they say and how they end comes out as occurrences; nothing is decided here.
"""

from __future__ import annotations

import selectors
from typing import TYPE_CHECKING

from pydantic import ValidationError

from scand.child import Child, clean_environment
from scand.messages import Event
from scand.view import CourierEnded, CourierSaid, FeederEnded, FeederSaid, Occurrence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import BaseModel

    from scand.teller import Teller

FEEDER, COURIER = "scand.feeder", "scand.courier"


class Crew:
    """The children, and their descriptors in the daemon's selector.

    Args:
        lock: the descriptor of the staging lock, which the feeder holds with the daemon.
    """

    def __init__(self, selector: selectors.BaseSelector, teller: Teller, lock: int) -> None:
        self._selector, self._teller, self._lock = selector, teller, lock
        self._children: dict[str, Child] = {}
        self._leaving: list[Child] = []
        self._stuck: list[Child] = []

    def start(self, role: str) -> None:
        """Spawn the feeder or a courier.

        Raises:
            OSError: the machine has no room for another process.
        """
        child = Child(role, clean_environment(), (self._lock,) if role == FEEDER else ())
        self._children[role] = child
        for fd in (child.socket.fileno(), child.pidfd, *child.noise.values()):
            self._selector.register(fd, selectors.EVENT_READ, role)

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
            (self._stuck if role == COURIER else self._leaving).append(child)
            yield _ended(role, "killed, but stuck in the kernel")

    def retire(self, role: str) -> None:
        """Close its socket: it puts its things in order and goes. Whatever it would still say is not heard."""
        if (child := self._children.pop(role, None)) is not None:
            self._forget(child)
            child.hang_up()
            self._leaving.append(child)

    def stuck(self) -> bool:
        """Whether a courier that was left behind still has not ended: the NAS still hangs."""
        self._stuck = _still_there(self._stuck)
        return bool(self._stuck)

    def reap(self) -> None:
        """Take note of the end of those that were let go."""
        self._leaving = _still_there(self._leaving)

    def hear(self, role: str) -> Iterator[Occurrence]:
        """What a child has said, and whether it has ended; called when one of its descriptors is readable."""
        child = self._children.get(role)
        if child is None:
            return
        ended = child.ended()  # asked first: what it said before its end is then all there to be read
        try:
            for report in child.reports():
                yield FeederSaid(report) if role == FEEDER else CourierSaid(report)
        except ValidationError as error:
            self._teller.say(Event.UNEXPECTED, why=f"{role} speaks another language: {error}")
            child.kill()
        for stream, line in child.noises():
            self._teller.say(Event.DRIVER_NOISE, text=line, source=f"{role} {stream}")
        if ended is not None:
            del self._children[role]
            self._forget(child)
            child.close()
            yield _ended(role, f"signal {-ended}" if ended < 0 else f"exit status {ended}")

    def dismiss(self) -> None:
        """Kill and reap all: the daemon leaves."""
        for child in self._children.values():
            self._forget(child)
        for child in [*self._children.values(), *self._leaving, *self._stuck]:
            child.kill()
            child.reap(timeout=2.0)
            child.close()
        self._children.clear()
        self._leaving, self._stuck = [], []

    def _forget(self, child: Child) -> None:
        for fd in (child.socket.fileno(), child.pidfd, *child.noise.values()):
            self._selector.unregister(fd)


def _ended(role: str, how: str) -> Occurrence:
    return FeederEnded(how) if role == FEEDER else CourierEnded(how)


def _still_there(children: list[Child]) -> list[Child]:
    left = []
    for child in children:
        if child.ended() is None:
            left.append(child)
        else:
            child.close()
    return left
