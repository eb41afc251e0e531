"""A sheet of paper to draw on, and how the scanner sees it."""

from __future__ import annotations

import math
from functools import cache
from statistics import NormalDist
from typing import TYPE_CHECKING

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

from scand.simulator.area import pixels

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Sequence

Colour = tuple[int, int, int]

BACKINGS = (12, 40, 96, 142, 252)
"""Levels of the scanner's background, seen beside the sheet."""


def noise(rng: random.Random, size: tuple[int, int]) -> Image.Image:
    """Gaussian noise around 128 with a standard deviation of 32, in one channel; `size` in pixels."""
    return Image.frombytes("L", size, rng.randbytes(size[0] * size[1]).translate(_normal()))


@cache
def _normal() -> bytes:
    normal = NormalDist(128, 32)
    return bytes(round(normal.inv_cdf((level + 0.5) / 256)) for level in range(256))


@cache
def font(height: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The font that comes with Pillow, `height` in pixels."""
    return ImageFont.load_default(height)


class Sheet:
    """One side of a sheet, drawn on in mm from its top left corner.

    Attributes:
        rng: the source of everything random.
        dpi: the scan's resolution.
        mode: "color", "gray" or "lineart".
        width: in mm.
        height: in mm.
        image: what is on it so far.
        backing: the level of the scanner's background, seen beside the sheet.
        skew: in degrees.
        around: mm of background to the left, above, to the right and below.
        shadow: the scanner's: depth in levels, reach in mm, and its edge (0 left, 1 top, 2 right, 3 bottom).
        edge: by how many levels the sheet's own edge is darker.
    """

    def __init__(
        self, rng: random.Random, dpi: int, size: tuple[float, float], paper: Colour, mode: str
    ) -> None:
        self.rng, self.dpi, self.mode = rng, dpi, mode
        self.width, self.height = size
        self.image = Image.new("RGB", (pixels(size[0], dpi), pixels(size[1], dpi)), paper)
        self.backing = rng.choice(BACKINGS)
        self.skew = 0.0
        self.around = (0.0, 0.0, 0.0, 0.0)
        self.shadow: tuple[float, float, int] | None = None
        self.edge = 0

    def px(self, length: float) -> int:
        """A length in mm as pixels, at least one."""
        return max(1, round(length * self.dpi / 25.4))

    def density(self, on_a4: int) -> int:
        """Scale a number of things from the area of an A4 sheet to this one, to at least one."""
        return max(1, round(on_a4 * self.width * self.height / (210 * 297)))

    def grey(self, darkest: int, palest: int) -> Colour:
        """A random gray ink; in lineart it is always dark."""
        level = self.rng.randint(darkest, palest) if self.mode != "lineart" else self.rng.randint(0, 30)
        return (level, level, level)

    def print(self, draw_on: Callable[[ImageDraw.ImageDraw], None], blur: float = 0) -> None:
        """Print onto the paper; ink on dark paper becomes darker.

        Args:
            draw_on: draws in ink on white.
            blur: radius in mm.
        """
        layer = Image.new("RGB", self.image.size, "white")
        draw_on(ImageDraw.Draw(layer))
        if blur:
            layer = layer.filter(ImageFilter.GaussianBlur(blur * self.dpi / 25.4))
        self.image = ImageChops.multiply(self.image, layer)

    def text(self, x: float, y: float, points: float, text: str, colour: Colour) -> None:
        """Write a line of text, its size in points, with its top left corner at x, y (mm)."""
        face = font(max(5, round(points * self.dpi / 72)))
        self.print(lambda draw: draw.text((self.px(x), self.px(y)), text, colour, face))

    def stroke(self, points: Sequence[tuple[float, float]], width: float, colour: Colour) -> None:
        """Draw a line through points, all in mm."""
        places = [(self.px(x), self.px(y)) for x, y in points]
        self.print(lambda draw: draw.line(places, colour, self.px(width), "curve"))

    def texture(self) -> None:
        """Add the paper's grain and cloudiness."""
        rng, size = self.rng, self.image.size
        grain = noise(rng, (pixels(self.width, 127), pixels(self.height, 127)))  # 0.2 mm
        fall = rng.uniform(10, 60)
        grain = grain.point([round(128 + (v - 128) / fall) for v in range(256)])
        grain = grain.resize(size, Image.Resampling.BICUBIC)
        fall = rng.randint(16, 64)
        cloud = noise(rng, (42, 60)).point([128 + (v - 128) // fall for v in range(256)])
        cloud = cloud.resize(size, Image.Resampling.BICUBIC)
        for layer in (grain, cloud):
            self.image = ImageChops.add(self.image, Image.merge("RGB", [layer] * 3), offset=-128)

    def placed(self) -> Image.Image:
        """The sheet on the scanner's background, with the scanner's shadow."""
        left, top, right, bottom = (round(side * self.dpi / 25.4) for side in self.around)
        wide, high = self.image.width + left + right, self.image.height + top + bottom
        whole = Image.new("RGB", (wide, high), (self.backing,) * 3)
        sheet = Image.new("L", self.image.size, 255)
        if self.edge:
            level = 255 - self.edge
            shade = Image.new("L", self.image.size, 255)
            ImageDraw.Draw(shade).rectangle(
                (0, 0, sheet.width - 1, sheet.height - 1), None, level, self.px(0.3)
            )
            self.image = ImageChops.multiply(self.image, Image.merge("RGB", [shade] * 3))
        if self.skew:
            cubic = Image.Resampling.BICUBIC
            image = self.image.rotate(self.skew, cubic, expand=True)
            sheet = sheet.rotate(self.skew, cubic, expand=True)
            dx, dy = (image.width - self.image.width) // 2, (image.height - self.image.height) // 2
            whole.paste(image, (left - dx, top - dy), sheet)
        else:
            whole.paste(self.image, (left, top))
        return whole if self.shadow is None else self._shadowed(whole, *self.shadow)

    def _shadowed(self, image: Image.Image, depth: float, reach: float, side: int) -> Image.Image:
        length = image.height if side % 2 else image.width
        profile = bytes(round(255 - depth * math.exp(-at * 25.4 / self.dpi / reach)) for at in range(length))
        size = (1, length) if side % 2 else (length, 1)
        band = Image.frombytes("L", size, profile if side < 2 else profile[::-1]).resize(image.size)
        return ImageChops.multiply(image, Image.merge("RGB", [band] * 3))
