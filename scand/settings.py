"""What is asked of a scanner: `scan_jobs.settings` (JSONB), on top of a profile of the config.

A key that is absent, or null, is taken from the profile, and then from the defaults below. SANE's own
spellings are understood for `source` and `mode`. Nothing is guessed beyond that: a misspelt "duplex" must
never scan one side, so an unknown key or value is refused with `bad_settings`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, ValidationError

from scand.errors import BadData, ErrorCode
from scand.vocabulary import (
    MODE_SPELLINGS,
    MODE_WORDS,
    SOURCE_SPELLINGS,
    SOURCE_WORDS,
    SourceKind,
    mode_kind,
    source_kind,
    understood,
)
from scand.wording import MOST, complaints, either, meant, shown, together


class Source(StrEnum):
    """Where the paper lies."""

    ADF = "adf"
    FLATBED = "flatbed"


class Sides(StrEnum):
    """Which sides of each sheet."""

    DUPLEX = "duplex"
    SIMPLEX = "simplex"
    MANUAL_DUPLEX = "manual-duplex"  # one batch of fronts, then one of backs; simplex for the device


class Mode(StrEnum):
    """How a page is seen."""

    COLOR = "color"
    GRAY = "gray"
    LINEART = "lineart"


class Format(StrEnum):
    """How a page is stored."""

    AUTO = "auto"  # G4 for lineart, else JPEG
    JPEG = "jpeg"
    LOSSLESS = "lossless"


class OnJam(StrEnum):
    """What becomes of a batch that ended in a fault."""

    DISCARD = "discard"
    KEEP = "keep"


class Blank(StrEnum):
    """What becomes of blank sides, and of sheets that are blank on both."""

    KEEP = "keep"
    DROP = "drop"  # left out of the PDF; they stay in the spool


class Trigger(StrEnum):
    """`scan`: what starts the first batch."""

    MANUAL = "manual"  # a person at the scanner
    AUTO = "auto"  # the claim


class Finish(StrEnum):
    """How far the agent goes by itself after the first complete batch."""

    HOLD = "hold"
    PREVIEW = "preview"
    COMMIT = "commit"


@dataclass(frozen=True, slots=True)
class PageSize:
    """A page; both lengths are infinite for "max": whatever the device does."""

    name: str
    width_mm: float
    height_mm: float

    def __str__(self) -> str:
        return self.name


PAGE_SIZES = {
    "a3": PageSize("a3", 297.0, 420.0),
    "a4": PageSize("a4", 210.0, 297.0),
    "a5": PageSize("a5", 148.0, 210.0),
    "letter": PageSize("letter", 215.9, 279.4),
    "legal": PageSize("legal", 215.9, 355.6),
    "max": PageSize("max", math.inf, math.inf),
}
_FREE_SIZE = re.compile(r"(\d{1,5}(?:\.\d{1,3})?)x(\d{1,5}(?:\.\d{1,3})?)mm")
_WIDEST, _LONGEST, _SMALLEST = 1000.0, 6000.0, 10.0  # mm

OptionValue: TypeAlias = str | int | float | bool


def _folded(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value


def _whole(value: Any) -> Any:
    """300.0 is 300 (JSON knows one kind of number); true is no number, nor is "300"."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
        raise ValueError
    return int(value)


