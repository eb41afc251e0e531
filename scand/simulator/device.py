"""The scanner itself: which client has it open, what sane_start delivers, and what happens to the sheet then."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TextIO

from scand.simulator import request
from scand.simulator.area import Area
from scand.simulator.facts import Fact
from scand.simulator.faults import Ending, Faults, Moment, NoReplyError
from scand.simulator.operator import Operator
from scand.simulator.options import Options
from scand.simulator.sheets import Sheets
from scand.simulator.side import Side
from scand.simulator.standard import Device, Parameters, Status, StatusError


@dataclass(frozen=True)
class Scan:
    """A side that is being scanned.

    Attributes:
        side: which one.
        parameters: of the image that was announced.
        raster: the buffers to send, in order.
        ending: how the image ends: EOF, unless there is a fault.
        complete: whether every line of the image is sent.
        stuck: whether the feeder refuses to go on afterwards, until it is reloaded.
        from_feeder: whether the sheet came from the feeder rather than lay on the glass.
        period: the least time that sending takes, in seconds.
    """

    side: Side
    parameters: Parameters
    raster: Sequence[memoryview]
    ending: Status | Ending = Status.EOF
    complete: bool = True
    stuck: bool = False
    from_feeder: bool = True
    period: float = 0.0


@dataclass
class Scanner:
    """A device with a flatbed and a feeder, which one client at a time may open.

    Attributes:
        device: its entry in the device list.
        sheets: what is on the paper.
        faults: those that have not occurred yet.
        options: the option table that each newly opened device starts with.
        operator: fills the feeder.
        log: open for appending; gets a line of JSON for each side that was sent completely.
        held: whether a client has it open.
    """

    device: Device
    sheets: Sheets
    faults: Faults
    options: Sequence[Fact]
    operator: Operator
    log: TextIO | None = None
    held: bool = field(default=False, init=False)

    def open(self, name: str) -> Options:
        """Open the device for a client.

        Args:
            name: its SANE name; net.c sends an empty one for the first device.

        Raises:
            StatusError: INVAL (no such device), DEVICE_BUSY or ACCESS_DENIED.
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
        """Start to scan the next side.

        Raises:
            StatusError: NO_DOCS, JAMMED, COVER_OPEN, or INVAL (the scan area is empty).
            NoReplyError: a fault leaves the call without an answer.
        """
        self.operator.collect()  # a client that reloads and then starts must find the feeder loaded
        self.operator.carry_out()
        area = request.area(options)
        sides = request.sides(options)
        if not sides:
            return self._scan(self.operator.feeder.lay_on_glass(), area, from_feeder=False)
        side = self.operator.feeder.next_side(sides)
        no_docs = self.faults.take(side, Moment.FIRST_READ)
        if no_docs:
            return Scan(side, area.parameters, [], no_docs.ending, complete=False)
        if self.operator.feeder.empty and self.faults.take_counted(Moment.FEED):
            self.operator.feeder.add(1)
        self.operator.feeder.pull(sides)
        fault = self.faults.take(side, Moment.START)
        match fault and fault.ending:
            case Status() as status:
                self.operator.feeder.jam(status)
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
        complete = lines == area.height
        return Scan(
            side, area.parameters, raster, fault.ending, complete, fault.stuck, from_feeder, fault.period
        )

    def finished(self, scan: Scan) -> None:
        """Note that all of `scan` and its ending was handed to the network: the sheet moves on."""
        if scan.complete and self.log:
            line = {"number": scan.side.number, "sheet": scan.side.sheet, "side": scan.side.name}
            self.log.write(json.dumps(line | {"time": time.time()}) + "\n")
            self.log.flush()
        if not scan.from_feeder:
            return
        if scan.ending is Status.EOF:
            self.operator.feeder.finish_side(complete=scan.complete)
        elif scan.stuck and isinstance(scan.ending, Status):
            self.operator.feeder.jam(scan.ending)
        else:
            self.operator.feeder.stop()

    def cancel(self) -> None:
        """Stop the scan and eject the unfinished sheet, as real feeders do."""
        self.operator.feeder.stop()

    def close(self) -> None:
        """Close the device, so that another client may open it."""
        self.cancel()
        self.held = False


def _first_bytes(raster: Sequence[memoryview], count: int) -> list[memoryview]:
    first = []
    for buffer in raster:
        first.append(buffer[:count])
        count -= len(first[-1])
    return first
