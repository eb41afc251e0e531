"""A small picture of a side, for people who look at what was scanned: `[pictures] size`."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_QUALITIES = 75, 55, 35, 15
"""Of JPEG: the first that makes a small enough file."""

_BYTES = 0.15
"""Most bytes of a picture, as a share of its longest side squared: 24,000 for 400 pixels, 0.2 a pixel of A4."""

_SAMPLES = (2, 1), (2, 2)
"""Samples of the side for a pixel of the picture, across and down; more where the side is not much larger, since
text of few pixels suffers first. To average all pixels of 300 dpi would take ten times as long."""


def picture(strips: Iterable[Image.Image], width: int, height: int, size: int, *, turn: int = 0) -> bytes:
    """A JPEG of a side, gray or RGB.

    Args:
        strips: the side's rows from top to bottom, in one image or in several; each is looked at once.
        width: pixels.
        height: pixels, of all strips together.
        size: pixels of the picture's longer side, at most; a side that is smaller keeps its size.
        turn: degrees clockwise by which the side must be turned to be the right way up, 0 or 180.

    Raises:
        ValueError: it cannot be a picture, as when it has no pixel.
        OSError: there is no memory for it.
    """
    longest = max(width, height)
    scale = min(1.0, size / longest)
    across, down = max(1, round(width * scale)), max(1, round(height * scale))
    samples = _SAMPLES[longest < 4 * size] if scale < 1 else (1, 1)
    columns, rows = samples[0] * across, samples[1] * down
    parts, top = [], 0
    for strip in strips:
        first, end = (_first(edge, height, rows) for edge in (top, top + strip.height))
        if end > first:
            row = height / rows
            box = (0, max(0.0, first * row - top), width, min(strip.height, end * row - top))
            part = strip.resize((columns, end - first), Image.Resampling.NEAREST, box)
            parts.append(part.convert("L") if part.mode == "1" else part)
        top += strip.height
    if not parts:
        raise ValueError("a side without a pixel")
    small = _stacked(parts).reduce(samples)
    return _jpeg(small.transpose(Image.Transpose.ROTATE_180) if turn else small)


def _stacked(parts: Sequence[Image.Image]) -> Image.Image:
    if len(parts) == 1:
        return parts[0]
    whole = Image.new(parts[0].mode, (parts[0].width, sum(part.height for part in parts)))
    top = 0
    for part in parts:
        whole.paste(part, (0, top))
        top += part.height
    return whole


def _first(edge: int, height: int, rows: int) -> int:
    """The first of so many rows of samples that lies in or below a row of the side."""
    return -(-(2 * edge * rows - height) // (2 * height))


def _jpeg(image: Image.Image) -> bytes:
    most = _BYTES * max(image.size) ** 2
    for quality in _QUALITIES:
        file = BytesIO()
        image.save(file, "JPEG", quality=quality)
        if file.tell() <= most:
            break
    return file.getvalue()
