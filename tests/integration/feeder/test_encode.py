"""Rasters become files with the same pixels, in forms that a PDF can embed unchanged."""

from __future__ import annotations

import hashlib
from io import BytesIO

import pytest
from PIL import Image, ImageChops, ImageDraw
from PIL.TiffImagePlugin import TiffImageFile

from scand.feeder.encode import Encoded, encode

WIDTH, HEIGHT = 333, 200  # not a multiple of 8, nor of a JPEG block


def page(mode: str) -> Image.Image:
    """A page with a gradient, a black bar at the left, and a marked corner to tell top from bottom."""
    image = Image.linear_gradient("L").resize((WIDTH, HEIGHT)).convert(mode)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, 20, HEIGHT), fill=0)
    draw.rectangle((WIDTH - 30, 0, WIDTH, 30), fill="red" if mode == "RGB" else 90)
    return image


def encoded(image: Image.Image, mode: str, *, format: str = "auto", quality: int = 80) -> Encoded:  # noqa: A002
    """The file that its raster becomes."""
    raster = bytearray(image.tobytes())
    channels = len(image.getbands())
    return encode(raster, *image.size, channels, dpi=300, mode=mode, format=format, quality=quality)


def decoded(file: Encoded) -> Image.Image:
    """The image that is in the file."""
    image = Image.open(BytesIO(file.data))
    image.load()
    return image


@pytest.mark.parametrize(("mode", "pillow"), [("color", "RGB"), ("gray", "L")])
def test_jpeg(mode: str, pillow: str) -> None:
    """Color and gray become JPEG with the dpi in its header, and look like the raster."""
    file = encoded(page(pillow), mode, quality=90)
    image = decoded(file)
    assert (file.suffix, image.format, image.mode, image.size) == (".jpg", "JPEG", pillow, (WIDTH, HEIGHT))
    assert image.info["dpi"] == (300, 300)
    histogram = ImageChops.difference(image, page(pillow)).convert("L").histogram()
    assert sum(histogram[24:]) < 0.01 * sum(histogram)
    assert file.sha256 == hashlib.sha256(file.data).hexdigest()


def test_quality_tells() -> None:
    """A higher quality makes a larger file."""
    assert len(encoded(page("RGB"), "color", quality=95).data) > len(
        encoded(page("RGB"), "color", quality=30).data
    )


@pytest.mark.parametrize(
    ("mode", "format", "suffix"), [("lineart", "auto", ".tif"), ("gray", "jpeg", ".jpg")]
)
def test_bits_come_out_as_they_are(mode: str, format: str, suffix: str) -> None:  # noqa: A002
    """A raster of 1 bit a sample, in which 1 is black and each row begins in a new byte, keeps its pixels."""
    bits = page("1")
    packed = bytes(255 - byte for byte in bits.tobytes())
    file = encode(packed, *bits.size, 1, depth=1, dpi=300, mode=mode, format=format, quality=95)
    assert file.suffix == suffix
    difference = ImageChops.difference(decoded(file).convert("L"), bits.convert("L"))
    assert sum(difference.histogram()[64:]) < 0.01 * WIDTH * HEIGHT


def test_lineart_is_g4_in_one_strip() -> None:
    """Lineart becomes G4 with exactly its pixels, black on white, in the single strip that PDF needs."""
    bits = page("L").point(lambda level: 255 if level > 100 else 0)
    file = encoded(bits, "lineart")
    image = decoded(file)
    assert isinstance(image, TiffImageFile)
    assert (file.suffix, image.mode, image.info["compression"]) == (".tif", "1", "group4")
    assert image.info["dpi"] == (300, 300)
    assert len(image.tag_v2[273]) == 1  # StripOffsets
    assert image.convert("L").tobytes() == bits.tobytes()
    assert image.getpixel((5, 100)) == 0


@pytest.mark.parametrize(("mode", "pillow"), [("color", "RGB"), ("gray", "L")])
def test_lossless(mode: str, pillow: str) -> None:
    """A lossless page becomes a PNG with exactly the raster's pixels, not interlaced."""
    file = encoded(page(pillow), mode, format="lossless")
    assert file.suffix == ".png"
    assert decoded(file).tobytes() == page(pillow).tobytes()
    assert file.data[28] == 0  # IHDR, interlace method


def test_lineart_as_asked() -> None:
    """Lossless lineart is G4, which loses nothing; with the format "jpeg" it is JPEG."""
    bits = page("L").point(lambda level: 255 if level > 100 else 0)
    assert encoded(bits, "lineart", format="lossless").suffix == ".tif"
    assert encoded(bits, "lineart", format="jpeg").suffix == ".jpg"


def test_a_page_too_long_for_jpeg_is_not_lost() -> None:
    """A page with more lines than a JPEG can have becomes a PNG; in lineart it becomes G4 like any other."""
    long = Image.new("L", (16, 70_000), 255)
    assert decoded(encoded(long, "gray")).size == (16, 70_000)
    assert encoded(long, "gray").suffix == ".png"
    assert decoded(encoded(long, "lineart")).size == (16, 70_000)


def test_a_short_raster_is_refused() -> None:
    """A raster that has not width x height x channels bytes never becomes a page."""
    for size in (WIDTH * HEIGHT * 3 - 1, WIDTH * HEIGHT):
        with pytest.raises(ValueError, match="333x200"):
            encode(bytearray(size), WIDTH, HEIGHT, 3, dpi=300, mode="color")
