"""Whole sites for the acceptance tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import pytest

from tests.support.site import Simulator, Site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class MakeSimulator(Protocol):
    """Starts a simulator."""

    def __call__(self, *arguments: str) -> Simulator:
        """Start one, with more arguments of `scand simulate`."""


@pytest.fixture
def simulate(tmp_path: Path) -> Iterator[MakeSimulator]:
    """A function that starts simulators; all of them end with the test."""
    started: list[Simulator] = []

    def make(*arguments: str) -> Simulator:
        directory = tmp_path / f"scanner-{len(started)}"
        directory.mkdir()
        started.append(Simulator(directory, *arguments))
        return started[-1]

    yield make
    for simulator in started:
        simulator.stop()


@pytest.fixture
def scanner(simulate: MakeSimulator) -> Simulator:
    """A duplex scanner with three sheets in its feeder."""
    return simulate("--count", "3")


@pytest.fixture
def site(tmp_path: Path, migrated_url: str, scanner: Simulator) -> Iterator[Site]:
    """A site whose daemon is not started yet."""
    site = Site(tmp_path, migrated_url, scanner.config)
    yield site
    site.close()
