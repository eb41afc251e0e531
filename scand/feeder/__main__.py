"""The feeder's process: libsane is loaded once, the device stays open between batches, the parent commands."""

from __future__ import annotations

import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import sane

from scand import __version__, wire
from scand.errors import ScandError
from scand.faults import ErrorCode
from scand.feeder import batch
from scand.feeder.finding import devices, is_there, open_device
from scand.spool.directories import BatchDirectory
from scand.spool.records import End
from scand.wire.parent import Parent

if TYPE_CHECKING:
    from scand.feeder.device import Device
    from scand.jobs.settings import Settings


_KEPT = 32 << 20
"""Bytes of a room that is kept for the next batch, which may not come: A4 in colour at 300 dpi takes 26 MB."""


class Feeder:
    """The one device that is open, and what can be asked of it."""

    def __init__(self, parent: Parent) -> None:
        self._parent = parent
        self._device: Device | None = None
        self._wanted: tuple[str, Settings] | None = None
        self._rooms: list[bytearray] = []

    def scan(self, task: wire.Scan) -> None:
        """One batch. The device stays open for the next, unless something was wrong with it."""
        try:
            self._want(task.device, task.settings)
            if self._device is None:
                self._device = open_device(task.device, task.last_device)
        except ScandError as error:
            self._parent.say(wire.Ended(end=End(code=error.code, detail=error.sentence)))
            self._parent.say(wire.Idle())
            return
        directory = BatchDirectory(Path(task.directory))
        ended = batch.scan(self._device, task, directory, self._parent, self._rooms)
        self._rooms = [room for room in self._rooms if len(room) <= _KEPT]
        self._parent.say(ended)
        if ended.leaving:
            # After an I/O error libsane's net backend answers every further call, sane_close too, with
            # whatever lies in its memory, or with SIGSEGV; some USB drivers hang.
            os._exit(os.EX_OK)
        self._device.cancel()
        if ended.end.code not in {None, ErrorCode.FEEDER_EMPTY}:
            # Many drivers are only sane again after a new open, and at the page limit airscan has read ahead.
            self.close()
        self._parent.say(wire.Idle())

    def _want(self, device: str, settings: Settings) -> None:
        """Begin anew where another device or other settings are wanted than last.

        What an option was set to stays in many drivers, even when the device is closed and opened again.
        """
        if self._wanted not in {None, (device, settings)}:
            self.close()
            sane.exit()
            sane.init()
        self._wanted = (device, settings)

    def probe(self, task: wire.Probe) -> wire.Probed:
        """What the device makes of the settings; no paper moves.

        Raises:
            ScandError: the device cannot be opened, or cannot do what is asked.
        """
        with open_device(task.device) as device:
            negotiation, applied = batch.apply(device, task.settings)
            return wire.Probed(
                device=device.name,
                assignments=tuple((step.name, step.asked, step.read_back) for step in applied),
                sides=negotiation.sides,
                source=negotiation.source,
                mode=negotiation.mode,
                resolution=negotiation.resolution,
                page_size_mm=negotiation.page_size_mm,
                warnings=negotiation.warnings,
            )

    def close(self) -> None:
        """Close the device, if one is open."""
        if self._device is not None:
            self._device.close()
            self._device = None

    def do(self, command: wire.Command) -> None:
        """Do one command and report; a finish or cancel that comes between two batches has nothing to stop."""
        try:
            match command:
                case wire.Scan():
                    self.scan(command)
                case wire.Probe():
                    self._parent.say(self.probe(command))
                case wire.Find():
                    self._parent.say(wire.FoundDevice(device=is_there(command.device)))
                case wire.ListDevices():
                    found = tuple(wire.Device(**asdict(device)) for device in devices())
                    self._parent.say(wire.Devices(devices=found))
                case _:
                    pass
        except ScandError as error:
            self._parent.say(wire.Failed(code=error.code, sentence=error.sentence, offers=error.offers))


def main() -> None:
    """Serve the parent until it closes the socket."""
    with Parent.from_argv(sys.argv) as parent:
        sane.init()
        parent.say(wire.Hello(version=__version__))
        feeder = Feeder(parent)
        try:
            while True:
                feeder.do(parent.wait())
        finally:
            feeder.close()


if __name__ == "__main__":
    main()
