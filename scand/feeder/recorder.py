"""Makes each side safe on disk while the scanner goes on: encode in threads, record in feeding order.

The reader wants the GIL after each piece of 32 KiB, so nothing in this process may compute in Python for long:
Pillow drops the GIL while it encodes, and the rest here is system calls.
"""

from __future__ import annotations

import queue
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scand.errors import ScandError
from scand.faults import ErrorCode
from scand.feeder.blank.ink import ink
from scand.feeder.encode import Encoded, encode, image
from scand.spool.disk import disk_errors
from scand.spool.records import Page, Side

if TYPE_CHECKING:
    from collections.abc import Callable

    from scand.feeder.device import Raster
    from scand.jobs.settings import Settings
    from scand.spool.directories import BatchDirectory

ENCODERS = 2
IN_FLIGHT = 3
"""Sides between scanner and disk at once, besides the one that is read; each is about 26 MB raw at 300 dpi colour
A4, and more than twice that while it is encoded."""

_WORD_EVERY = 0.25  # seconds


@dataclass(frozen=True, slots=True)
class _Side:
    number: int
    sheet: int
    side: Side
    raster: Raster
    dpi: float
    made: Future[tuple[Encoded, bool]]


class Recorder:
    """Takes sides in feeding order; gives them back as captured pages, in the same order.

    Args:
        rooms: memory of former sides, which is used again, also by the next batch: to have the kernel find fresh
            memory, and clear it, takes as long as to read a page into it.
        directory: the batch they belong to.
        settings: format, mode and quality.
        captured: called, in the recorder's own thread, with each page once it is safe on disk.
        waiting: called now and then while the caller waits for the disk, which is no silence of the driver's.
    """

    def __init__(
        self,
        rooms: list[bytearray],
        directory: BatchDirectory,
        settings: Settings,
        captured: Callable[[Page], None],
        waiting: Callable[[], None],
    ) -> None:
        self._directory, self._settings = directory, settings
        self._captured, self._waiting = captured, waiting
        self._rooms = rooms
        self._in_flight = threading.BoundedSemaphore(IN_FLIGHT)
        self._sides: queue.SimpleQueue[_Side | None] = queue.SimpleQueue()
        self._encoders = ThreadPoolExecutor(ENCODERS, "encode")
        self._failure: ScandError | None = None
        self._thread = threading.Thread(target=self._record, name="record", daemon=True)
        self._thread.start()

    def room(self) -> bytearray:
        """Memory to read the next side into."""
        return self._rooms.pop() if self._rooms else bytearray()

    def put(self, raster: Raster, number: int, sheet: int, side: Side, dpi: float) -> None:
        """Hand over a side; waits while `IN_FLIGHT` others are not yet on disk.

        Raises:
            ScandError: an earlier side could not be written; this one is not taken.
        """
        while not self._in_flight.acquire(timeout=_WORD_EVERY):
            self._waiting()
        self.check()
        made = self._encoders.submit(self._make, raster, dpi)
        self._sides.put(_Side(number, sheet, side, raster, dpi, made))

    def check(self) -> None:
        """Raise what a side that was put earlier met.

        Raises:
            ScandError: `staging_full`, or whatever else stood in the way.
        """
        if self._failure is not None:
            raise self._failure

    def close(self) -> None:
        """Wait until every side that was put is on disk.

        Raises:
            ScandError: see `check`.
        """
        self._sides.put(None)
        while self._thread.is_alive():
            self._thread.join(_WORD_EVERY)
            self._waiting()
        self._encoders.shutdown()
        self.check()

    def _make(self, raster: Raster, dpi: float) -> tuple[Encoded, bool]:
        """The page as it goes to disk, and whether it is blank, where that is asked."""
        settings, blank = self._settings, False
        if settings.blank_pages == "drop":
            samples = raster.data if raster.depth == 8 else _unpacked(raster)
            found = ink(samples, raster.width, raster.height, raster.channels, dpi)
            blank = found < settings.blank_threshold
        try:
            encoded = encode(
                raster.data,
                raster.width,
                raster.height,
                raster.channels,
                depth=raster.depth,
                dpi=dpi,
                mode=settings.mode,
                format=settings.format,
                quality=settings.quality,
            )
        except OSError as error:  # not the disk's
            raise _not_encoded(error) from error
        return encoded, blank

    def _record(self) -> None:
        while (side := self._sides.get()) is not None:
            if self._failure is None:
                try:
                    with disk_errors():
                        self._write(side)
                except ScandError as error:
                    self._failure = error
                except Exception as error:  # noqa: BLE001 - whatever it is, the batch must end and say so
                    self._failure = _not_encoded(error)
            self._rooms.append(side.raster.room)
            self._in_flight.release()

    def _write(self, side: _Side) -> None:
        encoded, blank = side.made.result()
        page = Page(
            sheet=side.sheet,
            side=side.side,
            file=f"page-{side.number:04d}{encoded.suffix}",
            sha256=encoded.sha256,
            size=len(encoded.data),
            width=side.raster.width,
            height=side.raster.height,
            dpi=side.dpi,
            blank=blank,
        )
        self._directory.add(page, encoded.data)
        self._captured(page)


def _unpacked(raster: Raster) -> bytes:
    """A byte a pixel, as blank sides are looked for."""
    return image(raster.data, raster.width, raster.height, 1, 1).convert("L").tobytes()


def _not_encoded(error: Exception) -> ScandError:
    return ScandError(f"A page could not be encoded: {error}", ErrorCode.DEVICE_ERROR)
