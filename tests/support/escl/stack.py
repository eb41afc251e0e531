"""The sheets in the MFP's feeder, and what becomes of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scand.simulator.side import Side

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class Stack:
    """The `loaded` sheets from `first` on, of which sheet `jam` (0: none) will jam, once; `count` to a stack.

    Before sheet `slow` (0: none) it ends the job, once, though there is paper.
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
        """Pull sheets and give their sides, until there is none or one jams (which stays in)."""
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
        """Be the person: put in again what jammed and what lies below it, or else a new stack."""
        if self.jammed:
            self.jam, self.jammed = 0, False
        else:
            self.loaded = self.count
