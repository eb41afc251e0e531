"""Sends an image to the client over the data connection.

Source: SANE Standard, "Network Protocol", SANE_NET_START: records of a length word and that many bytes, then the
length 0xffffffff and a status byte. net.c reads a record directly into the frontend's buffer, so records may
have any length. It never reads beyond a record's end, so short records cost the client system calls.
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

_MAX_RECORD = 1 << 18  # bytes
_DELAY_BEFORE_BREAK = 0.2  # seconds
_MIN_RECORDS = 16  # per image, so that a paced image arrives in small parts


class Pace:
    """The speed of the scanner.

    Args:
        period: seconds per image; 0: as fast as possible.
    """

    def __init__(self, period: float) -> None:
        self.period = period
        self._free = 0.0

    def begin(self, now: float) -> float:
        """Return when the next image may begin: at `now`, but not before the last one has ended."""
        begun = max(now, self._free)
        self._free = begun + self.period
        return begun


class Transfer:
    """Waits for the client's data connection, then sends an image without blocking.

    Args:
        scan: what to send.
        address: where to listen.
        begun: when the image begins, in seconds of time.monotonic().
        period: the least time that sending takes, in seconds.

    Attributes:
        socket: what the server has to wait for: to be readable until `connected`, then writable from `due` on.
        port: where the client has to connect.
        connected: whether it has.
        due: when to send next, in seconds of time.monotonic().
    """

    def __init__(self, scan: Scan, address: str, begun: float, period: float) -> None:
        self.scan = scan
        self.socket = socket.create_server((address, 0), backlog=1)
        self.socket.setblocking(False)
        self.port: int = self.socket.getsockname()[1]
        self.connected = False
        self._records = _records(scan, begun, period)
        self.due, self._unsent_buffers = next(self._records, (begun, []))

    def accept(self) -> None:
        """Accept the client's connection, which replaces the listening socket."""
        connection, _ = self.socket.accept()
        self.socket.close()
        connection.setblocking(False)
        self.socket = connection
        self.connected = True

    def send(self, now: float) -> bool:
        """Send what is due, as far as the socket takes it.

        Returns:
            Whether all of the image is sent.

        Raises:
            OSError: the client has disconnected.
        """
        while self.due <= now:
            try:
                sent = self.socket.sendmsg(self._unsent_buffers)
            except BlockingIOError:
                return False
            self._unsent_buffers = _unsent(self._unsent_buffers, sent)
            if not self._unsent_buffers:
                record = next(self._records, None)
                if record is None:
                    return True
                self.due, self._unsent_buffers = record
        return False


def hang_up(connection: socket.socket, *, reset: bool = False) -> None:
    """Close a connection; with `reset` by a TCP reset, which discards what is still in transit."""
    if reset:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def _records(scan: Scan, begun: float, period: float) -> Iterator[tuple[float, list[memoryview]]]:
    """Yield an image's records as lists of buffers, each with the time when it is due; the last after `period`."""
    whole = scan.parameters.bytes_per_line * scan.parameters.lines
    size = min(_MAX_RECORD, whole // _MIN_RECORDS + 1)
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
    else:  # the client has to be in the middle of the page when the connection breaks, not still before it
        yield time.monotonic() + _DELAY_BEFORE_BREAK, []


def _unsent(buffers: list[memoryview], sent: int) -> list[memoryview]:
    """Return what is left of `buffers` after their first `sent` bytes."""
    left = []
    for buffer in buffers:
        if sent < len(buffer):
            left.append(buffer[sent:])
        sent = max(0, sent - len(buffer))
    return left
