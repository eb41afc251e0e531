"""The refusal when a device cannot do what is asked for: what was asked, what it offers, what to set instead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scand.errors import BadData
from scand.faults import ErrorCode
from scand.feeder.options.descriptors import Range
from scand.sane_words import DEPTH, FEEDER_MODE, MODE, RESOLUTION, SOURCE, SWITCHES, plain
from scand.wording import shown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scand.feeder.options.descriptors import DeviceOption, Options

_OFFERED = frozenset({*SOURCE, *MODE, *SWITCHES, *FEEDER_MODE, *RESOLUTION, *DEPTH})
_MOST_CHOICES = 8  # that a sentence lists


def refused(options: Options, sentence: str) -> BadData:
    """The error `unsupported_settings`, with what the device offers instead (option name → values)."""
    offers: dict[str, object] = {
        name: option.offer for name, option in options.items() if plain(name) in _OFFERED and option.offer
    }
    return BadData(sentence, ErrorCode.UNSUPPORTED_SETTINGS, offers)


def listed(options: Iterable[DeviceOption | None]) -> str:
    """What the options offer, as a clause: `source offers "Flatbed", "ADF"; duplex is inactive`."""
    parts = [_clause(option) for option in options if option is not None]
    return "; ".join(parts) if parts else "it has no option for that"


def _clause(option: DeviceOption) -> str:
    if isinstance(option.constraint, Range):
        what = f"{option.constraint.min:g} to {option.constraint.max:g}"
    else:
        few = option.offer[:_MOST_CHOICES]
        what = ", ".join(shown(one) for one in few) + (", …" if len(option.offer) > len(few) else "")
    if not option.active:
        return f"{option.name} is inactive" + (f" ({what})" if what else "")
    return f"{option.name} offers {what}" if what else f"{option.name} is {shown(option.value)}"
