"""Makes each side safe on disk while the scanner goes on: encodes in threads, records in feeding order.

The reader needs the GIL after each chunk of 32 KiB, so nothing in this process may compute in Python for long.
Pillow releases the GIL while it encodes, and the rest here is system calls.
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
from scand.wire.throttle import ALIVE_EVERY

if TYPE_CHECKING:
    from collections.abc import Callable

    from scand.feeder.device import Raster
    from scand.jobs.settings import Settings
    from scand.spool.batches import BatchDirectory

_ENCODERS = 2  # threads

_IN_FLIGHT = 3
"""Sides between scanner and disk at once, besides the one that is being read. An A4 side in colour at 300 dpi
takes about 26 MB, and more than twice that while it is encoded."""


@dataclass(frozen=True, slots=True)
class _Side:
    """A side on its way to the disk; `encoded` will be its file, and whether it is blank."""

    number: int
    sheet: int
    side: Side
    raster: Raster
    dpi: float
    encoded: Future[tuple[Encoded, bool]]


class Recorder:
    """Takes sides in feeding order, and captures them in the same order.

    Args:
        buffers: memory of former sides, to be used again, also by the next batch: it takes the kernel as long to
            provide and clear new memory as it takes to read a page into it.
        directory: of the batch.
        settings: how to encode, and whether to look for blank sides.
        captured: called with each page once it is safe on disk, in the recorder's own thread.
        waiting: called every `ALIVE_EVERY` seconds while the caller waits for the disk: the driver is not silent.
    """

    def __init__(
        self,
        buffers: list[bytearray],
        directory: BatchDirectory,
        settings: Settings,
        captured: Callable[[Page], None],
        waiting: Callable[[], None],
    ) -> None:
        self._directory, self._settings = directory, settings
        self._captured, self._waiting = captured, waiting
        self._buffers = buffers
        self._in_flight = threading.BoundedSemaphore(_IN_FLIGHT)
        self._sides: queue.SimpleQueue[_Side | None] = queue.SimpleQueue()
        self._encoders = ThreadPoolExecutor(_ENCODERS, "encode")
        self._failure: ScandError | None = None
        self._thread = threading.Thread(target=self._record, name="record", daemon=True)
        self._thread.start()

    def buffer(self) -> bytearray:
        """Memory to read the next side into; it may be too small, or empty."""
        return self._buffers.pop() if self._buffers else bytearray()

    def put(self, raster: Raster, number: int, sheet: int, side: Side, dpi: float) -> None:
        """Hand over a side. Waits while `_IN_FLIGHT` others are not on disk yet.

        Args:
            raster: the side; its buffer belongs to the recorder from here on.
            number: of the side within the batch, from 1.
            sheet: number of the sheet within the batch, from 1.
            side: front or back.
            dpi: pixels per inch.

        Raises:
            ScandError: an earlier side could not be written; this one is not taken.
        """
        while not self._in_flight.acquire(timeout=ALIVE_EVERY):
            self._waiting()
        self.check()
        encoded = self._encoders.submit(self._encode, raster, dpi)
        self._sides.put(_Side(number, sheet, side, raster, dpi, encoded))

    def check(self) -> None:
        """Raise the failure of an earlier side, if there was one.

        Raises:
            ScandError: `staging_full`, or whatever else went wrong.
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
            self._thread.join(ALIVE_EVERY)
            self._waiting()
        self._encoders.shutdown()
        self.check()

    def _encode(self, raster: Raster, dpi: float) -> tuple[Encoded, bool]:
        """The encoded page, and whether it is blank, if blank sides are to be dropped."""
        settings, blank = self._settings, False
        if settings.blank_pages == "drop":
            samples = raster.data if raster.depth == 8 else _unpacked(raster)
            blank = ink(samples, raster.width, raster.height, raster.channels, dpi) < settings.blank_threshold
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
        except OSError as error:  # of memory, not of the staging disk
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
                except Exception as error:  # noqa: BLE001 - whatever it is, it must become the batch's end
                    self._failure = _not_encoded(error)
            self._buffers.append(side.raster.buffer)
            self._in_flight.release()

    def _write(self, side: _Side) -> None:
        encoded, blank = side.encoded.result()
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
    """The pixels of a 1-bit raster as bytes, 0 for black and 255 for white."""
    return image(raster.data, raster.width, raster.height, 1, 1).convert("L").tobytes()


def _not_encoded(error: Exception) -> ScandError:
    return ScandError(f"A page could not be encoded: {error}", ErrorCode.DEVICE_ERROR)
