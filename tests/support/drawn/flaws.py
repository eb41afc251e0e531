"""What even a blank side shows: the flaws of paper and scanner. Lengths in mm, levels from 0 to 255."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from tests.support.drawn.sheet import font
from tests.support.drawn.writing import WORDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.drawn.sheet import Sheet


def _skewed(sheet: Sheet) -> None:
    rng = sheet.rng
    sheet.skew = rng.uniform(-1.2, 1.2)
    sheet.around = tuple(rng.uniform(0, 3) for _ in range(4))  # type: ignore[assignment]
    sheet.edge = rng.randint(10, 90)


def _short(sheet: Sheet) -> None:
    sheet.around = (*sheet.around[:3], sheet.rng.uniform(5, 90))
    sheet.edge = sheet.rng.randint(10, 90)


def _bordered(sheet: Sheet) -> None:
    sheet.around = tuple(sheet.rng.choice((0.0, sheet.rng.uniform(0.3, 8))) for _ in range(4))  # type: ignore[assignment]


def _gradient(sheet: Sheet) -> None:
    low = sheet.rng.randint(215, 245)
    ramp = Image.linear_gradient("L").rotate(sheet.rng.choice((0, 90, 180, 270)))
    ramp = ramp.point([low + v * (255 - low) // 255 for v in range(256)]).resize(
        sheet.image.size, Image.Resampling.BICUBIC
    )
    sheet.image = ImageChops.multiply(sheet.image, Image.merge("RGB", [ramp] * 3))


def _shadow(sheet: Sheet) -> None:
    """Shade one edge, as the rollers do, or a sheet that lifts off the glass."""
    sheet.shadow = (sheet.rng.uniform(20, 90), sheet.rng.uniform(1, 4), sheet.rng.randrange(4))


def _bleed(sheet: Sheet) -> None:
    """Let the other side show through: mirrored, soft and pale."""
    rng = sheet.rng
    layer = Image.new("L", sheet.image.size, 255)
    draw = ImageDraw.Draw(layer)
    size = rng.choice((8, 10, 12, 24))
    face = font(max(5, round(size * sheet.dpi / 72)))
    for line in range(rng.randint(3, 40)):
        draw.text((sheet.px(20), sheet.px(25 + line * size * 0.5)), WORDS[line % 4], 0, face)
    if rng.random() < 0.4:
        x, y = rng.uniform(20, 120), rng.uniform(30, 200)
        draw.rectangle((sheet.px(x), sheet.px(y), sheet.px(x + rng.uniform(10, 60)), sheet.px(y + 30)), 60)
    layer = layer.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    layer = layer.filter(ImageFilter.GaussianBlur(rng.uniform(0.2, 0.5) * sheet.dpi / 25.4))
    strength = rng.uniform(3, 14)
    layer = layer.point([round(255 - (255 - v) * strength / 255) for v in range(256)])
    sheet.image = ImageChops.multiply(sheet.image, Image.merge("RGB", [layer] * 3))


def _holes(sheet: Sheet) -> None:
    rng = sheet.rng
    distance, radius = rng.uniform(9, 14), rng.uniform(2.6, 3.4)
    x = rng.choice((distance, sheet.width - distance))
    pitches = rng.choice(((-40, 40), (-120, -40, 40, 120), (-108, 0, 108)))
    draw = ImageDraw.Draw(sheet.image)
    for pitch in pitches:
        y = sheet.height / 2 + pitch
        box = (sheet.px(x - radius), sheet.px(y - radius), sheet.px(x + radius), sheet.px(y + radius))
        draw.ellipse(box, (sheet.backing,) * 3)


def _staple(sheet: Sheet) -> None:
    rng = sheet.rng
    x, y, turn = rng.uniform(6, 16), rng.uniform(6, 16), rng.uniform(0, 1.5)
    ends = [(x, y), (x + 11 * math.cos(turn), y + 11 * math.sin(turn))]
    sheet.print(
        lambda draw: draw.line([(sheet.px(a), sheet.px(b)) for a, b in ends], (246,) * 3, sheet.px(0.5)), 0.15
    )
    for a, b in ends:
        sheet.stroke(
            [(a, b), (a + rng.uniform(0.1, 0.35), b + 0.1)],
            rng.uniform(0.35, 0.6),
            (rng.randint(20, 120),) * 3,
        )


def _fold(sheet: Sheet) -> None:
    rng = sheet.rng
    for _ in range(rng.randint(1, 2)):
        depth = rng.randint(3, 12)
        if rng.random() < 0.8:
            y = sheet.height * rng.choice((1 / 3, 1 / 2, 2 / 3)) + rng.uniform(-5, 5)
            ends = [(-2.0, y), (sheet.width + 2, y + rng.uniform(-1.5, 1.5))]
        else:
            ends = [(sheet.width / 2, -2.0), (sheet.width / 2 + rng.uniform(-1.5, 1.5), sheet.height + 2)]
        colour = (255 - 2 * depth,) * 3
        sheet.print(
            lambda draw, ends=ends, colour=colour: draw.line(  # type: ignore[misc]
                [(sheet.px(a), sheet.px(b)) for a, b in ends], colour, sheet.px(rng.uniform(0.4, 1))
            ),
            rng.uniform(0.2, 0.5),
        )


def _dust(sheet: Sheet) -> None:
    rng = sheet.rng
    for _ in range(rng.randint(1, sheet.density(25))):
        x, y, size = rng.uniform(0, sheet.width), rng.uniform(0, sheet.height), rng.uniform(0.1, 0.5)
        colour = (rng.randint(20, 200),) * 3
        box = (sheet.px(x), sheet.px(y), sheet.px(x + size), sheet.px(y + size * rng.uniform(0.5, 1)))
        ImageDraw.Draw(sheet.image).ellipse(box, colour)


def _flecks(sheet: Sheet) -> None:
    """Add the fibres of recycled paper."""
    rng = sheet.rng
    draw = ImageDraw.Draw(sheet.image)
    for _ in range(rng.randint(1, sheet.density(200))):
        x, y, turn, size = (
            rng.uniform(0, sheet.width),
            rng.uniform(0, sheet.height),
            rng.uniform(0, 3.2),
            rng.uniform(0.1, 0.35),
        )
        level = rng.randint(100, 210)
        ends = (
            sheet.px(x),
            sheet.px(y),
            sheet.px(x + size * math.cos(turn)),
            sheet.px(y + size * math.sin(turn)),
        )
        draw.line(ends, (level, level - 5, level - 15), sheet.px(0.1))


FLAWS: dict[str, Callable[[Sheet], None]] = {
    "bleed": _bleed,
    "gradient": _gradient,
    "shadow": _shadow,
    "fold": _fold,
    "dust": _dust,
    "flecks": _flecks,
    "staple": _staple,
    "holes": _holes,
    "border": _bordered,
    "skew": _skewed,
    "short": _short,
}
