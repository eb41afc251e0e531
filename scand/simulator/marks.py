"""A machine-readable mark with the number of the side: a row of black and white cells along the top of the page.

32 cells of 4 mm x 6 mm begin 10 mm from the left edge and 8 mm from the top: black, white, 20 bits of the number
(most significant first; black is 1), 8 bits of CRC-32, black, white. The mark is readable at 75 dpi, in lineart
and after JPEG.
"""

import zlib
from collections.abc import Iterator
from typing import Final

from PIL import Image

from scand.simulator.area import MM_PER_INCH

CELL_WIDTH: Final = 4.0  # mm, as are the next three
CELL_HEIGHT: Final = 6.0
LEFT: Final = 10.0
TOP: Final = 8.0
_NUMBER_BITS: Final = 20
_CHECK_BITS: Final = 8
_CELLS: Final = _NUMBER_BITS + _CHECK_BITS + 4
_SAMPLES: Final = 5  # a cell is read in its middle fifth, away from blurred edges


def black_cells(number: int) -> Iterator[float]:
    """Yield the distance of each black cell from the page's left edge, in mm.

    Raises:
        ValueError: the number has more than 20 bits.
    """
    for position, bit in enumerate(_bits(number)):
        if bit == "1":
            yield LEFT + position * CELL_WIDTH


def read_side_number(image: Image.Image, resolution: float) -> int:
    """Read the number of a side from its scanned or rendered page.

    Args:
        image: in any mode, beginning at the page's top left corner.
        resolution: in dpi.

    Raises:
        ValueError: there is no mark: the side is blank, upside down, or of another origin.
    """
    scale = resolution / MM_PER_INCH
    strip = (
        LEFT * scale,
        (TOP + CELL_HEIGHT * 0.3) * scale,
        (LEFT + _CELLS * CELL_WIDTH) * scale,
        (TOP + CELL_HEIGHT * 0.7) * scale,
    )
    if strip[2] > image.width or strip[3] > image.height:
        raise ValueError("the page is too small to have a mark")
    samples = image.convert("L").resize((_CELLS * _SAMPLES, 1), Image.Resampling.BOX, strip).tobytes()
    bits = "".join("01"[level < 128] for level in samples[_SAMPLES // 2 :: _SAMPLES])
    number = int(bits[2 : 2 + _NUMBER_BITS], 2)
    if bits != _bits(number):
        raise ValueError("the page has no mark")
    return number


def _bits(number: int) -> str:
    if not 0 <= number < 1 << _NUMBER_BITS:
        raise ValueError(f"a mark has no room for {number}")
    check = zlib.crc32(number.to_bytes(4, "big")) & 0xFF
    return f"10{number:0{_NUMBER_BITS}b}{check:0{_CHECK_BITS}b}10"
