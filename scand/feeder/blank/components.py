"""The dark pieces of a side: which a hand or a press made, and which the paper or the scanner did."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_REACH = 0.3  # mm between two runs of one blot
_SPECK = 1.4  # mm, the longer side, with its blur: dust, a fibre, a staple's prick; 8-point figures have 2
_CROWD = 6  # specks within _NEIGHBOURHOOD: a dotted line, a halftone, broken letters
_NEIGHBOURHOOD = 4.0  # mm to every side of a speck's own square of that size
_LINE = 0.7  # mm to either side of the course of a fold or a streak
_SLANT = 0.04  # 2.3 degrees: as far as a feeder pulls a sheet askew
_COVERED = 0.3  # of its length
_END = 8.0  # mm from the sheet's edge: where a line that crosses all of the sheet has begun, backing or not
_CELL = 2.0  # mm of such a line
_LINES = 5  # each way: the folds of a letter, the edges of a sheet in front of a light backing
_PAIRS = 4000  # of ends to try
_HOLE = (4.0, 9.0)  # mm across: 5 to 8 as punched (ISO 838: 6), and blur
_HOLE_FROM_EDGE = 20.0  # mm, to its centre, at most (ISO 838: 12)


@dataclass(frozen=True, slots=True)
class Run:
    """Neighbouring pixels of one row, from `left` up to and without `right`."""

    row: int
    left: int
    right: int


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle of pixels; `right` and `bottom` are just outside."""

    left: int
    top: int
    right: int
    bottom: int


@dataclass(frozen=True, slots=True)
class Blot:
    """Runs that lie together: the box around them, and how many pixels they are."""

    box: Box
    area: int

    @property
    def extent(self) -> int:
        """The box's longer side."""
        return max(self.box.right - self.box.left, self.box.bottom - self.box.top)


def runs(mask: bytes, width: int) -> Iterator[Run]:
    """The runs of 255 in a raster of 0 and 255, row by row and from left to right."""
    for row in range(len(mask) // width):
        line = mask[row * width : (row + 1) * width]
        left = line.find(255)
        while left >= 0:
            right = line.find(0, left)
            right = width if right < 0 else right
            yield Run(row, left, right)
            left = line.find(255, right)


def blots(found: Sequence[Run], reach: int = 0) -> list[Blot]:
    """Put together what touches, corners included, or has no more than `reach` pixels between.

    Args:
        found: in the order of `runs`.
    """
    parent = list(range(len(found)))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    first = 0
    for index, run in enumerate(found):
        while found[first].row < run.row - 1 - reach:
            first += 1
        for other in range(first, index):
            near = found[other]
            if near.left <= run.right + reach and run.left <= near.right + reach:
                parent[root(other)] = root(index)
    together: dict[int, list[Run]] = {}
    for index, run in enumerate(found):
        together.setdefault(root(index), []).append(run)
    return [_blot(group) for group in together.values()]


def _blot(group: list[Run]) -> Blot:
    left, right = min(run.left for run in group), max(run.right for run in group)
    box = Box(left, group[0].row, right, group[-1].row + 1)
    return Blot(box, sum(run.right - run.left for run in group))


def written(found: Sequence[Run], sheet: Box, dpi: float) -> float:
    """How much of what is dark was written or printed, in mm².

    Not counted are:

    * lone specks;
    * straight lines across all of the sheet: folds, streaks, the sheet's own edge; of letters that such a line
      runs through, all that is farther from its course than the line is thick still counts;
    * filled circles of a punch's size near an edge.

    Args:
        found: in the order of `runs`.
        sheet: the part of the raster that is the sheet.
        dpi: the raster's.
    """
    mm = 25.4 / dpi
    cut = [part for run in found for part in _cut(run, max(1, int(_CELL / mm)))]
    rest = _without_lines(_without_lines(cut, sheet, mm, down=False), sheet, mm, down=True)
    pieces = blots(rest, round(_REACH / mm))
    specks = [blot for blot in pieces if blot.extent * mm <= _SPECK]
    marks = [blot for blot in pieces if blot.extent * mm > _SPECK and not _is_hole(blot, sheet, mm)]
    return sum(blot.area for blot in [*marks, *_crowded(specks, _NEIGHBOURHOOD / mm)]) * mm * mm


def _cut(run: Run, length: int) -> Iterator[Run]:
    for left in range(run.left, run.right, length):
        yield Run(run.row, left, min(run.right, left + length))


def _crowded(specks: list[Blot], square: float) -> list[Blot]:
    places = [(speck.box.left // square, speck.box.top // square) for speck in specks]
    counts = Counter(places)
    return [
        speck
        for speck, (x, y) in zip(specks, places, strict=True)
        if sum(counts[x + dx, y + dy] for dx in (-1, 0, 1) for dy in (-1, 0, 1)) >= _CROWD
    ]


def _is_hole(blot: Blot, sheet: Box, mm: float) -> bool:
    box = blot.box
    across, down = box.right - box.left, box.bottom - box.top
    x, y = (box.left + box.right) / 2, (box.top + box.bottom) / 2
    diameter = 2 * math.sqrt(blot.area / math.pi)
    return (
        _HOLE[0] <= diameter * mm <= _HOLE[1]
        and max(across, down) <= 1.35 * min(across, down)
        and blot.area >= 0.55 * across * down  # a circle has 0.79
        and min(x - sheet.left, sheet.right - x, y - sheet.top, sheet.bottom - y) * mm <= _HOLE_FROM_EDGE
    )


def _without_lines(found: list[Run], sheet: Box, mm: float, *, down: bool) -> list[Run]:
    """Take out straight lines from edge to edge: from the left to the right, or `down` the sheet.

    A line begins within `_END` of the one edge and ends within it of the other, so every pair of runs there is
    a candidate; between, a pale line may be broken.
    """
    start, end = (sheet.top, sheet.bottom) if down else (sheet.left, sheet.right)
    zone, cell, thick = _END / mm, _CELL / mm, _LINE / mm
    if end - start < 3 * zone:
        return found
    for _ in range(_LINES):
        middles = [(run.left + run.right) / 2 for run in found]
        places = [(run.row, x) if down else (x, run.row) for run, x in zip(found, middles, strict=True)]
        near = [place for place in places if place[0] < start + zone]
        far = [place for place in places if place[0] > end - zone]
        if len(near) * len(far) > _PAIRS:
            break
        courses = {
            (slant, across - slant * along)
            for along, across in near
            for far_along, far_across in far
            if abs(slant := (far_across - across) / (far_along - along)) <= _SLANT
        }
        distinct = {
            (round(offset / thick), round((offset + slant * end) / thick)): (slant, offset)
            for slant, offset in courses
        }
        best, slant, offset = max(
            (
                (
                    len({along // cell for along, across in places if abs(across - o - s * along) <= thick}),
                    s,
                    o,
                )
                for s, o in distinct.values()
            ),
            default=(0, 0.0, 0.0),
        )
        if best < _COVERED * (end - start) / cell:
            break
        found = [
            run
            for run, (along, across) in zip(found, places, strict=True)
            if abs(across - offset - slant * along) > thick
        ]
    return found
