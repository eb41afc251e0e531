"""Encodes a raster as JPEG, CCITT G4 or PNG, in forms that a PDF can embed unchanged."""

from __future__ import annotations

import errno
import hashlib
import os
from dataclasses import dataclass
from typing import IO, cast

from PIL import Image

_MODES = {1: "L", 3: "RGB"}
_END_OF_IMAGE = b"\xff\xd9"  # ITU-T T.81, table B.1
_JPEG_LONGEST = 65500  # pixels; libjpeg's JPEG_MAX_DIMENSION


@dataclass(frozen=True, slots=True)
class Encoded:
    """An encoded page.

    Attributes:
        data: the content of the file.
        suffix: ".jpg", ".tif" or ".png".
        sha256: of `data`, 64 hex digits.
    """

    data: bytes
    suffix: str
    sha256: str


def encode(  # noqa: PLR0913 - what a page is, and how it is to be encoded
    raster: bytes | bytearray | memoryview,
    width: int,
    height: int,
    channels: int,
    *,
    depth: int = 8,
    dpi: float,
    mode: str,
    format: str = "auto",  # noqa: A002 - the word of the settings
    quality: int = 80,
) -> Encoded:
    """Compress one page; see `compressed`.

    Args:
        raster: rows from top to bottom, each padded to whole bytes and no further.
        width: pixels.
        height: pixels.
        channels: 1, or 3 for RGB.
        depth: 8 bits a sample (lineart then has 0 for black and 255 for white), or 1, in which 1 is black.
        dpi: see `compressed`.
        mode: see `compressed`.
        format: see `compressed`.
        quality: see `compressed`.

    Raises:
        ValueError: the raster has not as many bytes as width, height, channels and depth say.
        OSError: there is no memory for the encoded page.
    """
    page = image(raster, width, height, channels, depth)
    return compressed(page, dpi=dpi, mode=mode, format=format, quality=quality)


def compressed(
    page: Image.Image,
    *,
    dpi: float,
    mode: str,
    format: str = "auto",  # noqa: A002 - the word of the settings
    quality: int = 80,
) -> Encoded:
    """Compress one page.

    * "jpeg", and "auto" for color and gray: baseline JPEG, 4:2:0 (chroma at half the resolution, as scanners'
      own software does). Huffman tables are not optimized: that would take a second pass for 3 % of the size.
    * lineart, "auto" or "lossless": TIFF with CCITT G4 in one strip, which PDF can embed unchanged (a
      CCITTFaxDecode stream cannot be put together from several strips).
    * "lossless" otherwise: PNG at zlib level 1, not interlaced, whose IDAT PDF can embed unchanged. A page that is
      too long for JPEG (65,500 pixels: 2.8 m at 600 dpi) becomes a PNG, too.

    JPEG is encoded without the GIL, so that this may run in threads beside one that reads. Memory in use, besides
    the raster: a copy of it (4·w·h bytes for color, w·h for lineart; none for gray, which Pillow maps) and the
    result.

    Args:
        page: see `image`.
        dpi: pixels per inch, for the file's own header (JPEG and PNG round it; the PDF takes `Page.dpi`).
        mode: "color", "gray" or "lineart".
        format: "auto", "jpeg" or "lossless".
        quality: 1 to 95, for JPEG.

    Raises:
        OSError: there is no memory for the encoded page.
    """
    resolution = (dpi, dpi)
    # A file in memory rather than a BytesIO: for that, Pillow (13.0) would encode JPEG while holding the GIL.
    with os.fdopen(os.memfd_create("page"), "w+b") as file:
        suffix = _save(page, file, mode, format, quality, resolution)
        file.seek(0)
        data = file.read()
    if suffix == ".jpg" and not data.endswith(_END_OF_IMAGE):  # Pillow ignores that write(2) took less
        raise OSError(errno.ENOMEM, "no memory for the encoded page")
    return Encoded(data, suffix, hashlib.sha256(data).hexdigest())


def _save(
    page: Image.Image,
    file: IO[bytes],
    mode: str,
    format: str,  # noqa: A002
    quality: int,
    dpi: tuple[float, float],
) -> str:
    """Write the page in the format that suits it, and return the suffix of that format."""
    if mode == "lineart" and page.mode != "RGB" and format != "jpeg":
        bits = page.convert("1", dither=Image.Dither.NONE)
        bits.save(file, "TIFF", compression="group4", strip_size=page.width * page.height, dpi=dpi)
        return ".tif"
    if format == "lossless" or max(page.size) > _JPEG_LONGEST:
        page.save(file, "PNG", compress_level=1, dpi=dpi)
        return ".png"
    page.save(file, "JPEG", quality=quality, subsampling="4:2:0", dpi=dpi)
    return ".jpg"


def image(
    raster: bytes | bytearray | memoryview, width: int, height: int, channels: int, depth: int
) -> Image.Image:
    """The raster as an image; arguments and errors are those of `encode`. Gray is mapped, all else is copied."""
    row = (width * channels * depth + 7) // 8
    if len(raster) != row * height:
        raise ValueError(f"{width}x{height} pixels of {channels}x{depth} bits are not {len(raster)} bytes")
    mode, packing = ("1", "1;I") if depth == 1 else (_MODES[channels], _MODES[channels])
    # frombuffer takes any buffer, though its type says bytes
    return Image.frombuffer(mode, (width, height), cast("bytes", raster), "raw", packing, 0, 1)
