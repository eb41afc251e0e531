"""One batch: the stack, side by side, from the first sheet until the feeder is empty or something is wrong.

The loop is our own, since `multi_scan` of python-sane ends on one exact text only, swallows a partial page and
never ends on a flatbed: start, read, start, read …, with a page cap, and cancel once, at the end.
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

from scand import wire
from scand.errors import ScandError
from scand.faults import ErrorCode
from scand.feeder.device import SaneError, SaneStatus
from scand.feeder.options import Applied, negotiated, next_assignment
from scand.feeder.recorder import Recorder
from scand.spool.disk import disk_errors
from scand.spool.records import Begin, End, Side

if TYPE_CHECKING:
    from scand.feeder.device import Device
    from scand.feeder.options import Negotiated
    from scand.jobs.settings import Settings
    from scand.spool.directories import BatchDirectory
    from scand.wire.parent import Parent

PAGE_CAP = 10_000
"""Sides in one batch where `max_pages` is not set: an ADF that never ends must not fill the disk."""

_EMPTY_TOO_SOON = ("airscan:", "escl:")
"""Backends that take every end of an eSCL job for an empty feeder, also while the MFP says that sheets are loaded
and it has only been slow: they are asked a second time. Source: sane-airscan 0.99.27, airscan-escl.c."""

_WORD_EVERY = 0.25  # seconds between two signs of life while data flows


def apply(device: Device, settings: Settings) -> tuple[Negotiated, list[Applied]]:
    """Set the options one at a time, reading all of them again after each, since drivers reload.

    Returns:
        What it comes to, and each option as asked and as the driver made of it.

    Raises:
        BadData: `unsupported_settings`.
        SaneError: the driver refused a value that it offers.
    """
    applied: list[Applied] = []
    options = device.options()
    while (assignment := next_assignment(options, settings, applied)) is not None:
        device.set(assignment.name, assignment.value)
        options = device.options()
        read_back = options[assignment.name].value if assignment.name in options else None
        applied.append(Applied(assignment.name, assignment.value, read_back))
    return negotiated(options, settings, applied), applied


class Listener:
    """Hears the parent between two lines of a page, and tells it that data flows.

    Attributes:
        stop: `canceled` or `interrupted` once the parent has said so.
    """

    def __init__(self, parent: Parent, device: Device) -> None:
        self._parent, self._device = parent, device
        self._next_word = 0.0
        self.page = 1
        self.stop: ErrorCode | None = None

    def line(self, line: int, lines: int) -> None:
        """Called while a page comes: so many of its lines are there."""
        now = time.monotonic()
        if now < self._next_word:
            return
        self._next_word = now + _WORD_EVERY
        self.hear()
        self._parent.say(wire.Alive(step=f"page {self.page}", done=line, total=max(lines, 0)))
        if self.stop is ErrorCode.CANCELED:
            self._device.cancel()  # between reads, in the driver's own thread: the one safe place

    def rest(self, seconds: float) -> None:
        """Wait, and say so, before the next sheet; a stop ends it early."""
        end = time.monotonic() + seconds
        while self.stop is None and (left := end - time.monotonic()) > 0:
            self.alive()
            time.sleep(min(left, _WORD_EVERY))
            self.hear()

    def alive(self) -> None:
        """Say that what is waited for is not the driver."""
        self._parent.say(wire.Alive(step=f"page {self.page}"))

    def hear(self) -> None:
        """Take in what the parent has said so far; cancel outranks finish."""
        for command in self._parent.poll():
            if isinstance(command, wire.Cancel):
                self.stop = ErrorCode.CANCELED
            elif isinstance(command, wire.Finish) and self.stop is None:
                self.stop = ErrorCode.INTERRUPTED


def scan(
    device: Device, task: wire.Scan, directory: BatchDirectory, parent: Parent, rooms: list[bytearray]
) -> wire.Ended:
    """Pull the stack into the batch's directory.

    begin.json is written before the first sheet moves, each page is captured before it is announced, and
    end.json is written after the last. Whatever goes wrong is the batch's end, never an exception. The device
    is not canceled here: some drivers crash in that, so the caller does it when all is safe and told.

    Args:
        device: open.
        task: what is asked.
        directory: where the batch goes.
        parent: is told, and may stop it.
        rooms: see `Recorder`.

    Returns:
        How it ended; without begin.json on disk when the device could not do what was asked.
    """
    settings = task.settings
    try:
        negotiation, applied = apply(device, settings)
        device.check_early()
    except ScandError as error:
        return _refused(error)
    settled = tuple((step.name, step.asked, step.read_back) for step in applied)
    parent.say(
        wire.Opened(
            device=device.name, duplex=negotiation.duplex, applied=settled, warnings=negotiation.warnings
        )
    )
    begin = Begin(
        device=device.name,
        duplex=negotiation.duplex,
        applied=settled,
        rotate_back=settings.rotate_back,
        keep_on_fault=settings.on_jam == "keep",
        halves=settings.sides == "manual-duplex",
        drop_blank_sheets=settings.blank_sheets == "drop",
    )
    try:
        with disk_errors():
            directory.begin(begin)
    except ScandError as error:
        return _refused(error)
    listener = Listener(parent, device)
    recorder = Recorder(
        rooms, directory, settings, lambda page: parent.say(wire.Captured(page=page)), waiting=listener.alive
    )
    try:
        with disk_errors():
            end = _pull(device, task, negotiation, directory, recorder, listener)
    except ScandError as error:
        end = End(code=listener.stop or error.code or ErrorCode.DEVICE_ERROR, detail=error.sentence)
    try:
        recorder.close()
    except ScandError as error:
        end = End(code=error.code, detail=error.sentence)
    with suppress(OSError):  # the daemon writes it, once the disk lets it
        directory.finish(end)
    return wire.Ended(end=end, leaving=end.code is ErrorCode.DEVICE_ERROR)


def _refused(error: ScandError) -> wire.Ended:
    """No paper has moved. A value that the driver does not take is the job's fault, all else the device's."""
    code = error.code
    if isinstance(error, SaneError) and error.status in {SaneStatus.INVAL, SaneStatus.UNSUPPORTED}:
        code = ErrorCode.UNSUPPORTED_SETTINGS
    end = End(code=code, detail=error.sentence)
    return wire.Ended(end=end, offers=error.offers, leaving=code is ErrorCode.DEVICE_ERROR)


def _pull(
    device: Device,
    task: wire.Scan,
    negotiation: Negotiated,
    directory: BatchDirectory,
    recorder: Recorder,
    listener: Listener,
) -> End:
    settings, number, asked_again = task.settings, 0, 0
    while True:
        sheet, back = divmod(number, 2) if negotiation.duplex else (number, 0)
        listener.page = number + 1
        if number and not back:
            listener.rest(settings.pause)
        listener.hear()
        if listener.stop is ErrorCode.CANCELED or (listener.stop and not back):
            return End(code=listener.stop)
        if not back:
            if number >= (settings.max_pages or PAGE_CAP):
                return End(code=ErrorCode.PAGE_LIMIT)
            if directory.free() < task.min_free:
                return End(code=ErrorCode.STAGING_FULL, detail="The staging disk is nearly full.")
        recorder.check()
        try:
            device.start()
            raster = device.read(recorder.room(), listener.line)
        except SaneError as error:
            if error.status is not SaneStatus.NO_DOCS:
                raise
            if not back and number > asked_again and device.name.startswith(_EMPTY_TOO_SOON):
                asked_again = number
                device.cancel()
                continue
            return _empty(number, sheet + 1, settings, back=bool(back))
        side = Side.BACK if back else Side.FRONT
        recorder.put(raster, number + 1, sheet + 1, side, negotiation.resolution)
        number += 1
        if settings.source == "flatbed":
            return End()  # a flatbed never says empty: one page is the batch


def _empty(number: int, sheet: int, settings: Settings, *, back: bool) -> End:
    """What an empty feeder means after `number` sides: nothing to scan, the end, or a side that is missing."""
    if number == 0:
        return End(code=ErrorCode.FEEDER_EMPTY)
    if back and not any("skip" in name for name, _value in settings.options):
        return End(
            code=ErrorCode.DEVICE_ERROR,
            detail=f"the scanner said that the feeder is empty before it delivered the back of sheet {sheet}",
        )
    return End()