def _number(value: Any) -> Any:
    """JSON's numbers only: true is none, nor is "2"."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError  # noqa: TRY004 - pydantic listens to ValueError only
    return float(value)


def _numbers(value: Any) -> Any:
    if not isinstance(value, list | tuple):
        raise ValueError  # noqa: TRY004 - pydantic listens to ValueError only
    return tuple(_number(one) for one in value)


def _page_size(value: Any) -> Any:
    if isinstance(value, PageSize):
        return value
    if not isinstance(value, str):
        raise ValueError  # noqa: TRY004 - pydantic listens to ValueError only
    text = value.casefold().replace(" ", "")
    if text in PAGE_SIZES:
        return PAGE_SIZES[text]
    match = _FREE_SIZE.fullmatch(text)
    if match is None:
        raise ValueError
    width, height = float(match[1]), float(match[2])
    if not (_SMALLEST <= width <= _WIDEST and _SMALLEST <= height <= _LONGEST):
        raise ValueError
    return PageSize(f"{width:g}x{height:g}mm", width, height)


def below_root(value: Any, *, hidden: bool = False) -> Any:
    """A folder below the NAS root, as it is written: relative, without "..".

    Args:
        value: the folder.
        hidden: whether a part may begin with a dot. An Inbox must keep out of `.scan-staging`.

    Raises:
        ValueError: it is not, or no file system could have it.
    """
    if not isinstance(value, str):
        raise ValueError  # noqa: TRY004 - pydantic listens to ValueError only
    parts = value.removesuffix("/").split("/")
    for part in parts:
        if part in {"", ".", ".."} or (part.startswith(".") and not hidden):
            raise ValueError
        if not part.isprintable() or len(part.encode()) > 255:
            raise ValueError
    return "/".join(parts)


def _pairs(value: Any) -> Any:
    pairs = list(value.items()) if isinstance(value, Mapping) else value
    if not isinstance(pairs, list | tuple):
        raise ValueError  # noqa: TRY004 - pydantic listens to ValueError only
    for pair in pairs:
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise ValueError
        name, setting = pair
        if not isinstance(name, str) or not name or not isinstance(setting, str | int | float):
            raise ValueError
        if isinstance(setting, float) and not math.isfinite(setting):
            raise ValueError
    if len({name for name, _ in pairs}) < len(pairs):
        raise ValueError
    return tuple((name, setting) for name, setting in pairs)


class Settings(BaseModel):
    """One job's settings, complete. `model_dump(mode="json")` is valid input again.

    Attributes:
        profile: the profile of the config that the rest is on top of.
        resolution: dots per inch.
        quality: of JPEG, as libjpeg counts. 85: at 300 dpi no ringing shows around print, at half the bytes
            of 95; above 95 files grow and nothing is gained.
        blank_pages: what becomes of a blank side. A sheet that is blank on both sides is a separator perhaps, and
            stays whole unless `blank_sheets` says otherwise.
        blank_threshold: percent of a side that must be ink for it not to be blank.
        source_name: the source as the driver spells it, for those that scand would not choose by itself; only
            where it does what is asked.
        offset: where the page begins on the glass or in the feeder, x and y in mm.
        rotate_back: degrees to turn back sides by, for devices that deliver them upside-down.
        pause: seconds before each further sheet, for feeders that need them.
        max_pages: sides in one batch; None: as many as the feeder holds.
        inbox: a folder below the NAS root; None: the config's.
        options: SANE options, [name, value] in the order in which they are applied, after all others. Given
            as an object or as a list of pairs: JSONB keeps no order of keys, so where the order matters only
            the list will do.
        scan: what starts the first batch.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    profile: Annotated[str, Field(description="the name of a profile")] = "default"
    source: Annotated[Source, BeforeValidator(_folded), Field(examples=[*SOURCE_SPELLINGS])] = Source.ADF
    sides: Annotated[Sides, BeforeValidator(_folded)] = Sides.DUPLEX
    mode: Annotated[Mode, BeforeValidator(_folded), Field(examples=[*MODE_SPELLINGS])] = Mode.COLOR
    resolution: Annotated[
        int, BeforeValidator(_whole), Field(ge=50, le=2400, description="a whole number of dpi, 50 to 2400")
    ] = 300
    page_size: Annotated[
        PageSize,
        BeforeValidator(_page_size),
        PlainSerializer(str, return_type=str),
        Field(description=f"{either([*PAGE_SIZES, '100x250mm'])} (any size)", examples=[*PAGE_SIZES]),
    ] = PAGE_SIZES["a4"]
    format: Annotated[Format, BeforeValidator(_folded)] = Format.AUTO
    quality: Annotated[
        int, BeforeValidator(_whole), Field(ge=1, le=95, description="a whole number, 1 to 95")
    ] = 85
    on_jam: Annotated[OnJam, BeforeValidator(_folded)] = OnJam.DISCARD
    blank_pages: Annotated[Blank, BeforeValidator(_folded)] = Blank.KEEP
    blank_sheets: Annotated[Blank, BeforeValidator(_folded)] = Blank.KEEP
    blank_threshold: Annotated[
        float, BeforeValidator(_number), Field(ge=0, le=10, description="percent of ink, 0 to 10")
    ] = 0.02
    source_name: Annotated[
        str | None,
        BeforeValidator(lambda value: None if value == "" else value),
        Field(description='a source as the driver spells it (`scand probe` shows them), or "" for none'),
    ] = None
    offset: Annotated[
        tuple[Annotated[float, Field(ge=0, le=_WIDEST)], Annotated[float, Field(ge=0, le=_LONGEST)]],
        BeforeValidator(_numbers),
        Field(description="[x, y] in mm"),
    ] = (0.0, 0.0)
    rotate_back: Annotated[
        int, BeforeValidator(_whole), Field(multiple_of=180, ge=0, le=180, description="0 or 180")
    ] = 0
    pause: Annotated[
        float, BeforeValidator(_number), Field(ge=0, le=600, description="seconds, 0 to 600")
    ] = 0.0
    max_pages: Annotated[
        Annotated[int, BeforeValidator(_whole), Field(ge=1)] | None,
        Field(description="a whole number from 1"),
    ] = None
    inbox: Annotated[
        Annotated[str, BeforeValidator(below_root)] | None,
        Field(description='a folder below the NAS root, such as "PKM/Inbox"'),
    ] = None
    options: Annotated[
        tuple[tuple[str, OptionValue], ...],
        BeforeValidator(_pairs),
        Field(
            description="an object of SANE options, or a list of [name, value] with each name once; "
            "values are strings, numbers, true or false"
        ),
    ] = ()
    scan: Annotated[Trigger, BeforeValidator(_folded)] = Trigger.MANUAL
    finish: Annotated[Finish, BeforeValidator(_folded)] = Finish.HOLD


