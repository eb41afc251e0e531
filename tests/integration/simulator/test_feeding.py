"""Reloading the simulator's feeder by SIGHUP and by the control file."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from tests.integration.simulator.process import EMPTY

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.simulator.process import Simulator


def test_sighup_loads_a_new_stack(simulate: Callable[..., Simulator]) -> None:
    """SIGHUP fills an empty feeder, and the numbers continue."""
    simulator = simulate("--count", "2")
    script = "tell(*batch(device()))"
    assert simulator.client(script) == [[1, 2, 3, 4], EMPTY]
    assert simulator.client(script) == [[], EMPTY]
    simulator.process.send_signal(signal.SIGHUP)
    assert simulator.client(script) == [[5, 6, 7, 8], EMPTY]
    assert simulator.fed() == list(range(1, 9))


def test_the_control_file_loads_a_new_stack(simulate: Callable[..., Simulator]) -> None:
    """The control file reloads the feeder: with a stack, with so many sheets, or again from a sheet on."""
    simulator = simulate("--count", "2")
    script = "tell(*batch(device()))"
    simulator.client(script)
    simulator.command("")
    assert simulator.client(script) == [[5, 6, 7, 8], EMPTY]
    simulator.command("1")
    assert simulator.client(script) == [[9, 10], EMPTY]
    simulator.command("from 4")
    assert simulator.client(script) == [[7, 8, 9, 10], EMPTY]
    simulator.command("three")
    assert simulator.client(script) == [[], EMPTY]


def test_the_control_file_schedules_faults(simulate: Callable[..., Simulator]) -> None:
    """Each line of the control file schedules a fault, and an invalid line is ignored."""
    simulator = simulate("--count", "2")
    simulator.command("fault jam@2\nfault fire@1\nfault busy@1")
    script = "tell(*batch(device()))"
    assert "Device busy" in simulator.scanimage("-A")
    assert simulator.client(script) == [[1, 2], "Document feeder jammed"]
    simulator.command("1\nfrom 2\nfault cover@3")
    assert simulator.client(script) == [[3, 4], "Scanner cover is open"]


def test_reload_between_two_starts(simulate: Callable[..., Simulator]) -> None:
    """A client that reloads the feeder between two starts finds it loaded."""
    simulator = simulate("--count", "1")
    told = simulator.client(f"""
import os, signal
d = device()
first = batch(d)
os.kill({simulator.process.pid}, signal.SIGHUP)
second = batch(d)
with open({str(simulator.control_file)!r} + ".draft", "w") as draft:
    draft.write("2")
os.rename({str(simulator.control_file)!r} + ".draft", {str(simulator.control_file)!r})
tell(first, second, batch(d))
""")
    assert told == [[[1, 2], EMPTY], [[3, 4], EMPTY], [[5, 6, 7, 8], EMPTY]]


def test_a_cancelled_sheet_goes_in_again(simulate: Callable[..., Simulator]) -> None:
    """The next reload puts a sheet whose back was never scanned in front of those that wait."""
    simulator = simulate("--count", "3")
    told = simulator.client("""
d = device()
first = batch(d, 3)
d.cancel()
tell(first, batch(d))
""")
    assert told == [[[1, 2, 3], ""], [[5, 6], EMPTY]]
    simulator.command("")
    assert simulator.client("tell(*batch(device()))") == [[3, 4], EMPTY]
