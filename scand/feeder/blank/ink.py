"""How much of a side was written or printed, as opposed to what comes from the paper and the scanner.

The share of dark pixels does not tell: a page number is 0.002 % of a page, and the punch holes of an empty page
are 0.2 %. So whatever stands out from the paper around it is examined piece by piece (see `components`).
"""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, cast

from PIL import Image, ImageChops

from scand.feeder.blank.components import Box, components, pixel_runs, written_area

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_MODES = {1: "L", 3: "RGB"}
_LEAST_DPI = 100  # of the reduced image, unless the raster has less: the stem of an 8-point letter is a pixel
_CELL = 2.0  # mm: the paper's level is measured in cells of this size, in which print averages out
_BAND_ROWS = 16  # rows of cells in a band
_STROKE = 2  # cells: whatever is narrower than 2 · 2 + 1 cells, 10 mm, is a mark on the paper
_MARGIN = 2  # cells next to something dark in which the paper's level is not reliable
_DARKER = 20  # levels of 256: an 8-point stem in 80 % grey is 22 darker; show-through is less
_LIGHTER = 50  # levels: white print on a coloured sheet
_SHADE = 30  # levels by which light or shadow may change the paper
_BLACK = 110  # level: a sheet darker than this is no bare paper
_FRAME = 4.0  # mm along the raster's edge that are ignored: the sheet's own edge and its shadow
_SPARSE = 0.01  # share of dark pixels above which they need not be examined: there is ink enough
_MOST_RUNS = 2000  # runs of dark pixels above which they need not be examined, either


def ink(raster: bytes | bytearray | memoryview, width: int, height: int, channels: int, dpi: float) -> float:
    """The area of a side that was written or printed, in mm²; in doubt rather too much than too little.

    Not counted: the paper's colour, texture, folds, specks and holes; the shadows and the backing around the
    sheet; what shines through from the other side; streaks down the raster. Counted: whatever else is 20 levels
    (of 256) darker than the paper around it, in any channel. For scale: a figure in 8-point type is about 1 mm²,
    "Page 2" in 10-point type 8 mm², a speck of dust 0.1 mm². A sheet that is dark all over counts as all ink.

    It cannot see: print paler than that; anything in the outer 4 mm; a wide smooth dark area that runs off the
    sheet, which looks like the backing; a straight line across the sheet to within 1 cm of both edges.

    The GIL is released in whatever takes long, so that this may run in threads. Memory in use: a copy of one band
    of the raster, and 5 bytes for each pixel at about 100 dpi.

    Args:
        raster: one byte a sample, rows from top to bottom, not padded.
        width: pixels.
        height: pixels.
        channels: 1, or 3 for RGB.
        dpi: pixels per inch, in both directions.

    Raises:
        ValueError: the raster has not width·height·channels bytes.
    """
    if len(raster) != width * height * channels:
        raise ValueError(f"{width}x{height} pixels of {channels} bytes are not {len(raster)} bytes")
    factor = max(1, int(dpi / _LEAST_DPI))
    dpi /= factor
    mm = 25.4 / dpi
    cell = max(1, round(_CELL / mm))
    bands = list(_reduced(raster, width, channels, factor, _BAND_ROWS * cell))
    paper = _paper_level(_stacked([band.reduce(cell) for band in bands]))
    shade = paper.convert("L")
    level = _commonest_level(shade.histogram())
    if level is None:
        return width * height * (mm / factor) ** 2
    sheet = _sheet(shade, level)
    mask = _mask(bands, paper, sheet, cell, round(_FRAME / mm))
    dark = mask.histogram()[255]
    if dark > _SPARSE * mask.width * mask.height:
        return dark * mm * mm
    found = list(pixel_runs(mask.tobytes(), mask.width))
    if len(found) > _MOST_RUNS:
        return dark * mm * mm
    around = Box(sheet.left * cell, sheet.top * cell, sheet.right * cell, sheet.bottom * cell)
    return written_area(found, around, dpi) + _solid(shade, level) * (cell * mm) ** 2


