"""The sheets in the MFP's feeder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scand.simulator.side import Side

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class Stack:
    """The sheets that lie in the feeder.

    Attributes:
        first: the number of the first one.
        count: sheets in a new stack.
        loaded: how many there are.
        jam: the number of the sheet that jams, once; 0: none.
        slow: the sheet before which it ends the job, once, although there is paper; 0: none.
        jammed: whether a sheet is jammed now.
    """

    first: int
    count: int
    loaded: int
    jam: int = 0
    slow: int = 0
    jammed: bool = False

    @property
    def state(self) -> str:
        """The AdfState of ScannerStatus."""
        if self.jammed:
            return "ScannerAdfJam"
        return "ScannerAdfLoaded" if self.loaded else "ScannerAdfEmpty"

    def sides(self, *, duplex: bool) -> Iterator[Side]:
        """Pull sheets and yield their sides, until the feeder is empty or a sheet jams, which then stays in."""
        while self.loaded:
            if self.first == self.jam:
                self.jammed = True
                return
            if self.first == self.slow:
                self.slow = 0
                return
            sheet = self.first
            self.first, self.loaded = sheet + 1, self.loaded - 1
            yield Side(sheet, "front")
            if duplex:
                yield Side(sheet, "back")

    def reload(self) -> None:
        """Load what jammed and what lies below it, or else a new stack."""
        if self.jammed:
            self.jam, self.jammed = 0, False
        else:
            self.loaded = self.count
