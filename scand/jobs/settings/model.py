"""One job's settings, complete: every key with its default."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

from scand.jobs.settings.paper import LONGEST, PAGE_SIZES, WIDEST, PageSize
from scand.jobs.settings.paper import page_size as parse_size
from scand.jobs.settings.values import below_root, folded, number, numbers, pairs, whole
from scand.sane_words import MODE_SPELLINGS, SOURCE_SPELLINGS
from scand.wording import either


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


OptionValue: TypeAlias = str | int | float | bool


class Settings(BaseModel):
    """One job's settings, complete. `model_dump(mode="json")` is valid input again.

    Attributes:
        profile: the profile of the config that the rest is on top of.
        resolution: dots per inch.
        quality: of JPEG, as libjpeg counts. 85: at 300 dpi no ringing shows around print, at half the bytes
            of 95; above 95 files grow and nothing is gained.
        blank_pages: what becomes of a blank side. A sheet that is blank on both sides is a separator perhaps, and
            stays whole unless `blank_sheets` says otherwise.
        blank_threshold: mm² of ink that make a side not blank (`blank.ink`).
        source_name: the source as the driver spells it, for those that scand would not choose by itself; only
            where it does what is asked.
        offset: where the page begins on the glass or in the feeder, x and y in mm.
        rotate_back: degrees to turn back sides by, for devices that deliver them upside-down.
        pause: seconds before each further sheet, for feeders that need them.
        max_pages: sides in one batch; None: as many as the feeder holds.
        inbox: a folder below the NAS root, or "."; None: the config's.
        options: SANE options, [name, value] in the order in which they are applied, after all others. Given
            as an object or as a list of pairs: JSONB keeps no order of keys, so where the order matters only
            the list will do.
        scan: what starts the first batch.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    profile: Annotated[str, Field(description="the name of a profile")] = "default"
    source: Annotated[Source, BeforeValidator(folded), Field(examples=[*SOURCE_SPELLINGS])] = Source.ADF
    sides: Annotated[Sides, BeforeValidator(folded)] = Sides.DUPLEX
    mode: Annotated[Mode, BeforeValidator(folded), Field(examples=[*MODE_SPELLINGS])] = Mode.COLOR
    resolution: Annotated[
        int, BeforeValidator(whole), Field(ge=50, le=2400, description="a whole number of dpi, 50 to 2400")
    ] = 300
    page_size: Annotated[
        PageSize,
        BeforeValidator(parse_size),
        PlainSerializer(str, return_type=str),
        Field(description=f"{either([*PAGE_SIZES, '100x250mm'])} (any size)", examples=[*PAGE_SIZES]),
    ] = PAGE_SIZES["a4"]
    format: Annotated[Format, BeforeValidator(folded)] = Format.AUTO
    quality: Annotated[
        int, BeforeValidator(whole), Field(ge=1, le=95, description="a whole number, 1 to 95")
    ] = 85
    on_jam: Annotated[OnJam, BeforeValidator(folded)] = OnJam.DISCARD
    blank_pages: Annotated[Blank, BeforeValidator(folded)] = Blank.KEEP
    blank_sheets: Annotated[Blank, BeforeValidator(folded)] = Blank.KEEP
    blank_threshold: Annotated[
        float, BeforeValidator(number), Field(ge=0, le=1000, description="mm² of ink, 0 to 1000")
    ] = 0.5
    source_name: Annotated[
        str | None,
        BeforeValidator(lambda value: None if value == "" else value),
        Field(description='a source as the driver spells it (`scand probe` shows them), or "" for none'),
    ] = None
    offset: Annotated[
        tuple[Annotated[float, Field(ge=0, le=WIDEST)], Annotated[float, Field(ge=0, le=LONGEST)]],
        BeforeValidator(numbers),
        Field(description=f"[x, y] in mm, up to [{WIDEST:g}, {LONGEST:g}]"),
    ] = (0.0, 0.0)
    rotate_back: Annotated[
        int, BeforeValidator(whole), Field(multiple_of=180, ge=0, le=180, description="0 or 180")
    ] = 0
    pause: Annotated[float, BeforeValidator(number), Field(ge=0, le=600, description="seconds, 0 to 600")] = (
        0.0
    )
    max_pages: Annotated[
        Annotated[int, BeforeValidator(whole), Field(ge=1)] | None,
        Field(description="a whole number from 1"),
    ] = None
    inbox: Annotated[
        Annotated[str, BeforeValidator(below_root)] | None,
        Field(
            description='a folder below the NAS root, such as "PKM/Inbox", without hidden parts, or "." for '
            "the root itself"
        ),
    ] = None
    options: Annotated[
        tuple[tuple[str, OptionValue], ...],
        BeforeValidator(pairs),
        Field(
            description="an object of SANE options, or a list of [name, value] with each name once; "
            "values are strings, numbers, true or false"
        ),
    ] = ()
    scan: Annotated[Trigger, BeforeValidator(folded)] = Trigger.MANUAL
    finish: Annotated[Finish, BeforeValidator(folded)] = Finish.HOLD
