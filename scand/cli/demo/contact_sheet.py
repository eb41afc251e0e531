"""A contact sheet: the pages of one of our PDFs, small, in order, on one picture.

Each page of ours is one image, so the images are taken out of the PDF: nothing has to render it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pikepdf
from PIL import Image, ImageDraw, ImageFont

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

_THUMBNAIL = (210, 297)  # pixels: A4 at 25 dpi
_GAP = 18
_CAPTION = 24
_PAPER, _TABLE, _INK = "white", "#56544f", "#f4f2ee"


def draw(pdf: Path, target: Path, caption: Callable[[int], str] = str) -> None:
    """Draw the sheet and write it as a PNG.

    Args:
        pdf: made by scand.
        target: the PNG.
        caption: page number, from 1 → what stands below it.

    Raises:
        OSError: the one cannot be read, or the other not be written.
        pikepdf.PdfError: it is no PDF.
    """
    with pikepdf.open(pdf) as document:
        sheet = arrange([(caption(number), page) for number, page in enumerate(thumbnails(document), 1)])
    sheet.save(target, "PNG", optimize=True)


def thumbnails(document: pikepdf.Pdf) -> Iterator[Image.Image]:
    """Its pages, small and the right way up."""
    for page in document.pages:
        image = _largest(page)
        image.draft("RGB", (2 * _THUMBNAIL[0], 2 * _THUMBNAIL[1]))  # a JPEG is decoded no larger than needed
        small = image.convert("RGB")
        small.thumbnail(_THUMBNAIL, Image.Resampling.LANCZOS)
        yield small.rotate(-int(page.obj.get("/Rotate", 0)), expand=True, fillcolor=_PAPER)


def _largest(page: pikepdf.Page) -> Image.Image:
    """The image that is the page; a page without one is blank paper."""
    nothing = pikepdf.Dictionary()
    objects = page.obj.get("/Resources", nothing).get("/XObject", nothing).values()
    streams = [thing for thing in objects if isinstance(thing, pikepdf.Stream)]
    images = [pikepdf.PdfImage(stream) for stream in streams if stream.get("/Subtype") == "/Image"]
    if not images:
        return Image.new("RGB", _THUMBNAIL, _PAPER)
    return max(images, key=lambda image: image.width * image.height).as_pil_image()


def arrange(pages: Sequence[tuple[str, Image.Image]]) -> Image.Image:
    """Lay pages on a table, row by row, each above its caption.

    An even number goes into a row, so that the two sides of a sheet lie next to each other.
    """
    columns = max(2, 2 * math.ceil(math.sqrt(len(pages) / 2.5)))
    rows = max(1, math.ceil(len(pages) / columns))
    width, height = (
        max([page.size[axis] for _caption, page in pages], default=_THUMBNAIL[axis]) for axis in (0, 1)
    )
    across, down = width + _GAP, height + _CAPTION + _GAP
    sheet = Image.new("RGB", (columns * across + _GAP, rows * down + _GAP), _TABLE)
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(14)
    for place, (caption, page) in enumerate(pages):
        left, top = _GAP + place % columns * across, _GAP + place // columns * down
        sheet.paste(page, (left + (width - page.width) // 2, top + (height - page.height) // 2))
        middle = (left + width / 2, top + height + _CAPTION / 2)
        pen.text(middle, caption, _INK, font, anchor="mm")
    return sheet
