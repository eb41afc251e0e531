"""What the driver says of a frame, and whether scand can make the right picture of it.

Source: the SANE standard, 3.2.1 and 4.3.8.
"""

from __future__ import annotations

from dataclasses import dataclass

from scand.errors import BadData
from scand.faults import ErrorCode


@dataclass(frozen=True, slots=True)
class Parameters:
    """`SANE_Parameters`: exact once the frame is started, an estimate before.

    Attributes:
        format: "gray", "color"; or "red", "green", "blue" for one pass of three.
        last_frame: no other frame of the same page follows.
        pixels_per_line: width of the page.
        lines: height of the page; -1 when the driver does not know it yet.
        depth: bits a sample.
        bytes_per_line: includes whatever padding the driver adds.
    """

    format: str
    last_frame: bool
    pixels_per_line: int
    lines: int
    depth: int
    bytes_per_line: int

    def check_frame(self) -> None:
        """Refuse a kind of frame that scand has no page file for: JPEG has 8 bits a sample, a page is one frame.

        This can be judged from an estimate, even from one that is all zeros.

        Raises:
            BadData: `unsupported_settings`.
        """
        if self.depth > 8:
            raise _unsupported(f"{self.depth} bits a sample", "set the option depth to 8")
        if self.format not in {"gray", "color"}:
            raise _unsupported(f"{self.format} frames in several passes", "choose a one-pass mode")
        if self.format == "color" and self.depth == 1:
            raise _unsupported("colour of 1 bit a sample", "set the option depth to 8")

    def check(self) -> None:
        """Refuse every frame that would come out as a wrong picture. Call it once the frame is started.

        The raster is taken as it comes, so lines with padding are refused, and so are empty lines.

        Raises:
            BadData: `unsupported_settings`.
        """
        self.check_frame()
        if self.depth not in {1, 8}:
            raise _unsupported(f"{self.depth} bits a sample", "set the option depth to 8")
        if not self.last_frame:
            raise _unsupported(f"{self.format} frames in several passes", "choose a one-pass mode")
        samples = 3 if self.format == "color" else 1
        packed = (self.pixels_per_line + 7) // 8 if self.depth == 1 else self.pixels_per_line
        if self.bytes_per_line != samples * packed or self.bytes_per_line < 1:
            raise _unsupported(
                f"lines of {self.bytes_per_line} bytes for {self.pixels_per_line} pixels",
                "choose another page width or resolution",
            )


def _unsupported(what: str, remedy: str) -> BadData:
    sentence = f"The driver delivers {what}, which would come out as a wrong picture: {remedy}."
    return BadData(sentence, ErrorCode.UNSUPPORTED_SETTINGS)
