"""The dark pieces of a side: which were written or printed, and which come from the paper or the scanner."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_GAP = 0.3  # mm: largest gap between two runs of one component
_SPECK_SIZE = 1.4  # mm, longer side with blur: dust, a fibre, a staple's prick; figures of 8 points have 2 mm
_CROWD = 6  # specks in a neighbourhood: a dotted line, a halftone, broken letters
_NEIGHBOURHOOD = 4.0  # mm: a neighbourhood is a speck's own square of this size and the eight around it
_LINE_WIDTH = 0.7  # mm to either side of the course of a fold or a streak
_LARGEST_SLANT = 0.04  # 2.3 degrees: as far as a feeder pulls a sheet askew
_COVERED = 0.3  # share of a line's length that must be dark
_LINE_END = 8.0  # mm from the sheet's edge within which a line across the whole sheet begins, backing or not
_LINE_CELL = 2.0  # mm of a line's length, the unit in which its coverage is counted
_MOST_LINES = 5  # in each direction: the folds of a letter, the sheet's edges in front of a light backing
_MOST_PAIRS = 4000  # pairs of ends that are tried
_HOLE_DIAMETER = (4.0, 9.0)  # mm: 5 to 8 as punched (ISO 838: 6), and blur
_HOLE_FROM_EDGE = 20.0  # mm from the sheet's edge to the hole's centre, at most (ISO 838: 12)


@dataclass(frozen=True, slots=True)
class PixelRun:
    """Adjacent dark pixels of one row, from `left` to just before `right`."""

    row: int
    left: int
    right: int


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle of pixels; `right` and `bottom` are the first column and row outside."""

    left: int
    top: int
    right: int
    bottom: int


@dataclass(frozen=True, slots=True)
class Component:
    """Runs that touch or nearly touch: the box around them, and their area in pixels."""

    box: Box
    area: int

    @property
    def extent(self) -> int:
        """The longer side of the box, pixels."""
        return max(self.box.right - self.box.left, self.box.bottom - self.box.top)


def pixel_runs(mask: bytes, width: int) -> Iterator[PixelRun]:
    """The runs of 255 in a raster of 0 and 255, row by row, from left to right.

    Args:
        mask: one byte a pixel.
        width: pixels.
    """
    for row in range(len(mask) // width):
        line = mask[row * width : (row + 1) * width]
        left = line.find(255)
        while left >= 0:
            right = line.find(0, left)
            right = width if right < 0 else right
            yield PixelRun(row, left, right)
            left = line.find(255, right)


def components(found: Sequence[PixelRun], gap: int = 0) -> list[Component]:
    """Join runs that touch, corners included, or that are near each other.

    Args:
        found: the runs, in the order of `pixel_runs`.
        gap: pixels that may lie between two runs of one component.
    """
    parent = list(range(len(found)))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    first = 0
    for index, run in enumerate(found):
        while found[first].row < run.row - 1 - gap:
            first += 1
        for other in range(first, index):
            near = found[other]
            if near.left <= run.right + gap and run.left <= near.right + gap:
                parent[root(other)] = root(index)
    groups: dict[int, list[PixelRun]] = {}
    for index, run in enumerate(found):
        groups.setdefault(root(index), []).append(run)
    return [_component(group) for group in groups.values()]


def _component(group: list[PixelRun]) -> Component:
    left, right = min(run.left for run in group), max(run.right for run in group)
    box = Box(left, group[0].row, right, group[-1].row + 1)
    return Component(box, sum(run.right - run.left for run in group))


def written_area(found: Sequence[PixelRun], sheet: Box, dpi: float) -> float:
    """The area that was written or printed, in mm².

    Not counted are:

    * single specks;
    * straight lines across the whole sheet: folds, streaks, the sheet's own edge. If such a line runs through
      letters, all of them that is farther from its course than the line is thick counts;
    * filled circles of the size of punch holes near an edge.

    Args:
        found: the dark runs, in the order of `pixel_runs`.
        sheet: the part of the raster that is the sheet.
        dpi: pixels per inch of the raster.
    """
    mm = 25.4 / dpi
    cut = [part for run in found for part in _cut(run, max(1, int(_LINE_CELL / mm)))]
    rest = _without_lines(_without_lines(cut, sheet, mm, down=False), sheet, mm, down=True)
    pieces = components(rest, round(_GAP / mm))
    specks = [piece for piece in pieces if piece.extent * mm <= _SPECK_SIZE]
    marks = [piece for piece in pieces if piece.extent * mm > _SPECK_SIZE and not _is_hole(piece, sheet, mm)]
    return sum(piece.area for piece in [*marks, *_crowded(specks, _NEIGHBOURHOOD / mm)]) * mm * mm


def _cut(run: PixelRun, length: int) -> Iterator[PixelRun]:
    for left in range(run.left, run.right, length):
        yield PixelRun(run.row, left, min(run.right, left + length))


def _crowded(specks: list[Component], square: float) -> list[Component]:
    """The specks that have many others near them."""
    places = [(speck.box.left // square, speck.box.top // square) for speck in specks]
    counts = Counter(places)
    return [
        speck
        for speck, (x, y) in zip(specks, places, strict=True)
        if sum(counts[x + dx, y + dy] for dx in (-1, 0, 1) for dy in (-1, 0, 1)) >= _CROWD
    ]


def _is_hole(component: Component, sheet: Box, mm: float) -> bool:
    box = component.box
    across, down = box.right - box.left, box.bottom - box.top
    x, y = (box.left + box.right) / 2, (box.top + box.bottom) / 2
    diameter = 2 * math.sqrt(component.area / math.pi)
    return (
        _HOLE_DIAMETER[0] <= diameter * mm <= _HOLE_DIAMETER[1]
        and max(across, down) <= 1.35 * min(across, down)
        and component.area >= 0.55 * across * down  # a circle has 0.79
        and min(x - sheet.left, sheet.right - x, y - sheet.top, sheet.bottom - y) * mm <= _HOLE_FROM_EDGE
    )


def _without_lines(found: list[PixelRun], sheet: Box, mm: float, *, down: bool) -> list[PixelRun]:
    """Remove straight lines from edge to edge: from left to right, or `down` the sheet.

    A line begins within `_LINE_END` of one edge and ends within it of the other, so every pair of runs there is a
    candidate. Between them, a pale line may have gaps.
    """
    start, end = (sheet.top, sheet.bottom) if down else (sheet.left, sheet.right)
    zone, cell, thick = _LINE_END / mm, _LINE_CELL / mm, _LINE_WIDTH / mm
    if end - start < 3 * zone:
        return found
    for _ in range(_MOST_LINES):
        middles = [(run.left + run.right) / 2 for run in found]
        places = [(run.row, x) if down else (x, run.row) for run, x in zip(found, middles, strict=True)]
        near = [place for place in places if place[0] < start + zone]
        far = [place for place in places if place[0] > end - zone]
        if len(near) * len(far) > _MOST_PAIRS:
            break
        courses = {
            (slant, across - slant * along)
            for along, across in near
            for far_along, far_across in far
            if abs(slant := (far_across - across) / (far_along - along)) <= _LARGEST_SLANT
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
