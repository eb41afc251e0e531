"""The next option to set: first the plan, then the client's own options.

The plan goes forward only, through `vocabulary.ORDER`: it sets each option at most once, whatever the driver
makes of it, and so it ends.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from scand.feeder.options import area, client, picture, source
from scand.sane_words import ORDER, plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scand.feeder.options.descriptors import Applied, Assignment, Options
    from scand.jobs.settings import Settings

_STEPS = (
    source.source,
    picture.mode,
    source.stack,
    source.sides,
    picture.resolution,
    area.area,
    picture.depth,
)
_RANKS = {name: rank for rank, name in enumerate(ORDER)}


def next_assignment(options: Options, settings: Settings, applied: Sequence[Applied]) -> Assignment | None:
    """What to set next; None when the device is as asked.

    Args:
        options: as they are now, in the driver's order.
        settings: what is asked.
        applied: what this function returned before, in order, and what came of it.

    Raises:
        BadData: `unsupported_settings`: the device cannot do it; nothing is scanned some other way.
    """
    planned = _planned(applied)
    if planned == len(applied):
        last = _rank(applied[-1]) if applied else -1
        for step in _STEPS:
            for wish in step(options, settings):
                option = options[wish.name]
                if _rank(wish) > last and option.usable and not option.holds(wish.value):
                    return wish
    return client.following(options, settings, applied[planned:])


def _rank(one: Applied | Assignment) -> int:
    return _RANKS.get(plain(one.name), -1)


def _planned(applied: Sequence[Applied]) -> int:
    """How many of `applied` were the plan's: they go forward through ORDER, the client's own come after."""
    last = -1
    for count, one in enumerate(applied):
        if _rank(one) <= last:
            return count
        last = _rank(one)
    return len(applied)
