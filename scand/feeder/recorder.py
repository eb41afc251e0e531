"""Makes each side safe on disk while the scanner goes on: encodes in threads, records in feeding order.

The reader needs the GIL after each chunk of 32 KiB, so nothing in this process may compute in Python for long.
Pillow releases the GIL while it encodes, and the rest here is system calls.
"""

from __future__ import annotations

import queue
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scand.errors import ScandError
from scand.faults import ErrorCode
from scand.feeder.blank.ink import ink
from scand.feeder.encode import Encoded, compressed, image
from scand.feeder.picture import picture
from scand.spool.disk import disk_errors
from scand.spool.records import Page, Side
from scand.wire.throttle import ALIVE_EVERY

if TYPE_CHECKING:
    from collections.abc import Callable

    from PIL import Image

    from scand.feeder.device import Raster
    from scand.jobs.settings import Settings
    from scand.spool.batches import BatchDirectory

_ENCODERS = 2  # threads

_IN_FLIGHT = 3
"""Sides between scanner and disk at once, besides the one that is being read. An A4 side in colour at 300 dpi
takes about 26 MB, and more than twice that while it is encoded."""


@dataclass(frozen=True, slots=True)
class _Side:
    """A side on its way to the disk; `ready` will be what is to be written."""

    number: int
    sheet: int
    side: Side
    raster: Raster
    dpi: float
    ready: Future[_Ready]


@dataclass(frozen=True, slots=True)
class _Ready:
    """What is to be written of a side: its file, whether it is blank, and its picture, if there is one."""

    encoded: Encoded
    blank: bool
    picture: bytes | None


class Recorder:
    """Takes sides in feeding order, and captures them in the same order.

    Args:
        buffers: memory of former sides, to be used again, also by the next batch: it takes the kernel as long to
            provide and clear new memory as it takes to read a page into it.
        directory: of the batch.
        settings: how to encode, and whether to look for blank sides.
        picture: pixels of the longer side of each side's picture; 0: none is made.
        captured: called with each page once it is safe on disk, in the recorder's own thread.
        waiting: called every `ALIVE_EVERY` seconds while the caller waits for the disk: the driver is not silent.
    """

    def __init__(
        self,
        buffers: list[bytearray],
        directory: BatchDirectory,
        settings: Settings,
        picture: int,
        captured: Callable[[Page], None],
        waiting: Callable[[], None],
    ) -> None:
        self._directory, self._settings, self._picture_size = directory, settings, picture
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
        ready = self._encoders.submit(self._encode, raster, side, dpi)
        self._sides.put(_Side(number, sheet, side, raster, dpi, ready))

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

    def _encode(self, raster: Raster, side: Side, dpi: float) -> _Ready:
        """The encoded page, whether it is blank, if blank sides are to be dropped, and its picture."""
        settings, blank = self._settings, False
        page = image(raster.data, raster.width, raster.height, raster.channels, raster.depth)
        if settings.blank_pages == "drop":
            samples = raster.data if raster.depth == 8 else page.convert("L").tobytes()
            blank = ink(samples, raster.width, raster.height, raster.channels, dpi) < settings.blank_threshold
        try:
            encoded = compressed(
                page, dpi=dpi, mode=settings.mode, format=settings.format, quality=settings.quality
            )
        except OSError as error:  # of memory, not of the staging disk
            raise _not_encoded(error) from error
        return _Ready(encoded, blank, self._picture(page, side))

    def _picture(self, page: Image.Image, side: Side) -> bytes | None:
        """The side's picture as viewers of the PDF see the page; whatever goes wrong, the page does without."""
        turn = self._settings.rotate_back if side is Side.BACK else 0
        with suppress(Exception):
            if self._picture_size:
                return picture([page], page.width, page.height, self._picture_size, turn=turn)
        return None

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
        ready = side.ready.result()
        encoded = ready.encoded
        page = Page(
            sheet=side.sheet,
            side=side.side,
            file=f"page-{side.number:04d}{encoded.suffix}",
            sha256=encoded.sha256,
            size=len(encoded.data),
            width=side.raster.width,
            height=side.raster.height,
            dpi=side.dpi,
            blank=ready.blank,
        )
        if ready.picture is not None:
            with suppress(OSError):
                self._directory.picture(side.number).write_bytes(ready.picture)
        self._directory.add(page, encoded.data)
        self._captured(page)


def _not_encoded(error: Exception) -> ScandError:
    return ScandError(f"A page could not be encoded: {error}", ErrorCode.DEVICE_ERROR)
