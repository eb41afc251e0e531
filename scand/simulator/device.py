"""The scanner itself: who holds it, what a start brings, and what becomes of the sheet."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TextIO

from scand.simulator import request
from scand.simulator.area import Area
from scand.simulator.facts import Fact
from scand.simulator.faults import Ending, Faults, Moment, NoReplyError
from scand.simulator.operator import Person
from scand.simulator.options import Options
from scand.simulator.sheets import Sheets
from scand.simulator.side import Side
from scand.simulator.standard import Device, Parameters, Status, StatusError


@dataclass(frozen=True)
class Scan:
    """A side under the lamp: the buffers to send, and how the sending ends (EOF but for a fault).

    It takes `period` seconds at least.
    """

    side: Side
    parameters: Parameters
    raster: Sequence[memoryview]
    ending: Status | Ending = Status.EOF
    whole: bool = True
    stuck: bool = False
    from_feeder: bool = True
    period: float = 0.0


@dataclass
class Scanner:
    """A device with a flatbed and a feeder, which one client at a time may hold.

    `options` are what an opened device starts with; `person` stands at the feeder; `log`, open for appending,
    gets a line of JSON for each side whose every line went out.
    """

    device: Device
    sheets: Sheets
    faults: Faults
    options: Sequence[Fact]
    person: Person
    log: TextIO | None = None
    held: bool = field(default=False, init=False)

    def open(self, name: str) -> Options:
        """Let a client hold the device; an empty name is the first device (net.c sends it so).

        Raises StatusError: INVAL (no such device), DEVICE_BUSY, ACCESS_DENIED.
        """
        if name not in {"", self.device.name}:
            raise StatusError(Status.INVAL)
        refusal = self.faults.take_counted(Moment.OPEN)
        if refusal and isinstance(refusal.ending, Status):
            raise StatusError(refusal.ending)
        if self.held:
            raise StatusError(Status.DEVICE_BUSY)
        self.held = True
        return Options(self.options)

    def start(self, options: Options) -> Scan:
        """Bring a side under the lamp.

        Raises StatusError: NO_DOCS, JAMMED, COVER_OPEN, INVAL (the scan area is empty); or NoReplyError.
        """
        self.person.listen()  # who reloads and then starts finds the feeder loaded
        self.person.attend()
        area = request.area(options)
        sides = request.sides(options)
        if not sides:
            return self._scan(self.person.feeder.lay(), area, from_feeder=False)
        side = self.person.feeder.next_side(sides)
        no_docs = self.faults.take(side, Moment.FIRST_READ)
        if no_docs:
            return Scan(side, area.parameters, [], no_docs.ending, whole=False)
        if self.person.feeder.empty and self.faults.take_counted(Moment.FEED):
            self.person.feeder.add(1)
        self.person.feeder.pull(sides)
        fault = self.faults.take(side, Moment.START)
        match fault and fault.ending:
            case Status() as status:
                self.person.feeder.jam(status)
                raise StatusError(status)
            case Ending() as ending:
                raise NoReplyError(ending)
        return self._scan(side, area, from_feeder=True)

    def _scan(self, side: Side, area: Area, *, from_feeder: bool) -> Scan:
        raster = self.sheets.raster(side, area)
        fault = self.faults.take(side, Moment.PAGE)
        if not fault:
            return Scan(side, area.parameters, raster, from_feeder=from_feeder)
        lines = int(area.height * fault.share)
        raster = _first_bytes(raster, lines * area.parameters.bytes_per_line)
        whole = lines == area.height
        return Scan(
            side, area.parameters, raster, fault.ending, whole, fault.stuck, from_feeder, fault.period
        )

    def sent(self, scan: Scan) -> None:
        """Let the sheet go on: all of `scan` and its ending was handed to the network."""
        if scan.whole and self.log:
            line = {"number": scan.side.number, "sheet": scan.side.sheet, "side": scan.side.name}
            self.log.write(json.dumps(line | {"time": time.time()}) + "\n")
            self.log.flush()
        if not scan.from_feeder:
            return
        if scan.ending is Status.EOF:
            self.person.feeder.pass_side(whole=scan.whole)
        elif scan.stuck and isinstance(scan.ending, Status):
            self.person.feeder.jam(scan.ending)
        else:
            self.person.feeder.stop()

    def cancel(self) -> None:
        """Stop the scan; the sheet under way is thrown out unfinished, as real feeders do."""
        self.person.feeder.stop()

    def close(self) -> None:
        """Let go of the device."""
        self.cancel()
        self.held = False


def _first_bytes(raster: Sequence[memoryview], count: int) -> list[memoryview]:
    first = []
    for buffer in raster:
        first.append(buffer[:count])
        count -= len(first[-1])
    return first
