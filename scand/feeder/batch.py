"""Scans one batch, side by side, from the first sheet until the feeder is empty or something goes wrong.

The loop is our own: `multi_scan` of python-sane ends on one exact text only, swallows a partial page and never
ends on a flatbed. Ours is start, read, start, read … up to a limit, and one cancel at the end.
"""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from scand import wire
from scand.errors import ScandError
from scand.faults import ErrorCode
from scand.feeder.device import SaneError, SaneStatus
from scand.feeder.options import Applied, negotiated, next_assignment
from scand.feeder.recorder import Recorder
from scand.spool.disk import disk_errors
from scand.spool.paper import Paper
from scand.spool.records import Begin, End, Side
from scand.wire.throttle import ALIVE_EVERY, Throttle

if TYPE_CHECKING:
    from scand.feeder.device import Device
    from scand.feeder.options import Negotiated
    from scand.jobs.settings import Settings
    from scand.spool.batches import BatchDirectory
    from scand.wire.parent import Parent

_MOST_SIDES = 10_000
"""Limit of sides in one batch where `max_pages` is not set: a feeder that never ends must not fill the disk."""

_FALSELY_EMPTY = ("airscan:", "escl:")
"""Backends that take every end of an eSCL job for an empty feeder, also while the MFP reports loaded sheets and
was only slow. They are asked a second time. Source: sane-airscan 0.99.27, airscan-escl.c."""


def apply(device: Device, settings: Settings) -> tuple[Negotiated, list[Applied]]:
    """Set the options one at a time. All are read again after each, since drivers change others with it.

    Returns:
        What the device is set to in the end; and each option that was set, as asked for and as read back.

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
    """Reads the parent's commands between two chunks of a page, and tells the parent that data is flowing.

    Attributes:
        page: number of the page under way, from 1.
        stop: `canceled` or `interrupted`, once the parent has said so.
    """

    def __init__(self, parent: Parent, device: Device) -> None:
        self._parent, self._device = parent, device
        self._throttle = Throttle()
        self.page = 1
        self.stop: ErrorCode | None = None

    def progress(self, line: int, lines: int) -> None:
        """Called after each chunk of a page, with the number of lines so far and in all (-1: unknown)."""
        if not self._throttle.due():
            return
        self.hear()
        self._parent.say(wire.Alive(step=f"page {self.page}", done=line, total=max(lines, 0)))
        if self.stop is ErrorCode.CANCELED:
            self._device.cancel()  # safe here: between two reads, in the thread that reads

    def pause(self, seconds: float) -> None:
        """Wait before the next sheet; a stop ends the wait early."""
        end = time.monotonic() + seconds
        while self.stop is None and (left := end - time.monotonic()) > 0:
            self.alive()
            time.sleep(min(left, ALIVE_EVERY))
            self.hear()

    def alive(self) -> None:
        """Tell the parent that the feeder waits for something else than the driver."""
        self._parent.say(wire.Alive(step=f"page {self.page}"))

    def hear(self) -> None:
        """Read the commands that have come. After `Cancel`, `Finish` changes nothing."""
        for command in self._parent.poll():
            if isinstance(command, wire.Cancel):
                self.stop = ErrorCode.CANCELED
            elif isinstance(command, wire.Finish) and self.stop is None:
                self.stop = ErrorCode.INTERRUPTED


def scan(
    device: Device, command: wire.Scan, directory: BatchDirectory, parent: Parent, buffers: list[bytearray]
) -> wire.Ended:
    """Scan the stack into the batch's directory.

    begin.json is written before the first sheet moves, each page is captured before it is reported, and end.json
    is written after the last page. Whatever goes wrong becomes the batch's end, never an exception. The device is
    not canceled here, since some drivers crash in that: the caller does it once everything is safe and reported.

    Args:
        device: an open device.
        command: what to scan.
        directory: where the batch goes.
        parent: gets the reports, and may end the batch.
        buffers: see `Recorder`.

    Returns:
        How the batch ended. If the device could not do what was asked for, there is no begin.json on disk.
    """
    settings = command.settings
    try:
        negotiation, applied = apply(device, settings)
        device.check_early()
    except ScandError as error:
        return _refused(error)
    assignments = tuple((step.name, step.asked, step.read_back) for step in applied)
    parent.say(
        wire.Opened(
            device=device.name, duplex=negotiation.duplex, applied=assignments, warnings=negotiation.warnings
        )
    )
    begin = Begin(
        device=device.name,
        duplex=negotiation.duplex,
        applied=assignments,
        rotate_back=settings.rotate_back,
        keep_on_fault=settings.on_jam == "keep",
        halves=settings.sides == "manual-duplex",
        drop_blank_sheets=settings.blank_sheets == "drop",
    )
    paper = Paper(Path(command.paper))
    try:
        with disk_errors():
            if settings.source != "flatbed":
                paper.put_in(directory.job_id, directory.seq)
            directory.begin(begin)
    except ScandError as error:
        return _refused(error)
    listener = Listener(parent, device)
    recorder = Recorder(
        buffers,
        directory,
        settings,
        command.picture,
        lambda page: parent.say(wire.Captured(page=page)),
        listener.alive,
    )
    try:
        with disk_errors():
            end = _scan_sides(device, command, negotiation, directory, recorder, listener, paper)
    except ScandError as error:
        end = End(code=listener.stop or error.code or ErrorCode.DEVICE_ERROR, detail=error.sentence)
    try:
        recorder.close()
    except ScandError as error:
        end = End(code=error.code, detail=error.sentence)
    with suppress(OSError):  # the daemon writes it later, when the disk takes it
        directory.finish(end)
    return wire.Ended(end=end, leaving=end.code is ErrorCode.DEVICE_ERROR)


def _refused(error: ScandError) -> wire.Ended:
    """The end of a batch before paper has moved. A value that the driver refuses is the job's fault."""
    code = error.code
    if isinstance(error, SaneError) and error.status in {SaneStatus.INVAL, SaneStatus.UNSUPPORTED}:
        code = ErrorCode.UNSUPPORTED_SETTINGS
    end = End(code=code, detail=error.sentence)
    return wire.Ended(end=end, offers=error.offers, leaving=code is ErrorCode.DEVICE_ERROR)


