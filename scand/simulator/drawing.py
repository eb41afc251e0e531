"""What is drawn on a sheet: an office letter that is cheap to draw and compresses to a realistic JPEG size."""

import random
from functools import lru_cache
from typing import Final

from PIL import Image, ImageChops, ImageDraw, ImageFont

from scand.simulator import marks
from scand.simulator.area import pixels
from scand.simulator.side import Side

PAPER: Final = "#f4f2ee"
BACKING: Final = "#8e8e90"  # the scanner's background, seen beside the sheet
NUMBER_BAND: Final = (6.0, 52.0)  # first and last mm from the top of what differs from page to page
_INK: Final = "#1d1d22"
_GREY: Final = "#6b7078"
_COLOURS: Final = ("#c0392b", "#e0a030", "#2e7d5b", "#2a5fa5")
_MARGIN: Final = 20.0  # mm
_SENTENCES: Final = (
    "The stack goes in once; no page is lost, doubled or silently missing.",
    "Please find enclosed the minutes of the meeting and the list of those present.",
    "The amount due is payable within thirty days of the date of this letter.",
    "Both sides were read, and the sheet was laid on the pile to the left.",
    "Kindly sign the copy on the last page and return it to the address above.",
    "What was agreed by telephone is hereby confirmed in writing.",
)


class Canvas:
    """An image that is drawn on in millimetres from the sheet's top left corner.

    Args:
        image: the part of the sheet that it covers; drawn on in place.
        resolution: in dpi.
        left: where the image begins on the sheet, in pixels.
        top: likewise.
    """

    def __init__(self, image: Image.Image, resolution: int, left: int, top: int) -> None:
        self._draw = ImageDraw.Draw(image)
        self._resolution = resolution
        self._left = left
        self._top = top

    def box(self, x: float, y: float, width: float, height: float, colour: str) -> None:
        """Fill a rectangle; position and size in mm."""
        left, top = self._pixel(x, y)
        right, bottom = self._pixel(x + width, y + height)
        self._draw.rectangle((left, top, right - 1, bottom - 1), colour)

    def text(self, x: float, y: float, height: float, text: str, colour: str = _INK) -> None:
        """Write `text` with its top left corner at `x`, `y`, in a font of `height`, all in mm."""
        self._draw.text(self._pixel(x, y), text, colour, _font(max(4, pixels(height, self._resolution))))

    def _pixel(self, x: float, y: float) -> tuple[int, int]:
        return pixels(x, self._resolution) - self._left, pixels(y, self._resolution) - self._top


def draw_number(canvas: Canvas, side: Side) -> None:
    """Draw what only this side has, within `NUMBER_BAND`: its mark, and its number in figures."""
    for x in marks.black_cells(side.number):
        canvas.box(x, marks.TOP, marks.CELL_WIDTH, marks.CELL_HEIGHT, "black")
    canvas.text(_MARGIN, 16, 26, str(side.number))
    canvas.text(_MARGIN, 46, 4, f"sheet {side.sheet}, {side.name}", _GREY)


def draw_letter(canvas: Canvas, page: tuple[float, float]) -> None:
    """Draw what all sides share, below `NUMBER_BAND`.

    Args:
        canvas: to draw on.
        page: width and height in mm.
    """
    width, height = page
    canvas.text(_MARGIN, 58, 7, "Simulated Scanner Works")
    canvas.box(_MARGIN, 68, width - 2 * _MARGIN, 0.6, _INK)
    y = 74.0
    for line in range(int((height - 74 - 62) / 6)):
        if line % 7 != 6:  # an empty line between paragraphs
            canvas.text(_MARGIN, y, 4, _SENTENCES[line * 5 % 6][: int((width - 2 * _MARGIN) / 1.9)])
        y += 6
    for column, colour in enumerate(_COLOURS):
        bar = 14.0 + 9 * column
        canvas.box(_MARGIN + 16 * column, height - 18 - bar, 12, bar, colour)
    for line, share in enumerate((1.0, 0.8, 0.9, 0.5)):
        canvas.box(_MARGIN + 76, height - 50 + 8 * line, (width - 2 * _MARGIN - 76) * share, 3, _GREY)


def grain(image: Image.Image, left: int, top: int) -> None:
    """Add the slight noise of a real scan in place, so that the page does not compress like a drawing.

    Args:
        image: to add it to. A given spot on the page gets the same noise wherever the image begins.
        left: where the image begins on the page, in pixels.
        top: likewise.
    """
    tile = ImageChops.offset(_grain_tile(), -left, -top).convert(image.mode)
    for x in range(0, image.width, tile.width):
        for y in range(0, image.height, tile.height):
            box = (x, y, min(x + tile.width, image.width), min(y + tile.height, image.height))
            # add() crops to the smaller of the two
            image.paste(ImageChops.add(image.crop(box), tile, offset=-128), box)


@lru_cache(maxsize=1)
def _grain_tile() -> Image.Image:
    levels = random.Random(6566).randbytes(256 * 256)  # noqa: S311 - the same grain on every run, not a secret
    return Image.frombytes("L", (256, 256), levels).point([125 + level * 7 // 256 for level in range(256)])


@lru_cache(maxsize=16)
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
