"""Every fault of the simulator as a client of libsane sees it, and the scan after it."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.simulator.process import EMPTY

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.simulator.process import Simulator


@pytest.mark.parametrize(
    ("fault", "numbers", "message", "again", "after_reload"),
    [
        ("jam@2", [1, 2], "Document feeder jammed", [], [3, 4, 5, 6]),
        ("jam@2:back", [1, 2, 3], "Document feeder jammed", [], [3, 4, 5, 6]),
        ("cover@1", [], "Scanner cover is open", [], [1, 2, 3, 4, 5, 6]),
        ("double@2", [1, 2], "Document feeder jammed", [], [3, 4, 5, 6]),
        ("io@3:back", [1, 2, 3, 4, 5], "Error during device I/O", [], [5, 6]),
        ("io@2", [1, 2], "Error during device I/O", [5, 6], [3, 4]),
        ("empty-read@2", [1, 2], EMPTY, [3, 4, 5, 6], [7, 8, 9, 10, 11, 12]),
        ("empty-read@4", [1, 2, 3, 4, 5, 6], EMPTY, [], [7, 8, 9, 10, 11, 12]),
    ],
)
def test_faults_with_a_status(
    simulate: Callable[..., Simulator],
    fault: str,
    numbers: list[int],
    message: str,
    again: list[int],
    after_reload: list[int],
) -> None:
    """A fault occurs once, at its sheet; a jam lasts until reloading, which puts that sheet back first."""
    simulator = simulate("--count", "3", "--fault", fault)
    told = simulator.client(f"""
import os, signal
d = device()
first = batch(d)
d.cancel()
again = batch(d)[0]
os.kill({simulator.process.pid}, signal.SIGHUP)
tell(first, again, batch(d))
""")
    assert told == [[numbers, message], again, [after_reload, EMPTY]]
    assert simulator.fed() == numbers + again + after_reload


def test_a_truncated_page_is_short(simulate: Callable[..., Simulator]) -> None:
    """A truncated page ends normally with half of its lines, and does not count as delivered."""
    simulator = simulate("--count", "2", "--fault", "truncate@1:back")
    told = simulator.client("""
d = device()
sizes = []
for _ in range(4):
    d.start()
    sizes.append((d.get_parameters()[2][1], d.snap(True).height))
tell(sizes)
""")
    assert told == [[[877, 877], [877, 438], [877, 877], [877, 877]]]
    assert simulator.fed() == [1, 3, 4]
    simulator.command("")
    assert simulator.client("tell(*batch(device()))") == [[1, 2], EMPTY]


@pytest.mark.parametrize(
    ("fault", "last"),
    [("hang@2", [438]), ("close@2", [438]), ("hang-first@2", ["started"]), ("hang-start@2", ["starts"])],
)
def test_a_hang_lasts_until_the_client_is_killed(
    simulate: Callable[..., Simulator], fault: str, last: list[Any]
) -> None:
    """A hanging scan ends only when its client is killed, and the next client is served."""
    simulator = simulate("--count", "3", "--fault", fault)
    client = simulator.start_client("""
d = device("ADF Duplex", "Gray", 75)
batch(d, 2)
tell("starts")
d.start()
tell("started")
d.snap(True, lambda line, lines: tell(line))
tell("ended")
""")
    with client:
        assert client.stdout
        for line in client.stdout:
            if json.loads(line) == last:
                break
        with pytest.raises(subprocess.TimeoutExpired):
            client.wait(0.3)
        client.kill()
        assert client.stdout.read() == ""
    simulator.command("")
    assert simulator.client("tell(*batch(device()))") == [[3, 4, 5, 6], EMPTY]


def test_a_cut_connection_is_an_io_error(simulate: Callable[..., Simulator]) -> None:
    """Connections that are reset mid-page give an I/O error, and a new client is served.

    The old client must exit without another call: without its control connection, net.c uses replies that were
    never written, and returns nonsense or crashes.
    """
    simulator = simulate("--count", "2", "--fault", "cut@1:back")
    told = simulator.client("import os; tell(*batch(device(mode='Color', resolution=300))); os._exit(0)")
    assert told == [[1], "Error during device I/O"]
    simulator.command("")
    assert simulator.client("tell(*batch(device()))") == [[1, 2, 3, 4], EMPTY]


def test_a_connection_gone_before_the_answer_to_start(simulate: Callable[..., Simulator]) -> None:
    """The client gets no page and may crash (net.c uses a reply that was never written); a new one is served."""
    simulator = simulate("--count", "2", "--fault", "gone@1:back")
    with simulator.start_client("import os; tell(*batch(device())); os._exit(0)") as client:
        try:
            client.communicate(timeout=20)
        finally:
            client.kill()
    assert simulator.fed() == [1]
    simulator.command("")
    assert simulator.client("tell(*batch(device()))") == [[1, 2, 3, 4], EMPTY]


def test_an_endless_feeder(simulate: Callable[..., Simulator]) -> None:
    """The feeder goes on with new sheets, whose numbers continue, where it would be empty."""
    simulator = simulate("--count", "1", "--fault", "endless@2")
    assert simulator.client("tell(*batch(device()))") == [[1, 2, 3, 4, 5, 6], EMPTY]
    endless = simulate("--count", "0", "--fault", "endless")
    assert endless.client("tell(*batch(device(), 20))") == [list(range(1, 21)), ""]


def test_busy_and_denied(simulate: Callable[..., Simulator]) -> None:
    """DEVICE_BUSY is returned by the first opens, ACCESS_DENIED by every open."""
    busy = simulate("--fault", "busy@2")
    assert ["Device busy" in busy.scanimage("-A") for _ in range(3)] == [True, True, False]
    denied = simulate("--fault", "denied")
    assert all("Access to resource has been denied" in denied.scanimage("-A") for _ in range(2))
