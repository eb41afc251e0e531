"""Draws scans of sides: blank ones, and ones with little or pale content.

Everything follows from a seed. (Image.effect_noise cannot be used: it has no seed.)
"""

from __future__ import annotations

import io
import random
from dataclasses import dataclass

from PIL import Image, ImageChops, ImageFilter

from tests.support.drawn.flaws import FLAWS
from tests.support.drawn.sheet import Colour, Sheet, noise
from tests.support.drawn.writing import KINDS

PAPERS: tuple[Colour, ...] = (
    (250, 250, 248),
    (244, 242, 238),
    (248, 240, 214),  # yellowed
    (214, 212, 206),  # recycled
    (206, 222, 240),
    (214, 238, 210),
    (250, 216, 222),
    (255, 244, 160),
)


@dataclass(frozen=True, slots=True)
class Drawn:
    """The scan of a side.

    Attributes:
        image: in mode L or RGB.
        dpi: the scan's resolution.
        what: describes it, for a test's message.
    """

    image: Image.Image
    dpi: int
    what: str

    @property
    def raster(self) -> tuple[bytes, int, int, int, int]:
        """Samples, width, height, channels and dpi, as `scand.feeder.blank.ink.ink` takes them."""
        return self.image.tobytes(), *self.image.size, len(self.image.getbands()), self.dpi


def blank(seed: int, dpi: int, mode: str, size: tuple[float, float] = (210, 297)) -> Drawn:
    """Draw a side without content.

    Args:
        seed: decides about everything random.
        dpi: the scan's resolution.
        mode: "color", "gray" or "lineart".
        size: width and height in mm.
    """
    return _drawn(random.Random(seed), dpi, mode, size, None)


def written(
    seed: int, dpi: int, mode: str, size: tuple[float, float] = (210, 297), kind: str | None = None
) -> Drawn:
    """Draw a side with a little content.

    Args:
        seed: decides about everything random.
        dpi: the scan's resolution.
        mode: "color", "gray" or "lineart".
        size: width and height in mm.
        kind: of content; None: a random one of `KINDS`.
    """
    rng = random.Random(seed)
    return _drawn(rng, dpi, mode, size, kind or rng.choice([*KINDS]))


def _drawn(rng: random.Random, dpi: int, mode: str, size: tuple[float, float], kind: str | None) -> Drawn:
    flaws = [flaw for flaw in FLAWS if rng.random() < 0.25]
    paper = rng.choice(PAPERS)
    sheet = Sheet(rng, dpi, size, paper, mode)
    if kind is not None:
        KINDS[kind](sheet)
    for flaw in flaws:
        FLAWS[flaw](sheet)
    sheet.texture()
    image = sheet.placed()
    image = image.filter(ImageFilter.BoxBlur(rng.uniform(0.04, 0.1) * dpi / 25.4))
    if rng.random() < 0.25:
        flaws.append("streaks")
        _streaks(rng, image, dpi)
    sigma = rng.uniform(1, 4.5 if dpi >= 200 else 3)
    image = ImageChops.add(image, _sensor(rng, image.size, sigma), offset=-128)
    if rng.random() < 0.3:
        flaws.append("jpeg")
        file = io.BytesIO()
        image.save(file, "JPEG", quality=rng.randint(75, 92))
        image = Image.open(file)
        image.load()
    if mode != "color":
        image = image.convert("L")
    if mode == "lineart":
        threshold = rng.randint(100, 140)
        image = image.point([0] * threshold + [255] * (256 - threshold))
    what = f"{kind or 'blank'} on {paper} noise {sigma:.1f}: {' '.join(flaws)}"
    return Drawn(image, dpi, what)


def _streaks(rng: random.Random, image: Image.Image, dpi: int) -> None:
    """Add the vertical lines that dust on the glass or a dead element of the sensor makes."""
    for _ in range(rng.randint(1, 2)):
        x = rng.randrange(image.width)
        box = (x, 0, x + max(1, round(rng.uniform(0.05, 0.3) * dpi / 25.4)), image.height)
        fall = rng.randint(6, 110)
        colour = rng.choice([(fall,) * 3, (0, fall, fall), (fall // 4, fall, 0)])
        part = image.crop(box)
        image.paste(ImageChops.subtract(part, Image.new("RGB", part.size, colour)), box)


def _sensor(rng: random.Random, size: tuple[int, int], sigma: float) -> Image.Image:
    """Noise around 128, different in each channel; it is tiled at random offsets."""
    side = 300
    table = [round(128 + (level - 128) * sigma / 32) for level in range(256)] * 3
    tile = Image.merge("RGB", [noise(rng, (side, side)) for _ in range(3)]).point(table)
    whole = Image.new("RGB", size)
    for x in range(0, size[0], side):
        for y in range(0, size[1], side):
            whole.paste(ImageChops.offset(tile, rng.randrange(side), rng.randrange(side)), (x, y))
    return whole
