"""The limits of this machine without scand, with which other figures are compared."""

from __future__ import annotations

import hashlib
import os
import time
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import TYPE_CHECKING

from PIL import Image

from scand.simulator.area import Area
from scand.simulator.sheets import DrawnSheets
from scand.simulator.side import Side
from tests.bench.line import Line, Series
from tests.bench.peers import QUALITY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.bench.bench import Bench

_A4 = Area("Color", 300, 0, 0, 2480, 3508)
_PAGES = 8
_FILE = 256 << 20  # bytes
_BLOCK = 1 << 20


def measure(bench: Bench) -> Iterator[Line]:
    """libjpeg on every core, SHA-256 on one core, and the disk with fsync and without the page cache."""
    raster = b"".join(DrawnSheets(1, "a4").raster(Side(1, "front"), _A4))
    image = Image.frombuffer("RGB", (_A4.width, _A4.height), raster, "raw", "RGB", 0, 1)
    cores = os.cpu_count() or 1

    def encode(_page: int) -> None:
        image.save(BytesIO(), "JPEG", quality=QUALITY, subsampling="4:2:0")

    with ThreadPoolExecutor(cores) as pool:
        encoded = [
            _PAGES / _seconds(lambda: list(pool.map(encode, range(_PAGES)))) for _ in range(bench.runs)
        ]
    yield Line(f"libjpeg, 300 dpi colour A4, {cores} threads", "images/s", Series(encoded))
    block = os.urandom(_BLOCK)
    hashed = [_FILE / 1e6 / _seconds(lambda: _hash(block)) for _ in range(bench.runs)]
    yield Line("SHA-256, one thread", "MB/s", Series(hashed))
    written, read = [], []
    for _ in range(bench.runs):
        file = bench.directory / "file"
        written.append(_FILE / 1e6 / _seconds(lambda file=file: _write(file, block)))  # type: ignore[misc]
        read.append(_FILE / 1e6 / _seconds(lambda file=file: _read(file)))  # type: ignore[misc]
        file.unlink()
    yield Line("disk, written and fsynced", "MB/s", Series(written))
    yield Line("disk, read past the cache", "MB/s", Series(read))


def _seconds(done: Callable[[], object]) -> float:
    begun = time.perf_counter()
    done()
    return time.perf_counter() - begun


def _hash(block: bytes) -> None:
    digest = hashlib.sha256()
    for _ in range(_FILE // _BLOCK):
        digest.update(block)


def _write(path: Path, block: bytes) -> None:
    with path.open("wb", buffering=0) as file:
        for _ in range(_FILE // _BLOCK):
            file.write(block)
        os.fsync(file.fileno())


def _read(path: Path) -> None:
    with path.open("rb", buffering=0) as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        while file.read(_BLOCK):
            pass
