"""A proxy that sees each sane_start on its way from libsane's net backend to a scanner."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from queue import SimpleQueue
from typing import TYPE_CHECKING

from scand.simulator.xdr import Procedure
from tests.support.site import own_address

if TYPE_CHECKING:
    from typing import Self

_PORT = 6566
_START = int(Procedure.START).to_bytes(4, "big")


class StartProxy:
    """Listens as a scanner does, and passes on to one with an empty feeder, so that there is no image to pass on.

    Args:
        scanner: the address of that scanner.

    Attributes:
        address: where it listens.
        times: of each sane_start, in seconds of time.monotonic().
    """

    def __init__(self, scanner: str) -> None:
        self.address = own_address()
        self.times: SimpleQueue[float] = SimpleQueue()
        self._scanner = scanner
        self._listener = socket.create_server((self.address, _PORT))
        self._ends: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        for end in (self._listener, *self._ends):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection((self._scanner, _PORT))
                self._ends += client, server
                for end in (client, server):
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self._pass, args=(client, server), daemon=True).start()
                threading.Thread(target=self._pass, args=(server, client), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if (
                    data[:4] == _START
                ):  # a request is one write; a reply begins with a status, which is never so high
                    self.times.put(time.monotonic())
                target.sendall(data)
            target.shutdown(socket.SHUT_RDWR)
