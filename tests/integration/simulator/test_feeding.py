"""Reloading the simulator's feeder by SIGHUP and by the control file."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from tests.integration.simulator.process import EMPTY

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.simulator.process import Simulator


def test_sighup_loads_a_new_stack(simulate: Callable[..., Simulator]) -> None:
    """An empty feeder is filled again by SIGHUP, and the numbers go on."""
    simulator = simulate("--count", "2")
    script = "tell(*batch(device()))"
    assert simulator.client(script) == [[1, 2, 3, 4], EMPTY]
    assert simulator.client(script) == [[], EMPTY]
    simulator.process.send_signal(signal.SIGHUP)
    assert simulator.client(script) == [[5, 6, 7, 8], EMPTY]
    assert simulator.fed() == list(range(1, 9))


def test_the_control_file_loads_a_new_stack(simulate: Callable[..., Simulator]) -> None:
    """So does the control file, which may say how many sheets, or from which one the stack goes in again."""
    simulator = simulate("--count", "2")
    script = "tell(*batch(device()))"
    simulator.client(script)
    simulator.wish("")
    assert simulator.client(script) == [[5, 6, 7, 8], EMPTY]
    simulator.wish("1")
    assert simulator.client(script) == [[9, 10], EMPTY]
    simulator.wish("from 4")
    assert simulator.client(script) == [[7, 8, 9, 10], EMPTY]
    simulator.wish("three")
    assert simulator.client(script) == [[], EMPTY]


def test_the_control_file_lets_faults_come(simulate: Callable[..., Simulator]) -> None:
    """A line each, in order; one that is no fault harms nobody."""
    simulator = simulate("--count", "2")
    simulator.wish("fault jam@2\nfault fire@1\nfault busy@1")
    script = "tell(*batch(device()))"
    assert "Device busy" in simulator.scanimage("-A")
    assert simulator.client(script) == [[1, 2], "Document feeder jammed"]
    simulator.wish("1\nfrom 2\nfault cover@3")
    assert simulator.client(script) == [[3, 4], "Scanner cover is open"]


def test_reload_between_two_starts(simulate: Callable[..., Simulator]) -> None:
    """The same client can go on after the feeder was reloaded: whoever reloads first finds it loaded."""
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
    """A sheet whose back was never scanned is put back by the next reload, before those that wait."""
    simulator = simulate("--count", "3")
    told = simulator.client("""
d = device()
first = batch(d, 3)
d.cancel()
tell(first, batch(d))
""")
    assert told == [[[1, 2, 3], ""], [[5, 6], EMPTY]]
    simulator.wish("")
    assert simulator.client("tell(*batch(device()))") == [[3, 4], EMPTY]
