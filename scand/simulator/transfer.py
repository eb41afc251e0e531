"""An image on its way to the client over the data connection.

Source: SANE Standard, "Network Protocol", SANE_NET_START: records of a length word and that many bytes, then
the length 0xffffffff and a status byte. net.c reads a record straight into the frontend's buffer, so records
may be as long as one likes; but never beyond its end, so short ones cost the client system calls.
"""

import math
import socket
import struct
import time
from collections.abc import Iterator

from scand.simulator.device import Scan
from scand.simulator.faults import Ending
from scand.simulator.standard import Status
from scand.simulator.xdr import end_of_data, record_header

_RECORD = 1 << 18  # bytes
_BEFORE_THE_CUT = 0.2  # seconds
_STEPS = 16  # at least so many records an image, so that a paced one comes little by little


class Pace:
    """How fast the lamp moves: `period` seconds an image (0: as fast as it can)."""

    def __init__(self, period: float) -> None:
        self.period = period
        self._free = 0.0

    def begin(self, now: float) -> float:
        """Begin an image, not before the one before it is through; says when."""
        begun = max(now, self._free)
        self._free = begun + self.period
        return begun


class Transfer:
    """A scan's data: awaits the client's connection, then sends without blocking. Times are monotonic().

    `socket` is what the server is to wait for: readable until `connected`, then writable from `due` on.
    """

    def __init__(self, scan: Scan, address: str, begun: float, period: float) -> None:
        self.scan = scan
        self.socket = socket.create_server((address, 0), backlog=1)
        self.socket.setblocking(False)
        self.port: int = self.socket.getsockname()[1]
        self.connected = False
        self._records = _records(scan, begun, period)
        self.due, self._out = next(self._records, (begun, []))

    def accept(self) -> None:
        """Take the client's connection in place of the listening socket."""
        connection, _ = self.socket.accept()
        self.socket.close()
        connection.setblocking(False)
        self.socket = connection
        self.connected = True

    def send(self, now: float) -> bool:
        """Send what is due and what the socket takes; says whether that was all.

        Raises OSError where the client is gone.
        """
        while self.due <= now:
            try:
                sent = self.socket.sendmsg(self._out)
            except BlockingIOError:
                return False
            self._out = _after(self._out, sent)
            if not self._out:
                record = next(self._records, None)
                if record is None:
                    return True
                self.due, self._out = record
        return False


def hang_up(connection: socket.socket, *, reset: bool = False) -> None:
    """Close a connection; `reset` throws away what is still on its way and says so to the client (RST)."""
    if reset:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def _records(scan: Scan, begun: float, period: float) -> Iterator[tuple[float, list[memoryview]]]:
    """Yield an image's records as buffers, each with the time when it is due; the last after `period`."""
    whole = scan.parameters.bytes_per_line * scan.parameters.lines
    size = min(_RECORD, whole // _STEPS + 1)
    due, sent = begun, 0
    for buffer in scan.raster:
        for start in range(0, len(buffer), size):
            data = buffer[start : start + size]
            sent += len(data)
            due = begun + period * sent / whole
            yield due, [memoryview(record_header(len(data))), data]
    if isinstance(scan.ending, Status):
        yield due, [memoryview(end_of_data(scan.ending))]
    elif scan.ending is Ending.HANG:
        yield math.inf, []
    else:  # when it is cut off, the client shall be in the middle of the page, not still about to begin it
        yield time.monotonic() + _BEFORE_THE_CUT, []


def _after(buffers: list[memoryview], sent: int) -> list[memoryview]:
    """Return what is left of `buffers` when `sent` bytes of them are gone."""
    left = []
    for buffer in buffers:
        if sent < len(buffer):
            left.append(buffer[sent:])
        sent = max(0, sent - len(buffer))
    return left
