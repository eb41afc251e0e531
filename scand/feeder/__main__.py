"""The feeder's process: loads libsane, keeps the device open between batches, and does what the parent says."""

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
from scand.spool.batches import BatchDirectory
from scand.spool.records import End
from scand.wire.parent import Parent

if TYPE_CHECKING:
    from scand.feeder.device import Device
    from scand.jobs.settings import Settings


_LARGEST_KEPT = 32 << 20
"""Bytes of the largest buffer that is kept between batches. A4 in colour at 300 dpi takes 26 MB."""


class Feeder:
    """Does commands; has at most one device open."""

    def __init__(self, parent: Parent) -> None:
        self._parent = parent
        self._device: Device | None = None
        self._last: tuple[str, Settings] | None = None
        self._buffers: list[bytearray] = []

    def scan(self, command: wire.Scan) -> None:
        """Scan one batch and report how it ended. The device stays open unless something went wrong."""
        try:
            self._forget_others(command.device, command.settings)
            if self._device is None:
                self._device = open_device(command.device, command.last_device)
        except ScandError as error:
            self._parent.say(wire.Ended(end=End(code=error.code, detail=error.sentence)))
            self._parent.say(wire.Idle())
            return
        directory = BatchDirectory(Path(command.directory))
        ended = batch.scan(self._device, command, directory, self._parent, self._buffers)
        self._buffers = [buffer for buffer in self._buffers if len(buffer) <= _LARGEST_KEPT]
        self._parent.say(ended)
        if ended.leaving:
            # After an I/O error, libsane's net backend answers every further call, sane_close too, with whatever
            # is in its memory, or with SIGSEGV; some USB drivers hang.
            os._exit(os.EX_OK)
        self._device.cancel()
        if ended.end.code not in {None, ErrorCode.FEEDER_EMPTY}:
            # Many drivers work again only after a new open, and at the page limit airscan has read ahead.
            self.close()
        self._parent.say(wire.Idle())

    def _forget_others(self, device: str, settings: Settings) -> None:
        """Load libsane anew if the last batch had another device or other settings.

        In many drivers an option keeps its value, even when the device is closed and opened again.
        """
        if self._last not in {None, (device, settings)}:
            self.close()
            sane.exit()
            sane.init()
        self._last = (device, settings)

    def probe(self, command: wire.Probe) -> wire.Probed:
        """Apply the settings and tell what the device makes of them; no paper moves.

        Raises:
            ScandError: the device cannot be opened, or cannot do what is asked for.
        """
        with open_device(command.device) as device:
            negotiation, applied = batch.apply(device, command.settings)
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
        """Do one command, and report. `Finish` and `Cancel` between two batches have nothing to stop."""
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
    """Do the parent's commands until it closes the socket."""
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
