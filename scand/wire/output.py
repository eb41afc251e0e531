"""What a driver prints on stdout and stderr, as lines for the log.

The pipe is always read empty, so that a driver never blocks in a write. Only a little is kept: long lines are cut,
and lines beyond a number a second are dropped and counted.
"""

from __future__ import annotations

import os

PIPE_SIZE = 65536
"""Bytes read in one call: what a pipe holds. A driver that prints without end must not take up all of our time."""

LONGEST = 1000
"""Bytes of a line that are kept."""

LINES_A_SECOND = 100
"""Lines that are returned in one second; the rest are counted."""


class Output:
    """One stream of a child, stdout or stderr.

    Args:
        fd: the end of the pipe that is read here. It is made non-blocking; closing it is the caller's part.

    Attributes:
        fd: as given.
        ended: the pipe has reached end of file.
    """

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.ended = False
        self._incomplete = b""
        self._second = self._returned = self._dropped = 0
        os.set_blocking(fd, False)

    def lines(self, now: float, *, last: bool = False) -> list[str]:
        """The lines that came since the last call, without control characters.

        Args:
            now: `monotonic()` seconds.
            last: nothing more will come: an incomplete last line counts, too.
        """
        *whole, self._incomplete = (self._incomplete + self._read()).split(b"\n")
        if last or self.ended:
            whole, self._incomplete = [*whole, self._incomplete], b""
        self._incomplete = self._incomplete[:LONGEST]
        found: list[str] = []
        if int(now) != self._second or last:
            found += [f"({self._dropped} more lines)"] * bool(self._dropped)
            self._second, self._returned, self._dropped = int(now), 0, 0
        printable = [line for line in map(_printable, whole) if line]
        left = LINES_A_SECOND - self._returned
        self._returned += len(printable[:left])
        self._dropped += len(printable[left:])
        return found + printable[:left]

    def _read(self) -> bytes:
        try:
            data = os.read(self.fd, PIPE_SIZE)
        except BlockingIOError:
            return b""
        self.ended = not data
        return data


def _printable(line: bytes) -> str:
    """The line without characters that would act on a terminal."""
    text = line[:LONGEST].decode(errors="replace")
    return "".join(sign if sign.isprintable() else " " for sign in text).strip()
