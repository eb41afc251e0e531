"""A SANE device, through python-sane's extension module, without the faults of python-sane.

Source: the SANE standard, chapter 4; python-sane 2.9.2 (`_sane.c`), whose quirks are named where they matter.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Self

import _sane

from scand.errors import BadData, ScandError, Unavailable
from scand.faults import FAULTS, ErrorCode, Retry
from scand.feeder.frame import ReadError, read
from scand.feeder.options import DeviceOption, OptionType, Range, Unit
from scand.feeder.parameters import Parameters

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType


class SaneStatus(StrEnum):
    """SANE_Status, as the text of `sane_strstatus` in the C locale: python-sane gives nothing else."""

    UNSUPPORTED = "Operation not supported"
    CANCELLED = "Operation was cancelled"
    DEVICE_BUSY = "Device busy"
    INVAL = "Invalid argument"
    EOF = "End of file reached"
    JAMMED = "Document feeder jammed"
    NO_DOCS = "Document feeder out of documents"
    COVER_OPEN = "Scanner cover is open"
    IO_ERROR = "Error during device I/O"
    NO_MEM = "Out of memory"
    ACCESS_DENIED = "Access to resource has been denied"


_CODES = {SaneStatus[fault.sane]: code for code, fault in FAULTS.items() if fault.sane}


class SaneError(ScandError):
    """libsane answered with an error.

    Args:
        doing: what was tried, the beginning of the sentence: "Opening test:0".
        text: what libsane said.

    Attributes:
        status: the status; None for a text of no known version of SANE.
    """

    exit_status = Unavailable.exit_status

    def __init__(self, doing: str, text: str) -> None:
        # Debian's libsane spells it "canceled", later versions "cancelled".
        known = {status.value.replace("cancelled", "canceled"): status for status in SaneStatus}
        self.status = known.get(text.replace("cancelled", "canceled"))
        code = _CODES.get(self.status, ErrorCode.DEVICE_ERROR) if self.status else ErrorCode.DEVICE_ERROR
        super().__init__(f"{doing}: {text}", code)


@dataclass(frozen=True, slots=True)
class Raster:
    """One side, as the driver delivered it.

    Attributes:
        buffer: its memory, to be used again.
        data: the part of the buffer that is the side; rows from top to bottom, as `encode.image` takes them.
        width: pixels.
        height: pixels.
        channels: 1, or 3 for RGB.
        depth: bits a sample, 8 or 1.
    """

    buffer: bytearray
    data: memoryview
    width: int
    height: int
    channels: int
    depth: int


class Device:
    """An open SANE device.

    Attributes:
        name: its SANE name.

    Raises:
        SaneError: it cannot be opened.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        try:
            # sane.SaneDev would hide whether a value was rounded (INEXACT), and copy images.
            self._handle = _sane._open(name)  # noqa: SLF001
        except _sane.error as error:
            raise SaneError(f"Opening {name}", str(error)) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the device, so that others can open it."""
        self._handle.close()

    def options(self) -> dict[str, DeviceOption]:
        """All options as they are now, by name, in the driver's order; values only where they can be read."""
        found = {}
        for index, name, _title, _text, type_, unit, size, cap, constraint in self._handle.get_options():
            if type_ == _sane.TYPE_GROUP or not name:
                continue
            active = bool(_sane.OPTION_IS_ACTIVE(cap))
            kind = _TYPES[type_]
            array = kind in {OptionType.INT, OptionType.FIXED} and size > _WORD
            readable = active and not array and kind is not OptionType.BUTTON
            found[name] = DeviceOption(
                name=name,
                type=kind,
                unit=_UNITS.get(unit, Unit.NONE),
                constraint=_constraint(constraint),
                size=size,
                active=active,
                settable=bool(_sane.OPTION_IS_SETTABLE(cap)),
                value=self._value(index, kind) if readable else None,
            )
        return found

    def _value(self, index: int, kind: OptionType) -> Any:
        try:
            value = self._handle.get_option(index)
        except _sane.error:
            return None  # some drivers cannot read back what can be set
        return bool(value) if kind is OptionType.BOOL else value

    def set(self, name: str, value: Any) -> None:
        """Set one option. What the driver made of the value is in the next `options()`.

        Raises:
            SaneError: the driver refuses.
            BadData: there is no such option, or the value has the wrong type.
        """
        option = next((option for option in self._handle.get_options() if option[1] == name), None)
        if option is None:
            raise BadData(f"The device has no option {name}.", ErrorCode.UNSUPPORTED_SETTINGS)
        index, type_ = option[0], option[4]
        asked = float(value) if type_ == _sane.TYPE_FIXED else value
        try:
            self._handle.set_option(index, asked)
        except _sane.error as error:
            raise SaneError(f"Setting {name} to {value}", str(error)) from error
        except (TypeError, ValueError) as error:
            raise BadData(
                f"Option {name} does not take {value!r}.", ErrorCode.UNSUPPORTED_SETTINGS
            ) from error

    def parameters(self) -> Parameters:
        """What the driver says of the frame that was started; before that, of the next one.

        Raises:
            SaneError: the driver cannot say.
        """
        try:
            format_, last, (pixels, lines), depth, size = self._handle.get_parameters()
        except _sane.error as error:
            raise SaneError("Asking for the parameters", str(error)) from error
        return Parameters(format_, bool(last), pixels, lines, depth, size)

    def check_early(self) -> None:
        """Refuse, before paper moves, a kind of frame that the driver announces and scand cannot use.

        Raises:
            BadData: `unsupported_settings`.
        """
        try:
            estimate = self.parameters()
        except SaneError:
            return  # before the start, drivers need only give an estimate, and some give none
        estimate.check_frame()

    def start(self) -> None:
        """Start the next side, which feeds a sheet if need be.

        Raises:
            SaneError: NO_DOCS, JAMMED, COVER_OPEN …; only this call tells whether there is paper.
        """
        try:
            self._handle.start()
        except _sane.error as error:
            raise SaneError("Starting a page", str(error)) from error

    def read(self, buffer: bytearray, progress: Callable[[int, int], None]) -> Raster:
        """Read the side that was started, to its end.

        Args:
            buffer: where it goes; if it is too small, a larger one is made.
            progress: called after each chunk with (lines so far, lines in all or -1). It may call `cancel`, which
                is safe only here: between two reads, in the thread that reads. The read then ends with CANCELLED.

        Raises:
            SaneError: the driver failed in mid-page, or the page is shorter than announced.
            BadData: the picture would come out wrong; see `Parameters.check`.
        """
        announced = self.parameters()
        announced.check()
        line = announced.bytes_per_line
        lines = 0

        def advance(size: int) -> None:
            nonlocal lines
            lines = size // line
            progress(lines, announced.lines)

        try:
            buffer, _came = read(self._handle, buffer, line * max(announced.lines, 0), advance)
        except ReadError as error:
            failure = SaneError("Reading a page", str(error))
            if failure.status is SaneStatus.NO_DOCS and lines:
                failure = _too_short(lines, announced.lines)  # not an empty feeder: this sheet is half read
            elif failure.code and FAULTS[failure.code].retry is Retry.A_FEW:
                failure.code = ErrorCode.DEVICE_ERROR  # a sheet has moved: another try would lose it
            raise failure from error
        except MemoryError as error:
            what = f"no memory for a page of {announced.lines} lines of {line} bytes"
            raise SaneError("Reading a page", what) from error
        if lines < announced.lines or lines == 0:
            raise _too_short(lines, announced.lines)
        channels = 3 if announced.format == "color" else 1
        data = memoryview(buffer)[: lines * line]
        return Raster(buffer, data, announced.pixels_per_line, lines, channels, announced.depth)

    def cancel(self) -> None:
        """End the scan: once after the last page, since some drivers crash otherwise, or to stop a page."""
        self._handle.cancel()


def _too_short(came: int, announced: int) -> SaneError:
    return SaneError("Reading a page", f"it ended after {came} of {max(announced, 0) or 'some'} lines")


_WORD = 4  # sizeof(SANE_Word), SANE standard 4.2.1
_TYPES = {
    _sane.TYPE_BOOL: OptionType.BOOL,
    _sane.TYPE_INT: OptionType.INT,
    _sane.TYPE_FIXED: OptionType.FIXED,
    _sane.TYPE_STRING: OptionType.STRING,
    _sane.TYPE_BUTTON: OptionType.BUTTON,
}
_UNITS = {
    _sane.UNIT_PIXEL: Unit.PIXEL,
    _sane.UNIT_MM: Unit.MM,
    _sane.UNIT_DPI: Unit.DPI,
    _sane.UNIT_BIT: Unit.BIT,
}


def _constraint(constraint: Any) -> tuple[Any, ...] | Range | None:
    if isinstance(constraint, tuple):
        return Range(*constraint)
    return tuple(constraint) if constraint is not None else None
