"""Raster → file bytes: JPEG, CCITT G4 or PNG, such that the PDF can take them as they are."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from io import BytesIO
from typing import cast

from PIL import Image

_MODES = {1: "L", 3: "RGB"}
_JPEG_LONGEST = 65500  # pixels; libjpeg's JPEG_MAX_DIMENSION


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
    raster: bytes | bytearray | memoryview,
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
        raster: 8 bits a sample, rows top to bottom and not padded; lineart
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


def _image(raster: bytes | bytearray | memoryview, width: int, height: int, channels: int) -> Image.Image:
    if len(raster) != width * height * channels:
        raise ValueError(f"{width}x{height} pixels of {channels} bytes are not {len(raster)} bytes")
    mode = _MODES[channels]
    # frombuffer takes what bytes() takes, though it does not say so
    return Image.frombuffer(mode, (width, height), cast("bytes", raster), "raw", mode, 0, 1)