def _scan_sides(
    device: Device,
    command: wire.Scan,
    negotiation: Negotiated,
    directory: BatchDirectory,
    recorder: Recorder,
    listener: Listener,
    paper: Paper,
) -> End:
    """Scan side after side; `number` counts those that were handed to the recorder."""
    settings, number, asked_again = command.settings, 0, 0
    while True:
        sheet, back = divmod(number, 2) if negotiation.duplex else (number, 0)
        listener.page = number + 1
        if number and not back:
            listener.pause(settings.pause)
        listener.hear()
        if listener.stop is ErrorCode.CANCELED or (listener.stop and not back):
            return End(code=listener.stop)
        if not back:
            if number >= (settings.max_pages or _MOST_SIDES):
                return End(code=ErrorCode.PAGE_LIMIT)
            if directory.free() < command.min_free:
                return End(code=ErrorCode.STAGING_FULL, detail="The staging disk is nearly full.")
        recorder.check()
        try:
            device.start()
            raster = device.read(recorder.buffer(), listener.progress)
        except SaneError as error:
            if error.status is not SaneStatus.NO_DOCS:
                raise
            if not back and number > asked_again and device.name.startswith(_FALSELY_EMPTY):
                asked_again = number
                device.cancel()
                continue
            if settings.source != "flatbed":
                with suppress(OSError):  # then the next job is asked for once more than need be
                    paper.gone()
            return _feeder_empty(number, sheet + 1, settings, back=bool(back))
        side = Side.BACK if back else Side.FRONT
        recorder.put(raster, number + 1, sheet + 1, side, negotiation.resolution)
        number += 1
        if settings.source == "flatbed":
            return End()  # a flatbed is never empty: its batch is one page


def _feeder_empty(number: int, sheet: int, settings: Settings, *, back: bool) -> End:
    """What an empty feeder means after `number` sides: nothing was there, the end, or a missing back."""
    if number == 0:
        return End(code=ErrorCode.FEEDER_EMPTY)
    if back and not any("skip" in name for name, _value in settings.options):
        return End(
            code=ErrorCode.DEVICE_ERROR,
            detail=f"the scanner said that the feeder is empty before it delivered the back of sheet {sheet}",
        )
    return End()
