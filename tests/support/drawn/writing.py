"""Content that is hard to tell from a blank side: very little, or pale. Lengths in mm, levels from 0 to 255."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PIL import ImageDraw

from tests.support.drawn.sheet import font

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.drawn.sheet import Colour, Sheet

WORDS = (
    "Please find enclosed the minutes of the meeting and the list of those present",
    "The amount due is payable within thirty days of the date of this letter",
    "Both sides were read, and the sheet was laid on the pile to the left",
    "What was agreed by telephone is hereby confirmed in writing",
)


def _number(sheet: Sheet) -> None:
    rng = sheet.rng
    where = (rng.choice((sheet.width / 2, sheet.width - 15, 12)), rng.choice((8, sheet.height - 14)))
    sheet.text(*where, rng.choice((8, 9, 10, 11)), str(rng.randint(1, 9)), sheet.grey(0, 130))


def _line(sheet: Sheet) -> None:
    rng = sheet.rng
    text = rng.choice(WORDS)[: rng.randint(8, 50)]
    sheet.text(rng.uniform(15, 60), rng.uniform(15, sheet.height - 20), 8, text, sheet.grey(0, 204))


def _paragraph(sheet: Sheet) -> None:
    rng = sheet.rng
    colour, points, y = sheet.grey(120, 204), rng.choice((8, 9, 10, 12)), rng.uniform(20, sheet.height - 90)
    for line in range(rng.randint(2, 12)):
        sheet.text(20, y + line * points * 0.45, points, rng.choice(WORDS), colour)


def _edge(sheet: Sheet) -> None:
    rng = sheet.rng
    y = rng.choice((5.0, sheet.height - 8, rng.uniform(10, sheet.height - 20)))
    sheet.text(5, y, 8, rng.choice(WORDS)[: rng.randint(10, 40)], sheet.grey(0, 190))


def _hand(sheet: Sheet, width: float, colour: Colour, length: float) -> None:
    rng = sheet.rng
    x, y = rng.uniform(20, sheet.width - 80), rng.uniform(25, sheet.height - 30)
    phase, tall = rng.uniform(0, 6), rng.uniform(2, 6)
    points = [
        (
            x + length * at / 60 + 1.5 * math.cos(at * 0.9 + phase),
            y + tall * math.sin(at * 0.7 + phase) * math.sin(at * 0.13 + phase) + rng.uniform(-0.3, 0.3),
        )
        for at in range(60)
    ]
    sheet.stroke(points, width, colour)


def _signature(sheet: Sheet) -> None:
    colour = sheet.rng.choice(((30, 50, 140), (20, 20, 30), (90, 110, 190)))
    _hand(sheet, sheet.rng.uniform(0.3, 0.7), (20, 20, 30) if sheet.mode == "lineart" else colour, 40)


def _pencil(sheet: Sheet) -> None:
    _hand(sheet, sheet.rng.uniform(0.3, 0.6), sheet.grey(140, 200), sheet.rng.uniform(10, 60))


def _rule(sheet: Sheet) -> None:
    rng = sheet.rng
    colour, width = sheet.grey(120, 204), rng.uniform(0.35 if sheet.mode == "lineart" else 0.2, 0.5)
    if rng.random() < 0.75:
        x, y = rng.uniform(10, 60), rng.uniform(12, sheet.height - 12)
        sheet.stroke([(x, y), (min(sheet.width - 10, x + rng.uniform(30, 190)), y)], width, colour)
    else:
        x, y = rng.uniform(12, sheet.width - 12), rng.uniform(10, 60)
        sheet.stroke([(x, y), (x, min(sheet.height - 10, y + rng.uniform(30, 280)))], width, colour)


def _dots(sheet: Sheet) -> None:
    rng = sheet.rng
    points = 12 if sheet.mode == "lineart" else rng.choice((8, 10))
    sheet.text(20, rng.uniform(20, sheet.height - 20), points, ". " * rng.randint(15, 60), sheet.grey(0, 160))


def _stamp(sheet: Sheet) -> None:
    rng = sheet.rng
    colour = rng.choice(((230, 150, 150), (150, 170, 230), (160, 210, 170), (200, 160, 220), (190, 190, 190)))
    colour = (40, 40, 40) if sheet.mode == "lineart" else colour
    x, y = rng.uniform(20, sheet.width - 60), rng.uniform(25, sheet.height - 50)
    box = (sheet.px(x), sheet.px(y), sheet.px(x + 40), sheet.px(y + 18))
    sheet.print(lambda draw: draw.rounded_rectangle(box, sheet.px(2), None, colour, sheet.px(0.7)), 0.1)
    sheet.text(x + 4, y + 5, 18, "PAID", colour)


def _marker(sheet: Sheet) -> None:
    """Draw a stroke of a highlighter; not a yellow one in gray, where yellow is as light as paper."""
    rng = sheet.rng
    colours = {
        "color": ((255, 250, 120), (255, 253, 160)),
        "gray": ((150, 235, 150), (255, 190, 110)),
        "lineart": ((20, 20, 20),),
    }
    x, y = rng.uniform(15, 80), rng.uniform(20, sheet.height - 30)
    sheet.stroke(
        [(x, y), (x + rng.uniform(15, 100), y + rng.uniform(-2, 2))],
        rng.uniform(3, 6),
        rng.choice(colours[sheet.mode]),
    )


def _tick(sheet: Sheet) -> None:
    rng = sheet.rng
    x, y = rng.uniform(15, sheet.width - 20), rng.uniform(15, sheet.height - 20)
    sheet.stroke([(x, y), (x + 1.5, y + 2), (x + 4.5, y - 3)], rng.uniform(0.3, 0.6), sheet.grey(20, 170))


def _light_on_colour(sheet: Sheet) -> None:
    """Print white letters on a coloured sheet."""
    rng = sheet.rng
    ground = (
        (30, 30, 30)
        if sheet.mode == "lineart"
        else rng.choice(((120, 150, 210), (230, 140, 60), (90, 160, 120), (40, 60, 120)))
    )
    sheet.image.paste(ground, (0, 0, *sheet.image.size))
    face = font(max(5, round(rng.choice((9, 12, 20)) * sheet.dpi / 72)))
    ImageDraw.Draw(sheet.image).text(
        (sheet.px(30), sheet.px(rng.uniform(30, sheet.height - 40))), rng.choice(WORDS)[:30], "white", face
    )


KINDS: dict[str, Callable[[Sheet], None]] = {
    "number": _number,
    "line": _line,
    "paragraph": _paragraph,
    "edge": _edge,
    "signature": _signature,
    "pencil": _pencil,
    "rule": _rule,
    "dots": _dots,
    "stamp": _stamp,
    "marker": _marker,
    "tick": _tick,
    "light": _light_on_colour,
}
