"""The paper: sheets that wait, the current sheet, and those that the operator has to put back. Pure.

Sheets are numbered from 1 over all stacks that were ever fed, so that no two sides have the same number.
"""

from collections import deque

from scand.simulator.side import Side
from scand.simulator.standard import Status, StatusError


class Feeder:
    """A document feeder, with one stack in it at the start.

    Args:
        stack_size: sheets in a stack.
    """

    def __init__(self, stack_size: int) -> None:
        self._stack_size = stack_size
        self._highest = 0  # the highest sheet number so far
        self._waiting: deque[int] = deque()
        self._sheet = 0  # the sheet that is being scanned
        self._sides: deque[str] = (
            deque()
        )  # its sides that are still to be scanned; empty: there is no such sheet
        self._unfinished: list[int] = []  # pulled in, but not every side was delivered
        self._stuck = Status.GOOD
        self.add(stack_size)

    @property
    def empty(self) -> bool:
        """Whether there is nothing left to scan."""
        return not self._sides and not self._waiting

    def next_side(self, sides: tuple[str, ...]) -> Side:
        """Return the side that the next start scans, or would scan if there were one more sheet.

        Args:
            sides: of each sheet, in the order in which they are scanned: "front", "back" or both.

        Raises:
            StatusError: the feeder is stuck (JAMMED, COVER_OPEN).
        """
        if self._stuck:
            raise StatusError(self._stuck)
        if self._sides:
            return Side(self._sheet, self._sides[0])
        return Side(self._waiting[0] if self._waiting else self._highest + 1, sides[0])

    def pull(self, sides: tuple[str, ...]) -> None:
        """Pull the next sheet in, unless the current one has another side to scan.

        Args:
            sides: of each sheet, in the order in which they are scanned.

        Raises:
            StatusError: NO_DOCS, the feeder is empty.
        """
        if self._sides:
            return
        if self.empty:
            raise StatusError(Status.NO_DOCS)
        self._sheet = self._waiting.popleft()
        self._sides.extend(sides)

    def finish_side(self, *, complete: bool) -> None:
        """End the current side; unless its image was `complete`, the sheet has to be put back."""
        self._sides.popleft()
        if not complete:
            self._mark_unfinished(self._sheet)

    def stop(self) -> None:
        """Eject the current sheet, if there is one; it has to be put back."""
        if self._sides:
            self._mark_unfinished(self._sheet)
        self._sides.clear()

    def jam(self, status: Status) -> None:
        """Stop, and refuse every start with `status` until the feeder is reloaded."""
        self.stop()
        self._stuck = status

    def lay_on_glass(self) -> Side:
        """Lay a new sheet on the glass, and return its upper side."""
        self._highest += 1
        return Side(self._highest, "front")

    def add(self, count: int) -> None:
        """Put `count` new sheets below what is left."""
        self._waiting.extend(range(self._highest + 1, self._highest + count + 1))
        self._highest += count

    def execute(self, command: str) -> None:
        """Carry out one command of the operator.

        Args:
            command: "" reloads: it clears a jam and puts unfinished sheets back in front of those that wait; only
                if none are left does a new stack go in. "12" does the same and puts 12 new sheets below. "from 7"
                loads the sheets from number 7 on, wherever they are, and nothing else. "empty" takes out all
                sheets.

        Raises:
            ValueError: it is another command.
        """
        match command.split():
            case []:
                self._load_unfinished()
                if not self._waiting:
                    self.add(self._stack_size)
            case [count] if count.isdecimal():
                self._load_unfinished()
                self.add(int(count))
            case ["empty"]:
                self.stop()
                self._load_unfinished()
                self._waiting.clear()
            case ["from", sheet] if sheet.isdecimal() and 1 <= int(sheet) <= self._highest:
                self.stop()
                self._load_unfinished()
                self._waiting = deque(range(int(sheet), self._highest + 1))
            case _:
                raise ValueError(
                    f'the feeder cannot execute {command!r}: say nothing, or as in "12", "from 7" or "empty"'
                )

    def _mark_unfinished(self, sheet: int) -> None:
        if sheet not in self._unfinished:
            self._unfinished.append(sheet)

    def _load_unfinished(self) -> None:
        self._stuck = Status.GOOD
        self._waiting.extendleft(reversed(self._unfinished))
        self._unfinished.clear()
