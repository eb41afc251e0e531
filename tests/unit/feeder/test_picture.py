"""The small picture of a side: its size, which way up it is, and that strips make the same as a whole."""

from __future__ import annotations

import random
from io import BytesIO

import pytest
from PIL import Image, ImageChops, ImageDraw

from scand.feeder.picture import picture


def side(mode: str = "RGB", size: tuple[int, int] = (1240, 1754)) -> Image.Image:
    """A sheet with a black block at its top left, and a line near its bottom."""
    image = Image.new(mode, size, "white")
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, size[0] // 4, size[1] // 4), 0)
    draw.line((0, size[1] * 9 // 10, size[0], size[1] * 9 // 10), 0, 8)
    return image


def made(image: Image.Image, size: int = 400, **more: int) -> Image.Image:
    """Its picture, decoded."""
    found = Image.open(BytesIO(picture([image], *image.size, size, **more)))
    found.load()
    assert found.format == "JPEG"
    return found


def dark(image: Image.Image, x: float, y: float) -> bool:
    """Whether the picture is dark at a place, in shares of its width and height."""
    level = image.convert("L").getpixel((int(x * image.width), int(y * image.height)))
    assert isinstance(level, int | float)
    return level < 100


@pytest.mark.parametrize("mode", ["RGB", "L", "1"])
@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((1240, 1754), (283, 400)),
        ((4960, 7016), (283, 400)),
        ((620, 877), (283, 400)),
        ((1754, 1240), (400, 283)),
        ((250, 160), (250, 160)),
    ],
)
def test_it_is_small_and_the_right_way_up(
    mode: str, size: tuple[int, int], expected: tuple[int, int]
) -> None:
    """The longer side has 400 pixels, or what the side has; shape and content are the side's."""
    found = made(side(mode, size))
    assert found.size == expected
    assert [dark(found, 0.1, 0.1), dark(found, 0.9, 0.1), dark(found, 0.1, 0.5)] == [True, False, False]


def test_a_back_is_turned_where_the_scanner_delivers_it_upside_down() -> None:
    """As viewers of the PDF turn it."""
    found = made(side(), turn=180)
    assert [dark(found, 0.1, 0.2), dark(found, 0.9, 0.9)] == [False, True]


@pytest.mark.parametrize("height", [1, 7, 100, 1753, 4000])
def test_strips_make_the_same_picture(height: int) -> None:
    """However high they are: no row is lost, doubled or moved by as much as a pixel of the picture."""
    whole = side("L")
    strips = [
        whole.crop((0, top, whole.width, min(top + height, whole.height)))
        for top in range(0, whole.height, height)
    ]
    found = Image.open(BytesIO(picture(strips, *whole.size, 400)))
    difference = ImageChops.difference(found, made(whole))
    assert sum(difference.histogram()[48:]) < 0.01 * found.width * found.height


def test_no_picture_is_large() -> None:
    """Not even of noise, which JPEG can hardly compress."""
    noise = Image.frombytes("RGB", (1240, 1754), random.Random(1).randbytes(1240 * 1754 * 3))
    assert len(picture([noise], *noise.size, 400)) < 25_000
    assert len(picture([noise], *noise.size, 200)) < 7_000


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 1)])
def test_scraps(size: tuple[int, int]) -> None:
    """The smallest sides have a picture, too; one without a pixel has none."""
    assert max(made(Image.new("L", size, 255)).size) <= 400
    with pytest.raises(ValueError, match="without a pixel"):
        picture([], 10, 10, 400)
