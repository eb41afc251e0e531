"""The next option to set: first those of the plan, then the client's own.

The plan only goes forward through `sane_words.ORDER`: it sets each option at most once, whatever the driver makes
of the value, and so it comes to an end.
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
    """The next option to set; None when the device is set as asked for.

    Args:
        options: as they are now, in the driver's order.
        settings: what is asked for.
        applied: what this function returned before, in order, with the values that were read back.

    Raises:
        BadData: `unsupported_settings`: the device cannot do what is asked for, and nothing is scanned otherwise.
    """
    planned = _planned(applied)
    if planned == len(applied):
        last = _rank(applied[-1]) if applied else -1
        for step in _STEPS:
            for assignment in step(options, settings):
                option = options[assignment.name]
                if _rank(assignment) > last and option.usable and not option.holds(assignment.value):
                    return assignment
    return client.next_assignment(options, settings, applied[planned:])


def _rank(one: Applied | Assignment) -> int:
    return _RANKS.get(plain(one.name), -1)


def _planned(applied: Sequence[Applied]) -> int:
    """How many of `applied` belong to the plan: as long as they go forward through ORDER; the client's follow."""
    last = -1
    for count, one in enumerate(applied):
        if _rank(one) <= last:
            return count
        last = _rank(one)
    return len(applied)
