"""Where the paper comes from, and which of its sides are scanned.

Drivers have five ways to duplex: a value of the source; an option with two names (`adf-mode`, `ScanMode`); a bool
(`duplex`, `scan-both-sides`); no source at all but `duplex`; `batch-scan` with `duplex`. When both sides are asked
for and the device cannot do it, that is refused: one side is never scanned silently.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scand.feeder.options.descriptors import Assignment, DeviceOption, OptionType, all_of, find
from scand.feeder.options.refusal import listed, refused
from scand.sane_words import (
    BATCH,
    FEEDER_MODE,
    SHEETFED_SIGNS,
    SOURCE,
    SWITCHES,
    SourceKind,
    is_continuous,
    plain,
    side_kind,
    source_kind,
    turns_over,
)
from scand.wording import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scand.errors import BadData
    from scand.feeder.options.descriptors import Options
    from scand.jobs.settings import Settings

_FEEDING = frozenset({SourceKind.FEEDER, SourceKind.FRONT, SourceKind.BACK, SourceKind.DUPLEX})


def source(options: Options, settings: Settings) -> Iterator[Assignment]:
    """Set the source; duplex is tried before ADF.

    Raises:
        BadData: the device has no source for what is asked for.
    """
    option = find(options, SOURCE)
    if option is None:
        _check_without_source(options, settings)
        return
    kinds = _kinds(options, settings)
    name = _named_by_settings(options, settings, option, kinds) or _pick(option, kinds)
    if name is None:
        raise _no_source(options, settings, option)
    yield Assignment(option.name, name)


def _named_by_settings(
    options: Options, settings: Settings, option: DeviceOption, kinds: Sequence[SourceKind]
) -> str | None:
    """The source that `source_name` names, if it does what is asked for, or scand cannot tell what it does.

    `source_name` is written once, for a scanner or a profile, while its jobs ask for different things: the glass,
    one side. For those it is ignored.
    """
    name = settings.source_name
    if name is None:
        return None
    if name not in option.choices:
        raise refused(options, f"source_name: this scanner has no {shown(name)}; {listed([option])}.")
    return name if source_kind(name) in {*kinds, SourceKind.OTHER} else None


def _kinds(options: Options, settings: Settings) -> Sequence[SourceKind]:
    """The kinds of source that will do, the best first."""
    if settings.source == "flatbed":
        return (SourceKind.FLATBED,)
    if settings.sides != "duplex":
        return (SourceKind.FRONT, SourceKind.FEEDER)
    # An inactive switch counts, too: it may become active once the source is set.
    switchable = any(_value_for(each, SourceKind.DUPLEX) is not None for each in all_of(options, SWITCHES))
    return (SourceKind.DUPLEX, *((SourceKind.FEEDER, SourceKind.FRONT) if switchable else ()))


def _pick(option: DeviceOption, kinds: Sequence[SourceKind]) -> str | None:
    """The driver's name for the first of the kinds that it has; if several names fit, the one that is set."""
    for kind in kinds:
        names = [name for name in option.choices if source_kind(name) is kind]
        best = [name for name in names if not turns_over(name)] or names
        if best:
            return option.value if option.value in best else best[0]
    return None


def _no_source(options: Options, settings: Settings, option: DeviceOption) -> BadData:
    has = listed([option])
    if settings.source == "flatbed":
        return refused(options, f'Asked for the flatbed, but {has}: set "source" to "adf".')
    if not any(source_kind(name) in _FEEDING for name in option.choices):
        remedy = 'Set "source" to "flatbed"' + (
            ' and "sides" to "simplex"' if settings.sides == "duplex" else ""
        )
        return refused(options, f"Asked to feed a stack, but there is no document feeder: {has}. {remedy}.")
    if settings.sides == "duplex":
        return _one_side_only(options)
    return refused(options, f'Asked for one side, but {has}: set "sides" to "duplex".')


def _one_side_only(options: Options) -> BadData:
    has = listed([find(options, SOURCE), *all_of(options, SWITCHES)])
    return refused(
        options,
        f'Asked for both sides, but the feeder scans one: {has}. Set "sides" to "simplex", or to '
        '"manual-duplex" and feed the stack a second time, turned over.',
    )


def _check_without_source(options: Options, settings: Settings) -> None:
    """Where there is no source to set, refuse what the device gives no sign of.

    Raises:
        BadData: nothing shows that the device can feed a stack, or that it has a flatbed.
    """
    client_words = [str(word) for pair in settings.options for word in pair]
    feeds = any(plain(name) in SHEETFED_SIGNS for name in options) or any(
        source_kind(word) in _FEEDING for word in client_words
    )
    if settings.source == "flatbed" and feeds:
        raise refused(options, 'Asked for the flatbed, but this scanner only feeds: set "source" to "adf".')
    if settings.source == "adf" and not feeds:
        raise refused(
            options,
            "Asked to feed a stack, but this scanner has no source option, and nothing tells of a feeder. "
            'Set "source" to "flatbed" and "sides" to "simplex", or name in "options" what makes it feed.',
        )