def _reduced(
    raster: bytes | bytearray | memoryview, width: int, channels: int, factor: int, rows: int
) -> Iterator[Image.Image]:
    """The raster reduced by `factor`, in bands of `rows`, so that no call holds the GIL for long."""
    mode, row = _MODES[channels], width * channels
    view = memoryview(raster)
    for top in range(0, len(raster), row * rows * factor):
        band = view[top : top + row * rows * factor]
        size = (width, len(band) // row)
        # frombuffer takes any buffer, though its type says bytes
        yield Image.frombuffer(mode, size, cast("bytes", band), "raw", mode, 0, 1).reduce(factor)


def _stacked(bands: list[Image.Image]) -> Image.Image:
    whole = Image.new(bands[0].mode, (bands[0].width, sum(band.height for band in bands)))
    top = 0
    for band in bands:
        whole.paste(band, (0, top))
        top += band.height
    return whole


def _paper_level(cells: Image.Image) -> Image.Image:
    """The level of the paper in each cell, as if nothing had been written on it: a morphological closing.

    It fills whatever is narrower than 10 mm, and follows light and shadow. Beyond the raster's edge the sheet is
    assumed to go on as it is at the edge, so that something dark along an edge counts as paper, however narrow.
    Next to something dark the darker level is taken, so that the edge between them is no mark.
    """
    dilated = _extreme(_padded(cells, 2 * _STROKE + _MARGIN), _STROKE, ImageChops.lighter)
    return _extreme(dilated, _STROKE + _MARGIN, ImageChops.darker)


def _padded(image: Image.Image, pad: int) -> Image.Image:
    """The image with a border of `pad` pixels that repeats its outermost pixels."""
    width, height = image.width, image.height
    wide = Image.new(image.mode, (width + 2 * pad, height))
    wide.paste(image, (pad, 0))
    for x, edge in ((0, 0), (pad + width, width - 1)):
        wide.paste(image.crop((edge, 0, edge + 1, height)).resize((pad, height)), (x, 0))
    whole = Image.new(image.mode, (wide.width, height + 2 * pad))
    whole.paste(wide, (0, pad))
    for y, edge in ((0, 0), (pad + height, height - 1)):
        whole.paste(wide.crop((0, edge, wide.width, edge + 1)).resize((wide.width, pad)), (0, y))
    return whole


def _extreme(
    image: Image.Image, radius: int, choose: Callable[[Image.Image, Image.Image], Image.Image]
) -> Image.Image:
    """The extreme in the square around each pixel; the image's outer `radius` pixels are lost."""
    for dx, dy in ((1, 0), (0, 1)):
        width, height = image.width - 2 * radius * dx, image.height - 2 * radius * dy
        corners = [(step * dx, step * dy) for step in range(2 * radius + 1)]
        image = reduce(choose, [image.crop((x, y, x + width, y + height)) for x, y in corners])
    return image


def _commonest_level(histogram: list[int]) -> int | None:
    """The level that most of the paper is near; None if nearly everything is dark."""
    near = {level: sum(histogram[level - 16 : level + 16]) for level in range(_BLACK, 256)}
    level = max(near, key=lambda level: (near[level], histogram[level]))
    return level if near[level] >= 0.15 * sum(histogram) else None


def _sheet(shade: Image.Image, level: int) -> Box:
    """The sheet without the backing, in cells: from the first row and column with enough paper to the last.

    Rather too large than too small, so that a printed line does not seem to go from edge to edge.
    """
    light = shade.point([255 * (abs(at - level) <= _SHADE + 10) for at in range(256)])
    columns = light.resize((light.width, 1), Image.Resampling.BOX).tobytes()
    rows = light.resize((1, light.height), Image.Resampling.BOX).tobytes()
    xs = [x for x, share in enumerate(columns) if share >= 64] or [0, light.width - 1]
    ys = [y for y, share in enumerate(rows) if share >= 64] or [0, light.height - 1]
    return Box(
        max(0, xs[0] - _MARGIN),
        max(0, ys[0] - _MARGIN),
        min(light.width, xs[-1] + 1 + _MARGIN),
        min(light.height, ys[-1] + 1 + _MARGIN),
    )


def _solid(shade: Image.Image, level: int) -> int:
    """Number of cells in wide dark areas that do not touch the raster's edge."""
    mask = shade.point([255 * (at < level - _SHADE) for at in range(256)])
    return sum(
        component.area
        for component in components(list(pixel_runs(mask.tobytes(), mask.width)))
        if 0 < component.box.left < component.box.right < mask.width
        and 0 < component.box.top < component.box.bottom < mask.height
    )


def _mask(bands: list[Image.Image], paper: Image.Image, sheet: Box, cell: int, frame: int) -> Image.Image:
    """An image with 255 where something stands out from the paper, 0 elsewhere and in the frame."""
    lightest = _extreme(_padded(paper.convert("L"), _MARGIN + 1), _MARGIN + 1, ImageChops.lighter)
    contrasts = [
        _contrast(band, paper.split(), lightest, _BAND_ROWS * index, cell) for index, band in enumerate(bands)
    ]
    streaks = _streaks(contrasts, sheet, cell)
    table = [255 * (difference >= _DARKER) for difference in range(256)]
    whole = _stacked(
        [
            ImageChops.subtract(band, streaks.resize(band.size, Image.Resampling.NEAREST)).point(table)
            for band in contrasts
        ]
    )
    inside = (frame, frame, max(frame, whole.width - frame), max(frame, whole.height - frame))
    mask = Image.new("L", whole.size)
    mask.paste(whole.crop(inside), inside)
    return mask


def _contrast(
    band: Image.Image, papers: Sequence[Image.Image], lightest: Image.Image, top: int, cell: int
) -> Image.Image:
    """By how many levels each pixel stands out: darker than the paper in any channel, or much lighter.

    Args:
        band: a part of the page.
        papers: the paper's level in each channel, an image of cells.
        lightest: the lightest paper nearby, an image of cells.
        top: the row of cells in which the band begins.
        cell: pixels.
    """
    part = (0, top, band.width / cell, top + band.height / cell)
    half = (max(1, band.width // 2), max(1, band.height // 2))

    def fine(cells: Image.Image) -> Image.Image:  # interpolating half the pixels takes half the time
        return cells.resize(half, Image.Resampling.BILINEAR, part).resize(band.size, Image.Resampling.NEAREST)

    above = lightest.resize(band.size, Image.Resampling.NEAREST, part)
    lighter = ImageChops.subtract(band.convert("L"), above, offset=_DARKER - _LIGHTER)
    pairs = zip(papers, band.split(), strict=True)
    return reduce(
        ImageChops.lighter, [ImageChops.subtract(fine(paper), channel) for paper, channel in pairs], lighter
    )


def _streaks(contrasts: list[Image.Image], sheet: Box, cell: int) -> Image.Image:
    """What all parts of a column have in common, as one row: dust on the glass does that, and no pen.

    The sheet's first and last cells are left out: so near its edge, the paper's level is that of the backing.
    """
    rows = [
        part.crop((0, row, part.width, row + 1))
        for index, part in enumerate(band.reduce((1, cell)) for band in contrasts)
        for row in range(part.height)
        if sheet.top + 2 * _MARGIN <= index * _BAND_ROWS + row < sheet.bottom - 2 * _MARGIN
    ]
    return reduce(ImageChops.darker, rows) if rows else Image.new("L", (contrasts[0].width, 1))
