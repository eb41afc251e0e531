"""Clients of the simulator that are killed, come at the same time, or do not speak SANE."""

from __future__ import annotations

import signal
import socket
from typing import TYPE_CHECKING

import pytest

from tests.integration.simulator.process import EMPTY

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.simulator.process import Simulator


@pytest.mark.parametrize("progress", [0, 200])
def test_a_killed_client_leaves_it_ready(simulate: Callable[..., Simulator], progress: int) -> None:
    """A client that is killed mid-page, after START or some lines later, does not keep the device busy."""
    simulator = simulate("--count", "3")
    client = simulator.start_client(f"""
d = device("ADF Duplex", "Color", 300)
d.start()
d.snap(True)
d.start()
def stop(line, lines):
    if line == {progress}:
        tell("mid-page")
        time.sleep(60)
if {progress}:
    d.snap(True, stop)
stop(0, 0)
""")
    with client:
        assert client.stdout
        client.stdout.readline()
        client.kill()
    simulator.process.send_signal(signal.SIGHUP)
    assert simulator.client("tell(*batch(device()))") == [[1, 2, 3, 4, 5, 6], EMPTY]


def test_clients_one_after_the_other_and_at_once(simulate: Callable[..., Simulator]) -> None:
    """While one client has the device open, others can list but not open it; afterwards they can open it."""
    simulator = simulate("--count", "1")
    with simulator.start_client("d = device(); tell(1); time.sleep(60)") as first_client:
        assert first_client.stdout
        first_client.stdout.readline()
        assert "simulated scanner" in simulator.scanimage("-L")
        assert "Device busy" in simulator.scanimage("-A")
        first_client.kill()
    assert "Geometry" in simulator.scanimage("-A")
    assert simulator.client("tell(*batch(device()))") == [[1, 2], EMPTY]


def test_other_protocols_are_disconnected(simulate: Callable[..., Simulator]) -> None:
    """A client that does not speak SANE, or leaves in the middle of a word, does not disturb the next one."""
    simulator = simulate("--count", "1")
    with socket.create_connection((simulator.address, 6566)) as stranger:
        stranger.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert stranger.recv(10) == b""
    with socket.create_connection((simulator.address, 6566)) as unfinished:
        unfinished.sendall(b"\0\0")
    assert simulator.client("tell(*batch(device()))") == [[1, 2], EMPTY]
