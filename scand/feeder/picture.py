"""A small picture of a side, for people who look at what was scanned: `[pictures] size`."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Iterable

_QUALITIES = 75, 55, 35, 15
"""Of JPEG: the first that makes a small enough file."""

_BYTES = 0.15
"""Most bytes of a picture, as a share of its longest side squared: 24,000 for 400 pixels, 0.2 a pixel of A4."""

_SAMPLES = 2, 3
"""Samples of the side in each direction for a pixel of the picture; more where the side is not much larger, since
text of few pixels suffers first. To average all pixels of 300 dpi would take five times as long."""


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
    samples = _SAMPLES[longest < 4 * size] if scale < 1 else 1
    sampled, top = None, 0
    for strip in strips:
        mode, bottom = ("L" if strip.mode == "1" else strip.mode), top + strip.height
        sampled = sampled or Image.new(mode, (samples * across, samples * down))
        first, end = (_first(edge, height, sampled.height) for edge in (top, bottom))
        if end > first:
            row = height / sampled.height
            box = (0, max(0.0, first * row - top), width, min(strip.height, end * row - top))
            part = strip.resize((sampled.width, end - first), Image.Resampling.NEAREST, box)
            sampled.paste(part, (0, first))
        top = bottom
    if sampled is None:
        raise ValueError("a side without a pixel")
    small = sampled.reduce(samples)
    return _jpeg(small.transpose(Image.Transpose.ROTATE_180) if turn else small)


def _first(edge: int, height: int, samples: int) -> int:
    """The first of so many samples that lies in or below a row of the side."""
    return -(-(2 * edge * samples - height) // (2 * height))


def _jpeg(image: Image.Image) -> bytes:
    most = _BYTES * max(image.size) ** 2
    for quality in _QUALITIES:
        file = BytesIO()
        image.save(file, "JPEG", quality=quality)
        if file.tell() <= most:
            break
    return file.getvalue()
