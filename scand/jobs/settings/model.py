"""The settings of a job: every key with its default."""

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
    MANUAL_DUPLEX = "manual-duplex"  # a batch of fronts, then one of backs; the device scans in simplex


class Mode(StrEnum):
    """Colours of a page."""

    COLOR = "color"
    GRAY = "gray"
    LINEART = "lineart"


class Format(StrEnum):
    """Compression of a page."""

    AUTO = "auto"  # CCITT G4 for lineart, else JPEG
    JPEG = "jpeg"
    LOSSLESS = "lossless"


class OnJam(StrEnum):
    """What to do with a batch that ended in a fault."""

    KEEP = "keep"
    DISCARD = "discard"


class Blank(StrEnum):
    """What to do with blank sides, and with sheets that are blank on both sides."""

    KEEP = "keep"
    DROP = "drop"  # left out of the PDF; they stay in the spool


class Trigger(StrEnum):
    """`scan`: what starts the first batch."""

    MANUAL = "manual"  # a client, or the signal
    AUTO = "auto"  # the agent, as soon as it has claimed the job


class Finish(StrEnum):
    """How far the agent moves the job on by itself after the first complete batch."""

    HOLD = "hold"
    PREVIEW = "preview"
    COMMIT = "commit"


OptionValue: TypeAlias = str | int | float | bool


class Settings(BaseModel):
    """The settings of a job. `model_dump(mode="json")` is valid input again.

    Attributes:
        profile: name of the profile that the other keys override.
        source: where the paper lies.
        sides: which sides of each sheet.
        mode: colours.
        resolution: dots per inch.
        page_size: a name, or millimetres.
        format: compression.
        quality: of JPEG, 1 to 95, as libjpeg counts. At 85 and 300 dpi no ringing shows around print, with half
            the bytes of 95; above 95 files grow for no gain.
        on_jam: what to do with a batch that ended in a fault.
        blank_pages: what to do with a blank side. A sheet that is blank on both sides may be a separator, so it
            stays whole unless `blank_sheets` says otherwise.
        blank_sheets: what to do with a sheet that is blank on both sides.
        blank_threshold: ink, in mm², from which a side is not blank (see `feeder.blank.ink`).
        source_name: the source as the driver spells it, for sources that scand would not choose by itself. It is
            used only where it does what `source` and `sides` ask for.
        offset: where the page begins on the glass or in the feeder, x and y in mm.
        rotate_back: degrees by which viewers turn back sides, for devices that deliver them upside-down.
        pause: seconds to wait before each sheet but the first, for feeders that need it.
        max_pages: limit of sides in one batch; None: as many as the feeder holds.
        inbox: folder below the NAS root, or "."; None: the config's.
        options: SANE options, (name, value) in the order in which they are set, after all others. Clients write
            an object or a list of pairs; JSONB does not keep the order of keys, so where the order matters, only
            the list will do.
        scan: what starts the first batch.
        finish: how far the agent moves the job on by itself.
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
    on_jam: Annotated[OnJam, BeforeValidator(folded)] = OnJam.KEEP
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

    @property
    def keeps_on_jam(self) -> bool:
        """Whether job or profile say `on_jam: "keep"` themselves: then people know to feed the rest only."""
        return self.on_jam is OnJam.KEEP and "on_jam" in self.model_fields_set
