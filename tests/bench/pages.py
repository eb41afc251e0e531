"""Pages in the spool as the feeder leaves them, without scanning: office letters, 300 dpi, about 1.4 MB each."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from scand import durable
from scand.feeder.encode import encode
from scand.simulator import side as simulated
from scand.simulator.area import Area
from scand.simulator.sheets import DrawnSheets
from scand.spool.records import Begin, End, Page, Side

if TYPE_CHECKING:
    from pathlib import Path

    from scand.feeder.encode import Encoded
    from scand.spool.directories import JobDirectory

_A4 = Area("Color", 300, 0, 0, 2480, 3508)
_QUALITY = 90
_ORIGINALS = 8
"""The number of different pages; the others are hard links to them, which makes no difference here."""


def fill(directory: JobDirectory, pages: int, *, ended: bool = True, originals: Path) -> None:
    """Make a batch of so many pages, which appears as number 1 in one step.

    Args:
        directory: the job's, which exists.
        pages: how many.
        ended: with end.json; without, it is what a kill -9 in mid-batch leaves.
        originals: a directory for the different pages, on the same file system.
    """
    drawn = _drawn(originals)
    hidden = directory.path / "new"
    hidden.mkdir()
    lines = []
    for number in range(pages):
        original = drawn[number % _ORIGINALS]
        name = f"page-{number + 1:04d}.jpg"
        os.link(originals / f"{number % _ORIGINALS}.jpg", hidden / name)
        page = Page(
            sheet=number // 2 + 1,
            side=Side.BACK if number % 2 else Side.FRONT,
            file=name,
            sha256=original.sha256,
            size=len(original.data),
            width=_A4.width,
            height=_A4.height,
            dpi=300.0,
        )
        lines.append(page.model_dump_json() + "\n")
    durable.write_atomic(hidden / "begin.json", Begin(device="bench", duplex=True).model_dump_json().encode())
    durable.write_atomic(hidden / "pages.jsonl", "".join(lines).encode())
    if ended:
        durable.write_atomic(hidden / "end.json", End().model_dump_json().encode())
    hidden.rename(directory.batch(1).path)


def _drawn(originals: Path) -> list[Encoded]:
    sheets = DrawnSheets(1, "a4")
    pages = []
    originals.mkdir(exist_ok=True)
    for number in range(_ORIGINALS):
        side = simulated.Side(number // 2 + 1, "back" if number % 2 else "front")
        raster = b"".join(sheets.raster(side, _A4))
        page = encode(raster, _A4.width, _A4.height, 3, dpi=300.0, mode="color", quality=_QUALITY)
        (originals / f"{number}.jpg").write_bytes(page.data)
        pages.append(page)
    return pages
