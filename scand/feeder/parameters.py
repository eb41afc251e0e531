"""What the driver says of a frame, and whether it is one that scand makes the right picture of.

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
        format: "gray", "color", or "red", "green", "blue" for a pass of three.
        lines: -1 when the driver does not know yet how long the page is.
        bytes_per_line: with whatever padding the driver adds.
    """

    format: str
    last_frame: bool
    pixels_per_line: int
    lines: int
    depth: int
    bytes_per_line: int

    def check_frame(self) -> None:
        """Refuse what no page file here can hold as it is, even by an estimate with nothing in it yet.

        JPEG has 8 bits a sample, and a page is one frame.

        Raises:
            BadData: with `unsupported_settings`.
        """
        if self.depth > 8:
            raise _unsupported(f"{self.depth} bits a sample", "set the option depth to 8")
        if self.format not in {"gray", "color"}:
            raise _unsupported(f"{self.format} frames in several passes", "choose a one-pass mode")
        if self.format == "color" and self.depth == 1:
            raise _unsupported("colour of 1 bit a sample", "set the option depth to 8")

    def check(self) -> None:
        """Refuse all that would come out as another picture, once the frame is started.

        Lines are taken as they come: padded ones, or ones of nothing, are none.

        Raises:
            BadData: with `unsupported_settings`.
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


def _unsupported(what: str, mend: str) -> BadData:
    sentence = f"The driver delivers {what}, which would come out as a wrong picture: {mend}."
    return BadData(sentence, ErrorCode.UNSUPPORTED_SETTINGS)
