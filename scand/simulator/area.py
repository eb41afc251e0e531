"""The part of a sheet that is scanned, and the dimensions of the image that it becomes."""

from dataclasses import dataclass
from typing import Final

from scand.simulator.standard import Frame, Parameters

MM_PER_INCH: Final = 25.4
MODES: Final = ("Lineart", "Gray", "Color")
PAGE_SIZES: Final[dict[str, tuple[float, float]]] = {
    "a4": (210.0, 297.0),
    "a5": (148.0, 210.0),
    "letter": (215.9, 279.4),
    "legal": (215.9, 355.6),
}
"""Width and height of each sheet size, in mm."""


def pixels(mm: float, resolution: int) -> int:
    """Convert millimetres to whole pixels.

    Args:
        mm: a length.
        resolution: in dpi.
    """
    return round(mm / MM_PER_INCH * resolution)


@dataclass(frozen=True)
class Area:
    """A scan area, measured from the sheet's top left corner.

    Attributes:
        mode: one of `MODES`.
        resolution: in dpi.
        left: in pixels, like `top`, `width` and `height`.
    """

    mode: str
    resolution: int
    left: int
    top: int
    width: int
    height: int

    @property
    def parameters(self) -> Parameters:
        """The image's format and size. Lines are padded to whole bytes and no further."""
        frame = Frame.RGB if self.mode == "Color" else Frame.GRAY
        depth = 1 if self.mode == "Lineart" else 8
        samples = self.width * (3 if frame is Frame.RGB else 1)
        return Parameters(frame, (samples * depth + 7) // 8, self.width, self.height, depth)
