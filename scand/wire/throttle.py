"""Limits how often a child says that it is alive."""

from __future__ import annotations

import time

ALIVE_EVERY = 0.25
"""Seconds between two reports `Alive` of a child that is at work."""


class Throttle:
    """Lets something happen at most once in every `ALIVE_EVERY` seconds."""

    def __init__(self) -> None:
        self._next = 0.0

    def due(self) -> bool:
        """Whether it may happen now; if so, the next time is `ALIVE_EVERY` seconds from now."""
        now = time.monotonic()
        if now < self._next:
            return False
        self._next = now + ALIVE_EVERY
        return True
