"""Raster → file bytes: JPEG, CCITT G4 or PNG, such that the PDF can take them as they are."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from io import BytesIO

from PIL import Image

_MODES = {1: "L", 3: "RGB"}
_JPEG_LONGEST = 65500  # pixels; libjpeg's JPEG_MAX_DIMENSION
_BAND = 256  # rows
_DARK, _FAR, _NEAR = 128, 64, 16  # of 256 levels


@dataclass(frozen=True, slots=True)
class Encoded:
    """A page as it goes to disk.

    Attributes:
        data: the file.
        suffix: ".jpg", ".tif" or ".png".
        sha256: of `data`, 64 hex digits.
    """

    data: bytes
    suffix: str
    sha256: str


def encode(  # noqa: PLR0913 - what a page is, and what is asked for
    raster: bytes | bytearray,
    width: int,
    height: int,
    channels: int,
    *,
    dpi: float,
    mode: str,
    format: str = "auto",  # noqa: A002 - the word of the settings
    quality: int = 80,
) -> Encoded:
    """Compress one page.

    * "jpeg", and "auto" for color and gray: baseline JPEG, 4:2:0 (chroma at half the resolution, as scanners'
      own software does), Huffman tables not optimized: that would take a second pass for 3 % of the size.
    * lineart, "auto" or "lossless": TIFF with CCITT G4 in one strip, which PDF can embed as it is (a
      CCITTFaxDecode stream cannot be pieced together from several).
    * "lossless" otherwise: PNG at zlib level 1, not interlaced, whose IDAT PDF can embed as it is. A page
      too long for JPEG (65,500 pixels: 2.8 m at 600 dpi) becomes a PNG too rather than none.

    Drops the GIL in all that takes long, so that it may run in threads. Holds, beside the raster, one copy of
    it (4·w·h bytes for color, w·h for lineart, none for gray: Pillow maps the raster itself) and the result.

    Args:
        raster: 8 bits a sample, rows top to bottom and not padded, as python-sane's snap gives them; lineart
            as 0 (black) and 255.
        width: pixels.
        height: pixels.
        channels: 1, or 3 for RGB.
        dpi: pixels per inch, for the file's own header (JPEG and PNG round it; the PDF takes `Page.dpi`).
        mode: "color", "gray" or "lineart".
        format: "auto", "jpeg" or "lossless".
        quality: 1 to 95, for JPEG.

    Raises:
        ValueError: the raster has not width·height·channels bytes.
    """
    image = _image(raster, width, height, channels)
    resolution = (dpi, dpi)
    file = BytesIO()
    if mode == "lineart" and channels == 1 and format != "jpeg":
        bits = image.convert("1", dither=Image.Dither.NONE)
        bits.save(file, "TIFF", compression="group4", strip_size=width * height, dpi=resolution)
        suffix = ".tif"
    elif format == "lossless" or max(width, height) > _JPEG_LONGEST:
        image.save(file, "PNG", compress_level=1, dpi=resolution)
        suffix = ".png"
    else:
        image.save(file, "JPEG", quality=quality, subsampling="4:2:0", dpi=resolution)
        suffix = ".jpg"
    data = file.getvalue()
    return Encoded(data, suffix, hashlib.sha256(data).hexdigest())


def ink(raster: bytes | bytearray, width: int, height: int, channels: int) -> float:
    """How much of a page is not bare paper, as a share of its pixels, 0 to 1: for telling blank sides.

    Paper is the level that most pixels have, or nearly; ink is whatever is farther from it than a quarter of
    the scale, in whichever channel shows most of it (yellow shows in blue only). Scanner noise and what shines
    through from the other side stay within that. A page that is mostly dark counts as all ink: rather the
    scanner's lamp than an empty sheet. For scale: "Page 2" in 10-point type is about 1e-4 of an A4 page, two
    punch holes 1e-3, a speck of dust 1e-6.

    Takes the page in bands of rows: the GIL is never held for more than about 2 ms, and no copy is made.

    Args:
        raster: as for `encode`.
        width: pixels.
        height: pixels.
        channels: 1, or 3 for RGB.

    Raises:
        ValueError: the raster has not width·height·channels bytes.
    """
    _check(raster, width, height, channels)
    levels = [0] * (256 * channels)
    stride = width * channels
    for top in range(0, height, _BAND):
        band = bytes(memoryview(raster)[top * stride : (top + _BAND) * stride])
        counts = _image(band, width, len(band) // stride, channels).histogram()
        levels = [total + count for total, count in zip(levels, counts, strict=True)]
    return max(_far_from_paper(levels[start : start + 256]) for start in range(0, len(levels), 256))


def _far_from_paper(levels: list[int]) -> float:
    def pixels_near(level: int) -> tuple[int, int]:
        return sum(levels[max(0, level - _NEAR) : level + _NEAR]), levels[level]

    paper = max(range(256), key=pixels_near)
    if paper < _DARK:
        return 1.0
    return 1 - sum(levels[paper - _FAR : paper + _FAR]) / sum(levels)


def _image(raster: bytes | bytearray, width: int, height: int, channels: int) -> Image.Image:
    _check(raster, width, height, channels)
    mode = _MODES[channels]
    return Image.frombuffer(mode, (width, height), raster, "raw", mode, 0, 1)


def _check(raster: bytes | bytearray, width: int, height: int, channels: int) -> None:
    if len(raster) != width * height * channels:
        raise ValueError(f"{width}x{height} pixels of {channels} bytes are not {len(raster)} bytes")
