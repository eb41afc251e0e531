"""What the device is really set to in the end, as it is read back."""

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
    """How the next batch will be scanned.

    Attributes:
        duplex: front and back of each sheet come in turn.
        source: as the driver spells it; None when it has no such option, or it cannot be read.
        mode: as the driver spells it; None when it has no such option, or it cannot be read.
        sides: as asked for.
        resolution: dpi as the driver set it; as asked for where the driver does not tell.
        page_size_mm: width and height; 0 where neither the driver nor the settings tell.
        warnings: what is not quite as asked for.
    """

    duplex: bool
    source: str | None
    mode: str | None
    sides: str
    resolution: float
    page_size_mm: tuple[float, float]
    warnings: tuple[str, ...]


def negotiated(options: Options, settings: Settings, applied: Sequence[Applied]) -> Negotiated:
    """What the device is set to, once `next_assignment` has returned None.

    Args:
        options: as they are now.
        settings: what is asked for; an option that the client names itself is not checked.
        applied: all options that were set, in order.

    Raises:
        BadData: `unsupported_settings`: the driver reads back something else than it was set to.
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
