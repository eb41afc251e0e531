"""The paper: sheets that wait, the one under way, and those that a person has to put back; pure.

Sheets are numbers, from 1 on over all stacks that were ever fed, so that no two sides have the same number.
"""

from collections import deque

from scand.simulator.side import Side
from scand.simulator.standard import Status, StatusError


class Feeder:
    """A document feeder; a stack has `stack` sheets, and the first one lies in it."""

    def __init__(self, stack: int) -> None:
        self._stack = stack
        self._known = 0  # the highest sheet number given so far
        self._waiting: deque[int] = deque()
        self._sheet = 0  # the sheet under way
        self._sides: deque[str] = deque()  # what is still to be scanned of it; empty: none is under way
        self._unfinished: list[int] = []  # went in, but not every side came out
        self._stuck = Status.GOOD
        self.add(stack)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to pull."""
        return not self._sides and not self._waiting

    def next_side(self, sides: tuple[str, ...]) -> Side:
        """Say which side the next start will scan, or would if there were one more sheet.

        Raises StatusError while the feeder is stuck (JAMMED, COVER_OPEN).
        """
        if self._stuck:
            raise StatusError(self._stuck)
        if self._sides:
            return Side(self._sheet, self._sides[0])
        return Side(self._waiting[0] if self._waiting else self._known + 1, sides[0])

    def pull(self, sides: tuple[str, ...]) -> None:
        """Bring the next side under the lamp; raises StatusError(NO_DOCS) with an empty feeder."""
        if self._sides:
            return
        if self.empty:
            raise StatusError(Status.NO_DOCS)
        self._sheet = self._waiting.popleft()
        self._sides.extend(sides)

    def pass_side(self, *, whole: bool) -> None:
        """Let the side under the lamp go by; where its image was not `whole`, the sheet is to be put back."""
        self._sides.popleft()
        if not whole:
            self._to_put_back(self._sheet)

    def stop(self) -> None:
        """Throw out the sheet under way, if there is one; it is to be put back."""
        if self._sides:
            self._to_put_back(self._sheet)
        self._sides.clear()

    def jam(self, status: Status) -> None:
        """Stop, and refuse to go on with `status` until a person has been there."""
        self.stop()
        self._stuck = status

    def lay(self) -> Side:
        """Lay a new sheet on the glass."""
        self._known += 1
        return Side(self._known, "front")

    def add(self, count: int) -> None:
        """Put so many new sheets below what is left."""
        self._waiting.extend(range(self._known + 1, self._known + count + 1))
        self._known += count

    def follow(self, wish: str) -> None:
        """Do what a person is told: "" reload, "12" add so many sheets, "from 7" go again from sheet 7 on.

        Reloading clears a jam, and puts the sheets that did not go through whole back before those that wait;
        only where none are left does a new stack go in. Adding does the same, and puts the new sheets below
        what is left. "from" takes the sheets from that one on, wherever they are, and nothing else.

        Raises ValueError for any other wish.
        """
        match wish.split():
            case []:
                self._put_back()
                if not self._waiting:
                    self.add(self._stack)
            case [count] if count.isdecimal():
                self._put_back()
                self.add(int(count))
            case ["from", sheet] if sheet.isdecimal() and 1 <= int(sheet) <= self._known:
                self.stop()
                self._put_back()
                self._waiting = deque(range(int(sheet), self._known + 1))
            case _:
                raise ValueError(
                    f'the feeder cannot follow {wish!r}: say nothing, or as in "12", or "from 7"'
                )

    def _to_put_back(self, sheet: int) -> None:
        if sheet not in self._unfinished:
            self._unfinished.append(sheet)

    def _put_back(self) -> None:
        self._stuck = Status.GOOD
        self._waiting.extendleft(reversed(self._unfinished))
        self._unfinished.clear()
