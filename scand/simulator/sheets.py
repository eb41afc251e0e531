"""Where sheets come from: any number of drawn ones, or the image files of a directory.

Both turn a side and an area into a raster: buffers that together are the image, in the byte order of the SANE
standard (lineart packed, most significant bit first, 1 is black; RGB interleaved).
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from PIL import Image, ImageOps

from scand.simulator import drawing
from scand.simulator.area import PAGE_SIZES, Area, pixels
from scand.simulator.side import Side

_SUFFIXES: Final = frozenset(
    {".bmp", ".gif", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}
)


class Sheets(Protocol):
    """What is on every side of every sheet."""

    @property
    def stack_size(self) -> int:
        """Sheets in a stack."""

    def raster(self, side: Side, area: Area) -> Sequence[memoryview]:
        """Scan `side`: buffers with area.parameters' bytes_per_line x lines bytes in total."""


class DrawnSheets:
    """Office letters that differ only in the number and the mark of each side.

    What all pages share is drawn once for an area and kept (for the last two areas: 26 MB each for A4 colour at
    300 dpi). Only the band at the top with the number is drawn for each side, which takes a few milliseconds.

    Args:
        stack_size: sheets in a stack.
        page_size: a key of `PAGE_SIZES`.
        blank_backs: draw nothing on the backs.
    """

    def __init__(self, stack_size: int, page_size: str, *, blank_backs: bool = False) -> None:
        self.stack_size = stack_size
        self._page = PAGE_SIZES[page_size]
        self._blank_backs = blank_backs
        self._background: Callable[[Area, bool], _Background] = lru_cache(maxsize=2)(self._draw_background)

    def raster(self, side: Side, area: Area) -> Sequence[memoryview]:
        """Scan `side`; only its band is drawn."""
        blank = self._blank_backs and side.name == "back"
        background = self._background(area, blank)
        if blank:
            return [background.data]
        band = background.band.copy()
        drawing.draw_number(
            drawing.Canvas(band, area.resolution, area.left, area.top + background.first), side
        )
        start = background.first * area.parameters.bytes_per_line
        drawn = memoryview(_pack(band, area.mode))
        return [background.data[:start], drawn, background.data[start + len(drawn) :]]

    def _draw_background(self, area: Area, blank: bool) -> "_Background":
        image = _canvas_image(area)
        canvas = drawing.Canvas(image, area.resolution, area.left, area.top)
        canvas.box(0, 0, *self._page, drawing.PAPER)
        if not blank:
            drawing.draw_letter(canvas, self._page)
        drawing.grain(image, area.left, area.top)
        first, last = (
            min(max(pixels(edge, area.resolution) - area.top, 0), area.height) for edge in drawing.NUMBER_BAND
        )
        band = image.crop((0, first, area.width, last))
        return _Background(memoryview(_pack(image, area.mode)), band, first)


class _Background(NamedTuple):
    """What all pages share.

    Attributes:
        data: the whole raster.
        band: the part of it that each page draws on.
        first: the first line of that part.
    """

    data: memoryview
    band: Image.Image
    first: int


class ImageSheets:
    """Pages from the image files of a directory, by name: front, back, front … (a missing last back is blank).

    An image is scaled to fit on the sheet, from its top left corner. Every stack has the same images.

    Args:
        directory: with the image files; others are ignored.
        page_size: a key of `PAGE_SIZES`.

    Raises:
        ValueError: there is no image, or one that cannot be read.
    """

    def __init__(self, directory: Path, page_size: str) -> None:
        self._files = sorted(path for path in directory.iterdir() if path.suffix.lower() in _SUFFIXES)
        if not self._files:
            raise ValueError(f"{directory} has no image files")
        for file in self._files:
            try:
                Image.open(file).close()
            except OSError as error:
                raise ValueError(f"{file} is not an image that can be read") from error
        self.stack_size = (len(self._files) + 1) // 2
        self._page = PAGE_SIZES[page_size]

    def raster(self, side: Side, area: Area) -> Sequence[memoryview]:
        """Scan `side`; its file is read each time."""
        image = _canvas_image(area)
        drawing.Canvas(image, area.resolution, area.left, area.top).box(0, 0, *self._page, "white")
        index = (side.number - 1) % (2 * self.stack_size)
        if index < len(self._files):
            with Image.open(self._files[index]) as file:
                size = pixels(self._page[0], area.resolution), pixels(self._page[1], area.resolution)
                picture = ImageOps.contain(ImageOps.exif_transpose(file).convert(image.mode), size)
            image.paste(picture, (-area.left, -area.top))
        return [memoryview(_pack(image, area.mode))]


def _canvas_image(area: Area) -> Image.Image:
    return Image.new("RGB" if area.mode == "Color" else "L", (area.width, area.height), drawing.BACKING)


def _pack(image: Image.Image, mode: str) -> bytes:
    if mode == "Lineart":
        return image.point([255 * (level < 128) for level in range(256)], "1").tobytes()
    return image.tobytes()
