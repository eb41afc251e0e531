"""Timestamps as Python has them; one that Python does not have (infinity, the year 12000) becomes the nearest."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from psycopg import DataError
from psycopg.types.datetime import TimestamptzLoader

if TYPE_CHECKING:
    from psycopg.abc import Buffer

EARLIEST = datetime(1, 1, 3, tzinfo=UTC)
"""Two days within what a datetime takes, so that it can be shown in every time zone."""

LATEST = datetime(9999, 12, 29, tzinfo=UTC)
"""As EARLIEST."""


class MomentLoader(TimestamptzLoader):
    """Reads a `timestamptz`; whoever can write to the queue can write any. No row is unreadable for that."""

    def load(self, data: Buffer) -> datetime:
        """The moment, between EARLIEST and LATEST."""
        try:
            return min(max(super().load(data), EARLIEST), LATEST)
        except DataError:
            early = bytes(data).startswith(b"-") or bytes(data).endswith(b"BC")
            return EARLIEST if early else LATEST
