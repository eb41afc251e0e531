"""The types and constants of the SANE standard that the network protocol carries, by the standard's names.

Source: SANE Standard, "The SANE Application Programming Interface" (data types), and sane/sane.h.
"""

from dataclasses import dataclass
from enum import IntEnum, IntFlag

Value = int | float | str
"""An option's value: int for SANE_Int and SANE_Bool, float for SANE_Fixed, str for SANE_String."""


class Status(IntEnum):
    """What every SANE call returns."""

    GOOD = 0
    UNSUPPORTED = 1
    CANCELLED = 2
    DEVICE_BUSY = 3
    INVAL = 4
    EOF = 5
    JAMMED = 6
    NO_DOCS = 7
    COVER_OPEN = 8
    IO_ERROR = 9
    NO_MEM = 10
    ACCESS_DENIED = 11


class StatusError(Exception):
    """The device refuses a call.

    Attributes:
        status: what the session answers with.
    """

    def __init__(self, status: Status) -> None:
        super().__init__(status.name)
        self.status = status


class ValueType(IntEnum):
    """The type of an option's value."""

    BOOL = 0
    INT = 1
    FIXED = 2
    STRING = 3
    BUTTON = 4
    GROUP = 5


class Unit(IntEnum):
    """The physical unit of an option's value."""

    NONE = 0
    PIXEL = 1
    BIT = 2
    MM = 3
    DPI = 4
    PERCENT = 5
    MICROSECOND = 6


class Cap(IntFlag):
    """What can be done with an option."""

    SOFT_SELECT = 1
    HARD_SELECT = 2
    SOFT_DETECT = 4
    EMULATED = 8
    AUTOMATIC = 16
    INACTIVE = 32
    ADVANCED = 64


class Info(IntFlag):
    """The effects of setting an option."""

    NONE = 0
    INEXACT = 1
    RELOAD_OPTIONS = 2
    RELOAD_PARAMS = 4


class Action(IntEnum):
    """What a client wants from sane_control_option."""

    GET_VALUE = 0
    SET_VALUE = 1
    SET_AUTO = 2


class Frame(IntEnum):
    """The format of an image's frame."""

    GRAY = 0
    RGB = 1


@dataclass(frozen=True)
class Device:
    """An entry of the device list."""

    name: str
    vendor: str
    model: str
    type: str


@dataclass(frozen=True)
class Range:
    """A constraint, in the option's unit.

    Attributes:
        min: lowest value.
        max: highest value.
        quant: step; 0 allows any value in between.
    """

    min: float
    max: float
    quant: float = 0


@dataclass(frozen=True)
class OptionDescriptor:
    """An option as a frontend sees it.

    Attributes:
        name: by which programs know it.
        title: for people, like `desc`.
        type: of its value.
        unit: of its value.
        size: of its value in bytes; strings include their NUL.
        cap: what can be done with it.
        constraint: the values that it may have; None: any.
    """

    name: str
    title: str
    desc: str
    type: ValueType
    unit: Unit = Unit.NONE
    size: int = 4
    cap: Cap = Cap.SOFT_SELECT | Cap.SOFT_DETECT
    constraint: Range | tuple[Value, ...] | None = None


@dataclass(frozen=True)
class Parameters:
    """The image that the next start delivers.

    Attributes:
        format: gray or RGB.
        bytes_per_line: with the padding to whole bytes.
        pixels_per_line: width.
        lines: height.
        depth: bits per sample.
    """

    format: Frame
    bytes_per_line: int
    pixels_per_line: int
    lines: int
    depth: int
