"""Whole sites for the acceptance tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import pytest

from scand.courier.volume import MARKER
from tests.support.nas import Nas
from tests.support.site import Simulator, Site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.nas import FaultyVolume


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


@pytest.fixture
def nas(tmp_path: Path) -> Iterator[Nas]:
    """A mountpoint with the site's own volume on it."""
    with Nas(tmp_path) as nas:
        nas.add("ours", "8m")
        nas.mount("ours")
        yield nas


@pytest.fixture
def mounted(tmp_path: Path, migrated_url: str, scanner: Simulator, nas: Nas) -> Iterator[Site]:
    """A site with that volume, which requires a mount."""
    beat = '[agent]\nheartbeat = "500ms"'
    site = Site(tmp_path, migrated_url, scanner.config, beat, inside=nas.inside)
    site.config.write_text(site.config.read_text().replace("require_mount = false", "require_mount = true"))
    site.nas = nas.seen(nas.mountpoint)
    yield site
    site.close()


@pytest.fixture
def faulty(mounted: Site, nas: Nas) -> FaultyVolume:
    """The site's own volume, with faults that can be chosen."""
    volume = nas.add_faulty("faulty")
    (volume.backing / MARKER).write_text((mounted.nas / MARKER).read_text())
    nas.exchange("faulty")
    return volume