def resolve(raw: Mapping[str, Any], profiles: Mapping[str, Mapping[str, Any]]) -> Settings:
    """What a job asks for, on top of its profile.

    Args:
        raw: `scan_jobs.settings`. null is absent; keys that begin with `x_` are the client's own.
        profiles: the config's, by name; "default" is there without being written.

    Raises:
        BadData: `bad_settings`, with every key that is wrong, what it says and what it may be.
    """
    asked = _plain(raw, "settings")
    profile = _profile(asked.get("profile", "default"), profiles)
    return _complete({**_under(asked, profile), **asked})


def _profile(name: object, profiles: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    if not isinstance(name, str) or (name not in profiles and name != "default"):
        known = sorted({"default", *profiles})
        raise _bad(f"profile is {shown(name)}, but may be {either(known[:9])}{meant(name, known)}")
    profile = _plain(profiles.get(name, {}), f"profile {shown(name)}")
    if "profile" in profile:
        raise _bad(f"profile {shown(name)}: a profile cannot name a profile")
    return profile


def _plain(layer: object, where: str) -> dict[str, Any]:
    """One layer in scand's own words: SANE's spellings taken apart; no nulls, no keys of the client's own."""
    if not isinstance(layer, Mapping):
        raise _bad(f"{where} must be an object, not {shown(layer)}")
    plain = {
        key: value for key, value in layer.items() if value is not None and not str(key).startswith("x_")
    }
    source, sides = plain.get("source"), _folded(plain.get("sides"))
    if isinstance(source, str) and understood(source, SOURCE_WORDS):
        found = _SOURCES.get(source_kind(source))
        if found is not None:
            plain["source"], said = found
            if said and sides is None:
                plain["sides"] = said
            elif said and sides != said and (sides, said) != (Sides.MANUAL_DUPLEX, Sides.SIMPLEX):
                raise _bad(f"{where}: source {shown(source)} and sides {shown(sides)} contradict each other")
    mode = plain.get("mode")
    if isinstance(mode, str) and understood(mode, MODE_WORDS):
        plain["mode"] = mode_kind(mode) or mode
    return plain


_SOURCES: dict[SourceKind, tuple[Source, Sides | None]] = {
    SourceKind.FLATBED: (Source.FLATBED, None),
    SourceKind.FEEDER: (Source.ADF, None),
    SourceKind.FRONT: (Source.ADF, Sides.SIMPLEX),
    SourceKind.DUPLEX: (Source.ADF, Sides.DUPLEX),
}
"""What a source that a client spelt SANE's way says of `source` and of `sides`."""


def _under(asked: Mapping[str, Any], profile: Mapping[str, Any]) -> dict[str, Any]:
    """The profile without its sides where the job takes another source: they were meant for the profile's."""
    before = profile.get("source", Source.ADF)
    moved = asked.get("source", before) != before
    return {key: value for key, value in profile.items() if not (moved and key == "sides")}


def _complete(merged: dict[str, Any]) -> Settings:
    if _folded(merged.get("source")) == Source.FLATBED:
        merged.setdefault("sides", Sides.SIMPLEX)
    try:
        settings = Settings.model_validate(merged)
    except ValidationError as error:
        first = complaints(error, Settings, "a setting", MOST)  # a client may have written a million keys
        found = together(first, error.error_count())
        hint = "" if merged.keys() <= Settings.model_fields.keys() else '; SANE options go into "options"'
        raise _bad(found + hint) from None
    if (settings.source, settings.sides) == (Source.FLATBED, Sides.DUPLEX):
        raise _bad('sides is "duplex", but a flatbed has one side: it may be "simplex", or source "adf"')
    return settings


def _bad(sentence: str) -> BadData:
    return BadData(f"{sentence}.", ErrorCode.BAD_SETTINGS)