def stack(options: Options, settings: Settings) -> Iterator[Assignment]:
    """Make the feeder pull the whole stack. hpaio reports the feeder's end only with `batch-scan`."""
    adf = settings.source == "adf"
    for option in all_of(options, BATCH):
        if option.type is OptionType.BOOL:
            yield Assignment(option.name, adf)
    for option in all_of(options, FEEDER_MODE) if adf else ():
        yield from (Assignment(option.name, name) for name in option.choices if is_continuous(name))


def sides(options: Options, settings: Settings) -> Iterator[Assignment]:
    """Set every active duplex switch, on or off. For both sides, a switch or the source has to do it.

    Raises:
        BadData: neither can.
    """
    kind = SourceKind.DUPLEX if settings.sides == "duplex" else SourceKind.FRONT
    able = _source_kind(options, settings) is SourceKind.DUPLEX
    for option in all_of(options, SWITCHES):
        value = _value_for(option, kind) if option.active else None
        if value is not None:
            able = able or option.usable or option.holds(value)
            yield Assignment(option.name, value)
    if kind is SourceKind.DUPLEX and not able:
        raise _one_side_only(options)


def _value_for(option: DeviceOption, kind: SourceKind) -> Any:
    """The value of a switch that means both sides, or one; None when it has no such value."""
    if option.type is OptionType.BOOL:
        return kind is SourceKind.DUPLEX
    if option.type is not OptionType.STRING or not isinstance(option.constraint, tuple):
        return None
    return min((name for name in option.constraint if side_kind(name) is kind), key=turns_over, default=None)


def _switch_kind(option: DeviceOption) -> SourceKind | None:
    """What a switch is set to: DUPLEX, FRONT; None when that is neither, or the switch is not active."""
    if not option.active or option.value is None:
        return None
    if option.type is OptionType.BOOL:
        return SourceKind.DUPLEX if option.value else SourceKind.FRONT
    return side_kind(str(option.value))


def named_source(options: Options) -> str | None:
    """The source that is set, as the driver spells it; None without the option, or when it cannot be read."""
    option = find(options, SOURCE)
    return option.choices[0] if option is not None and len(option.choices) == 1 else _text(option)


def _text(option: DeviceOption | None) -> str | None:
    return None if option is None or option.value is None else str(option.value)


def _source_kind(options: Options, settings: Settings) -> SourceKind:
    """The kind of the source that is set. If scand cannot tell, `source_name` is taken for what is asked for."""
    name = named_source(options) or ""
    kind = source_kind(name)
    if kind is SourceKind.OTHER and name and name == settings.source_name:
        return _kinds(options, settings)[0]
    return kind


def is_duplex(options: Options, settings: Settings) -> bool:
    """Whether front and back of each sheet come in turn, judged by what the driver reads back."""
    kind = _source_kind(options, settings)
    switches = {_switch_kind(option) for option in all_of(options, SWITCHES)} - {None}
    if kind is SourceKind.FLATBED:
        return False
    return switches == {SourceKind.DUPLEX} if switches else kind is SourceKind.DUPLEX


def check(options: Options, settings: Settings) -> None:
    """Refuse when the driver reads back something else than it was set to.

    Raises:
        BadData: other sides than asked for, another source, or a feeder that pulls only one sheet of the stack.
    """
    has = listed([find(options, SOURCE), *all_of(options, SWITCHES), *all_of(options, FEEDER_MODE)])
    duplex = is_duplex(options, settings)
    if duplex != (settings.sides == "duplex"):
        got = "both sides" if duplex else "one side"
        raise refused(
            options, f"Asked for {settings.sides}, but the driver is set to {got} after all: {has}."
        )
    named = {plain(name) for name, _ in settings.options}  # a client that names the source itself means it
    kind = _source_kind(options, settings)
    wrong = {SourceKind.FLATBED, SourceKind.BACK} if settings.source == "adf" else _FEEDING
    if kind in wrong and named.isdisjoint(SOURCE):
        raise refused(
            options, f"Asked for {settings.source}, but the driver is set otherwise after all: {has}."
        )
    for option in all_of(options, FEEDER_MODE) if settings.source == "adf" else ():
        if option.active and option.value and not is_continuous(str(option.value)):
            raise refused(options, f"Asked to feed a stack, but the driver pulls a single sheet: {has}.")
