"""Simulators that end with the test."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.integration.simulator.process import ROOT, Simulator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_NUMBERS = itertools.count()


@pytest.fixture
def simulate(tmp_path: Path) -> Iterator[Callable[..., Simulator]]:
    """A function that starts a simulator on an address of its own; all are stopped at the end of the test."""
    running: list[Simulator] = []

    def start(*arguments: str) -> Simulator:
        turn = next(_NUMBERS)
        pid = os.getpid()
        address = f"127.{64 + turn % 128}.{pid >> 8 & 255}.{pid & 255}"
        place = tmp_path / str(turn)
        place.mkdir()
        command = [sys.executable, "-m", "scand.simulator", "--listen", address]
        command += ["--net-config", str(place / "sane"), "--reload", str(place / "reload")]
        command += ["--log", str(place / "fed.jsonl"), *arguments]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert process.stdout
        assert process.stdout.readline().startswith(f"listening on {address}")
        simulator = Simulator(process, address, place / "sane", place / "reload", place / "fed.jsonl")
        running.append(simulator)
        return simulator

    yield start
    for simulator in running:
        simulator.process.terminate()
        with simulator.process:
            assert simulator.process.wait(timeout=10) == 0
