"""The client's own options, `settings.options`: they are set last, in the order given."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from scand.feeder.options.descriptors import Assignment, DeviceOption, OptionType, Range
from scand.feeder.options.refusal import listed, refused
from scand.wording import meant, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scand.feeder.options.descriptors import Applied, Options
    from scand.jobs.settings import OptionValue, Settings

_SETTABLE = frozenset({OptionType.BOOL, OptionType.INT, OptionType.FIXED, OptionType.STRING})


def next_assignment(options: Options, settings: Settings, applied: Sequence[Applied]) -> Assignment | None:
    """The client's next option that has not the value asked for; None when there is none left.

    Names and values are checked here, since python-sane ignores wrong ones or sets garbage.

    Args:
        options: as they are now.
        settings: what is asked for.
        applied: the client's options that were set before, in order.

    Raises:
        BadData: `unsupported_settings`: the device has no such option, or it cannot have that value.
    """
    names = [name for name, _ in settings.options]
    done = names.index(applied[-1].name) + 1 if applied else 0
    for name, value in settings.options[done:]:
        option = options.get(name)
        if option is None:
            raise refused(options, f"options: this scanner has no {shown(name)}{meant(name, [*options])}.")
        if not option.active:
            raise refused(options, f"options: {name} is not active with these settings.")
        if not option.settable or option.array or option.type not in _SETTABLE:
            raise refused(options, f"options: {name} cannot be set.")
        if not _allowed(option, value):
            raise refused(options, f"options: {name} cannot be {shown(value)}; {listed([option])}.")
        if not option.holds(value):
            return Assignment(name, int(value) if option.type is OptionType.INT else value)
    return None


def _allowed(option: DeviceOption, value: OptionValue) -> bool:
    if isinstance(value, bool) or option.type is OptionType.BOOL:
        return isinstance(value, bool) and option.type is OptionType.BOOL
    if isinstance(value, str) or option.type is OptionType.STRING:
        return isinstance(value, str) and (option.constraint is None or value in option.choices)
    if option.type is OptionType.INT and value != int(value):
        return False
    match option.constraint:
        case Range(min=low, max=high):
            return low <= value <= high
        case tuple() as listed:
            return any(abs(choice - value) < 0.01 for choice in listed)
        case _:
            return True


def warnings(settings: Settings, applied: Sequence[Applied]) -> Iterator[str]:
    """A warning for each of the client's options whose value the driver changed."""
    for one in applied:
        if (one.name, one.asked) in settings.options and not _kept(one.asked, one.read_back):
            yield f"{one.name}: asked {shown(one.asked)}, the scanner made it {shown(one.read_back)}"


def _kept(asked: OptionValue, read_back: Any) -> bool:
    if isinstance(asked, int | float) and isinstance(read_back, int | float):
        return math.isclose(asked, read_back, abs_tol=0.05)  # rounding by the driver's step, or of SANE_Fixed
    return read_back is None or bool(asked == read_back)
