"""Blank sides are found, whatever paper and scanner left on them; a side with writing is never taken for blank."""

from __future__ import annotations

import math
import random

import pytest
from PIL import Image, ImageDraw

from scand.feeder.blank.ink import ink
from tests.support.drawn import Drawn, blank, written
from tests.support.drawn.sheet import font
from tests.support.drawn.writing import KINDS

A6 = (105, 148)
BLANK = 0.5
"""mm² of ink: a side with less is blank. The faintest that is drawn here, a figure in pale 8-point, has more."""
MODES = ("color", "color", "gray", "lineart")


def area(drawn: Drawn) -> float:
    """The ink on a drawn side, in mm²."""
    return ink(*drawn.raster)


def of(image: Image.Image, dpi: int) -> float:
    """The ink in an image, in mm²."""
    return ink(image.tobytes(), *image.size, len(image.getbands()), dpi)


def bare(mode: str = "L", dpi: int = 100) -> Image.Image:
    """An empty A5 sheet."""
    return Image.new(mode, (148 * dpi * 10 // 254, 210 * dpi * 10 // 254), (240, 238, 230)[: len(mode)])


def mixed(seeds: range) -> list[tuple[int, int, str]]:
    """Seeds with a resolution and a mode each."""
    modes = [(seed, MODES[seed % 4]) for seed in seeds]
    dpis = (75, 100, 100, 100, 150, 150, 150)
    return [(s, 150 if m == "lineart" else random.Random(s).choice(dpis), m) for s, m in modes]


@pytest.mark.parametrize("first", [0, 100])
def test_blank_sides_are_found(first: int) -> None:
    """Of a hundred empty sides with folds, holes, dust, shadows, streaks and more, at least 97 are found blank."""
    sides = [blank(seed, dpi, mode, A6) for seed, dpi, mode in mixed(range(first, first + 100))]
    missed = [side.what for side in sides if area(side) > BLANK]
    assert len(missed) <= 3, missed


def test_blank_sides_are_found_at_300_dpi() -> None:
    """Blank sides are found at the resolution at which people scan, too."""
    sides = [blank(seed, 300, MODES[seed % 4], A6) for seed in range(1000, 1012)]
    assert [side.what for side in sides if area(side) > BLANK] == []


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written_is_seen(kind: str) -> None:
    """No side with little or pale ink is taken for blank, on the same papers and with the same flaws."""
    for seed, dpi, mode in [*mixed(range(2000, 2015)), (2020, 300, "color"), (2021, 300, "gray")]:
        side = written(seed, dpi, mode, A6, kind)
        assert area(side) > BLANK, (seed, dpi, mode, side.what)


def test_a_streak_hides_no_text() -> None:
    """A streak down the whole raster is no ink; a figure that it runs through is."""
    side = bare()
    draw = ImageDraw.Draw(side)
    draw.line((300, 0, 300, side.height), 150, 2)
    assert of(side, 100) == 0
    draw.text((297, 700), "3", 60, font=font(11))
    assert of(side, 100) > BLANK


def test_a_fold_hides_no_text() -> None:
    """A slanted line across the sheet, like a fold, is no ink; a line of text on it is."""
    side = bare()
    draw = ImageDraw.Draw(side)
    draw.line((0, 270, side.width, 276), 190, 2)
    assert of(side, 100) == 0
    draw.text((200, 267), "agreed", 90, font=font(11))
    assert of(side, 100) > BLANK


@pytest.mark.parametrize("backing", [0, 10])
@pytest.mark.parametrize("down", [False, True])
def test_a_printed_line_is_ink(down: bool, backing: int) -> None:
    """A line with margins of 10 mm was printed, since a fold has none; the sheet ends where the backing begins."""
    for phase in range(8 if backing else 1):
        sheet, edge = bare(), backing + phase
        ends = (300, 40, 300, sheet.height - 40) if down else (40, 300, sheet.width - 40, 300)
        ImageDraw.Draw(sheet).line(ends, 180, 2)
        side = Image.new("L", (sheet.width + 2 * edge, sheet.height + 2 * edge), 40)
        side.paste(sheet, (edge, edge))
        assert of(side, 100) > 20, phase


def test_holes_are_at_an_edge() -> None:
    """Two punched holes are no ink; a filled circle elsewhere is."""
    side = bare()
    draw = ImageDraw.Draw(side)
    for y in (260, 575):
        draw.circle((47, y), 12, 30)
    assert of(side, 100) == 0
    draw.circle((300, 400), 12, 30)
    assert of(side, 100) == pytest.approx(math.pi * 3.1**2, rel=0.1)


def test_specks_are_dust_only_alone() -> None:
    """Specks all over the sheet are dust; as many in a row are a dotted line, which is ink."""
    side = bare()
    draw = ImageDraw.Draw(side)
    for x in range(30, 560, 90):
        for y in range(30, 800, 130):
            draw.rectangle((x, y, x + 1, y + 1), 60)
    assert of(side, 100) == 0
    for x in range(100, 400, 8):
        draw.rectangle((x, 400, x + 1, 401), 60)
    assert of(side, 100) > BLANK


def test_dark_areas() -> None:
    """A box is ink, and so is a sheet that is dark all over; the backing below a short sheet is not."""
    side = bare("RGB")
    ImageDraw.Draw(side).rectangle((100, 100, 299, 299), (150, 170, 200))
    assert of(side, 100) > 0.7 * 50.8**2
    assert of(Image.new("L", (580, 820), 40), 100) == pytest.approx(580 * 820 * 0.254**2)
    short = bare()
    short.paste(20, (0, 600, *short.size))
    assert of(short, 100) == 0


def test_light_on_dark_is_ink() -> None:
    """White letters in a coloured bar that runs off the sheet are ink, though the bar might be the backing."""
    side = bare("RGB")
    draw = ImageDraw.Draw(side)
    draw.rectangle((0, 0, side.width, 120), (40, 60, 120))
    assert of(side, 100) == 0
    draw.text((100, 50), "Annual report", "white", font=font(16))
    assert of(side, 100) > BLANK


@pytest.mark.parametrize("size", [(1, 1), (3, 700), (700, 3), (40, 40)])
@pytest.mark.parametrize("dpi", [75, 600])
def test_scraps(size: tuple[int, int], dpi: int) -> None:
    """The smallest rasters are measured, too."""
    assert of(Image.new("RGB", size, "white"), dpi) == 0
    assert of(Image.new("L", size, 0), dpi) > 0


def test_a_short_raster_is_refused() -> None:
    """A raster that has not width x height x channels bytes is never measured."""
    with pytest.raises(ValueError, match="30x20"):
        ink(bytearray(30 * 20), 30, 20, 3, 100)
