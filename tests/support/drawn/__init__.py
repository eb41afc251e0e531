"""Draws sides of sheets as scanners give them: bare ones, and ones with little on them, or pale.

Everything follows from a seed. (Image.effect_noise does not: it has no seed.)
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
    """A scan of a side.

    Attributes:
        image: L or RGB.
        dpi: the scan's.
        what: all that is on it, for a test's message.
    """

    image: Image.Image
    dpi: int
    what: str

    @property
    def raster(self) -> tuple[bytes, int, int, int, int]:
        """Samples, width, height, channels and dpi, as `scand.feeder.blank.ink.ink` takes them."""
        return self.image.tobytes(), *self.image.size, len(self.image.getbands()), self.dpi


def blank(seed: int, dpi: int, mode: str, size: tuple[float, float] = (210, 297)) -> Drawn:
    """A side on which nobody wrote, `size` in mm, `mode` "color", "gray" or "lineart"."""
    return _drawn(random.Random(seed), dpi, mode, size, None)


def written(
    seed: int, dpi: int, mode: str, size: tuple[float, float] = (210, 297), kind: str | None = None
) -> Drawn:
    """A side with a little on it: one of `KINDS`, or `kind`."""
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
    """Dust on the glass, or a dead element of the sensor: straight down the whole raster."""
    for _ in range(rng.randint(1, 2)):
        x = rng.randrange(image.width)
        box = (x, 0, x + max(1, round(rng.uniform(0.05, 0.3) * dpi / 25.4)), image.height)
        fall = rng.randint(6, 110)
        colour = rng.choice([(fall,) * 3, (0, fall, fall), (fall // 4, fall, 0)])
        part = image.crop(box)
        image.paste(ImageChops.subtract(part, Image.new("RGB", part.size, colour)), box)


def _sensor(rng: random.Random, size: tuple[int, int], sigma: float) -> Image.Image:
    """Output around 128, of its own in each channel; that it is tiled does not show."""
    side = 300
    table = [round(128 + (level - 128) * sigma / 32) for level in range(256)] * 3
    tile = Image.merge("RGB", [noise(rng, (side, side)) for _ in range(3)]).point(table)
    whole = Image.new("RGB", size)
    for x in range(0, size[0], side):
        for y in range(0, size[1], side):
            whole.paste(ImageChops.offset(tile, rng.randrange(side), rng.randrange(side)), (x, y))
    return whole
