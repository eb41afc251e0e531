"""Mode, resolution and depth of a page."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from scand.feeder.options.descriptors import Assignment, DeviceOption, all_of, find, number
from scand.feeder.options.refusal import listed, refused
from scand.sane_words import DEPTH, MODE, RESOLUTION, mode_kind, plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scand.feeder.options.descriptors import Options
    from scand.jobs.settings import Settings


def mode(options: Options, settings: Settings) -> Iterator[Assignment]:
    """Set the mode. It is always set, since the default is often Lineart.

    Raises:
        BadData: the device has no such mode.
    """
    option = find(options, MODE)
    if option is None or not option.choices:
        return
    name = _pick(option, settings.mode)
    if name is None and settings.mode == "lineart" and _has_one_bit(options):
        name = _pick(option, "gray")  # SANE's test backend: lineart is grey of one bit
    if name is None:
        able = [f'"{kind}"' for kind in ("color", "gray", "lineart") if _pick(option, kind)]
        remedy = f': set "mode" to {" or ".join(able)}' if able else ""
        raise refused(options, f"Asked for {settings.mode}, but {listed([option])}{remedy}.")
    yield Assignment(option.name, name)


def _pick(option: DeviceOption, kind: str) -> str | None:
    names = [name for name in option.choices if mode_kind(name) == kind]
    if option.value in names:
        return str(option.value)
    return min(names, key=lambda name: name.casefold() != kind) if names else None


def _has_one_bit(options: Options) -> bool:
    return any(_has(option, 1) for option in all_of(options, DEPTH))


def _has(depth: DeviceOption, bits: int) -> bool:
    if depth.usable or depth.value is None:
        return bool(depth.at_least(bits) == bits)
    return depth.holds(bits)


def resolution(options: Options, settings: Settings) -> Iterator[Assignment]:
    """Set the resolution, or the next higher one there is. Old fujitsu drivers have a second option for y."""
    for option in all_of(options, RESOLUTION):
        yield Assignment(option.name, option.at_least(settings.resolution))


def depth(options: Options, settings: Settings) -> Iterator[Assignment]:
    """Set 8 bits a sample, or 1 for lineart; never 16, for which python-sane reads out of bounds.

    Raises:
        BadData: the device has only other depths.
    """
    option = find(options, MODE)
    named = option is not None and mode_kind(str(option.value)) == "lineart"
    wanted = (8,) if settings.mode != "lineart" else (1, 8) if named else (1,)
    for option in all_of(options, DEPTH):
        if option.active and option.constraint is not None:
            able = [bits for bits in wanted if _has(option, bits)]
            if not able:
                raise refused(options, f"Asked for {wanted[-1]} bits a sample, but {listed([option])}.")
            yield Assignment(option.name, able[0])


def named_mode(options: Options) -> str | None:
    """The mode that is set, as the driver spells it; None without the option, or when it cannot be read."""
    option = find(options, MODE)
    return str(option.value) if option is not None and option.value is not None else None


def set_dpi(options: Options) -> float | None:
    """The resolution that is set, in dpi; None where the driver tells none, or none above 0."""
    found = find(options, RESOLUTION)
    value = number(found.value) if found else math.nan
    return value if value > 0 else None


def check(options: Options, settings: Settings) -> None:
    """Refuse when the driver reads back something else than it was set to.

    Raises:
        BadData: it has another mode than asked for, or a depth that python-sane cannot read.
    """
    deep = [option for option in all_of(options, DEPTH) if option.active and number(option.value) > 8]
    if deep:
        raise refused(options, f"Pages of more than 8 bits a sample cannot be read: {listed(deep)}.")
    found = named_mode(options)
    if found is None or any(plain(name) in MODE for name, _ in settings.options):
        return  # a client that names the mode itself means it
    one_bit = any(option.active and option.holds(1) for option in all_of(options, DEPTH))
    kind = "lineart" if one_bit and mode_kind(found) == "gray" else mode_kind(found)
    if kind != settings.mode:
        has = listed([find(options, MODE)])
        raise refused(options, f'Asked for {settings.mode}, but the mode is "{found}" after all: {has}.')


def warnings(options: Options, settings: Settings) -> Iterator[str]:
    """What is not quite as asked for."""
    if named_mode(options) is None:
        yield f"mode: asked {settings.mode}, but the scanner does not let it be chosen"
    if set_dpi(options) is None:
        yield f"resolution: the scanner tells none; its pages are taken for {settings.resolution} dpi"
    for option in all_of(options, RESOLUTION):
        got = number(option.value)
        if option.active and option.settable and got > 0 and got != settings.resolution:
            yield f"{option.name}: asked {settings.resolution} dpi, the scanner does {got:g} dpi"
