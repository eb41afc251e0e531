"""What a driver prints, for the log: whatever it prints, it never waits for us, and we keep no more than a little.

The pipe is always emptied, so that a driver never blocks in its own words; what is too much is dropped and
counted.
"""

from __future__ import annotations

import os

PIPEFUL = 65536
"""Bytes taken in one call: what a pipe holds. One that prints without end must not keep us from all else."""

LONGEST = 1000
"""Bytes of a line that are kept."""

LINES_A_SECOND = 100


class Output:
    """One stream of a child.

    Attributes:
        fd: the end of the pipe that is read here; it is not closed here.
        ended: nothing more will come.
    """

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.ended = False
        self._begun = b""
        self._second = self._told = self._dropped = 0
        os.set_blocking(fd, False)

    def lines(self, now: float, *, last: bool = False) -> list[str]:
        """The lines that came since the last call, for people to read.

        Args:
            now: `monotonic()` seconds.
            last: nothing more is waited for: a line that was begun is a line, too.
        """
        *whole, self._begun = (self._begun + self._read()).split(b"\n")
        if last or self.ended:
            whole, self._begun = [*whole, self._begun], b""
        self._begun = self._begun[:LONGEST]
        told: list[str] = []
        if int(now) != self._second or last:
            told += [f"({self._dropped} more lines)"] * bool(self._dropped)
            self._second, self._told, self._dropped = int(now), 0, 0
        worded = [line for line in map(_worded, whole) if line]
        room = LINES_A_SECOND - self._told
        self._told += len(worded[:room])
        self._dropped += len(worded[room:])
        return told + worded[:room]

    def _read(self) -> bytes:
        try:
            data = os.read(self.fd, PIPEFUL)
        except BlockingIOError:
            return b""
        self.ended = not data
        return data


def _worded(line: bytes) -> str:
    """Without what would act on a terminal."""
    text = line[:LONGEST].decode(errors="replace")
    return "".join(sign if sign.isprintable() else " " for sign in text).strip()
