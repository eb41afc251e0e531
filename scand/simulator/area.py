"""The part of a sheet that is scanned, and the raster that it becomes."""

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
"""Width and height of a sheet, in mm."""


def pixels(mm: float, resolution: int) -> int:
    """Convert millimetres to whole pixels at `resolution` dpi."""
    return round(mm / MM_PER_INCH * resolution)


@dataclass(frozen=True)
class Area:
    """A scan area in pixels of its `resolution` (dpi), seen from the sheet's top left corner, in a `mode`."""

    mode: str
    resolution: int
    left: int
    top: int
    width: int
    height: int

    @property
    def parameters(self) -> Parameters:
        """What the image will be; lines are never padded beyond whole bytes."""
        frame = Frame.RGB if self.mode == "Color" else Frame.GRAY
        depth = 1 if self.mode == "Lineart" else 8
        samples = self.width * (3 if frame is Frame.RGB else 1)
        return Parameters(frame, (samples * depth + 7) // 8, self.width, self.height, depth)
