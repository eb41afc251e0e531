"""What the device really is set to, after all: read back, not believed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scand.feeder.options import area, client, picture, source

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scand.feeder.options.descriptors import Applied, Options
    from scand.jobs.settings import Settings


@dataclass(frozen=True, slots=True)
class Negotiated:
    """What the next batch will be.

    Attributes:
        duplex: front and back of each sheet come in turn.
        source, mode: as the driver names them; None when it has no such option, or it cannot be read.
        sides: as asked.
        resolution: dpi, as the driver set it; as asked where it tells none.
        page_size_mm: width and height; 0 where neither the driver nor the settings say.
        warnings: what is not quite as asked.
    """

    duplex: bool
    source: str | None
    mode: str | None
    sides: str
    resolution: float
    page_size_mm: tuple[float, float]
    warnings: tuple[str, ...]


def negotiated(options: Options, settings: Settings, applied: Sequence[Applied]) -> Negotiated:
    """What came of it, once `next_assignment` has returned None.

    Args:
        options: as they are now.
        settings: what is asked; an option that they name in `options` is taken as meant.
        applied: all that was set, and what was read back.

    Raises:
        BadData: `unsupported_settings`: the driver was set, but reads back something else.
    """
    source.check(options, settings)
    picture.check(options, settings)
    return Negotiated(
        duplex=source.is_duplex(options, settings),
        source=source.named_source(options),
        mode=picture.named_mode(options),
        sides=settings.sides.value,
        resolution=picture.set_dpi(options) or float(settings.resolution),
        page_size_mm=area.size(options, settings),
        warnings=(
            *picture.warnings(options, settings),
            *area.warnings(options, settings),
            *client.warnings(settings, applied),
        ),
    )
