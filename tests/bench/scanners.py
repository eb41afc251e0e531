"""The two scanners to measure with: SANE's own `test` backend, and scand's simulator."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.site import Simulator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_TEST_CONFIG = Path("/etc/sane.d/test.conf")


@dataclass(frozen=True)
class Scanner:
    """A scanner with a feeder, and how it is set to A4.

    Attributes:
        name: for people.
        config: its SANE_CONFIG_DIR.
        device: its SANE name.
        settings: of a job, besides mode and resolution.
        arguments: of `scanimage`, besides mode and resolution.
        modes: the `scanimage` arguments for color, gray and lineart.
        load: puts so many sides into the feeder.
        stack: sides that are always in the feeder; None: those that were loaded.
    """

    name: str
    config: Path
    device: str
    settings: dict[str, Any]
    arguments: tuple[str, ...]
    modes: dict[str, tuple[str, ...]]
    load: Callable[[int], None] = lambda _sides: None
    stack: int | None = None


@contextmanager
def simulator(directory: Path) -> Iterator[Scanner]:
    """A duplex scanner on libsane's net backend, as fast as possible, with office letters."""
    directory.mkdir()
    process = Simulator(directory, "--count", "0")
    try:
        yield Scanner(
            "simulator",
            process.config,
            f"net:{process.address}:sim",
            {"sides": "duplex"},
            ("--source=ADF Duplex", "--page-width=210", "--page-height=297", "-x", "210", "-y", "297"),
            {mode: (f"--mode={mode.capitalize()}",) for mode in ("color", "gray", "lineart")},
            lambda sides: process.command(str(sides // 2)),
        )
    finally:
        process.stop()


def sane_test(directory: Path) -> Scanner:
    """SANE's own `test` backend, with an area as large as A4; its feeder is empty after 10 sides."""
    directory.mkdir()
    (directory / "dll.conf").write_text("test\n")
    config = _TEST_CONFIG.read_text().replace("geometry_max 200.0", "geometry_max 300.0")
    (directory / "test.conf").write_text(config)
    picture = "Color pattern"
    return Scanner(
        "test backend",
        directory,
        "test:0",
        {"sides": "simplex", "options": [["test-picture", picture]]},
        ("--source=Automatic Document Feeder", f"--test-picture={picture}", "-x", "210", "-y", "297"),
        {
            "color": ("--mode=Color", "--depth=8"),
            "gray": ("--mode=Gray", "--depth=8"),
            "lineart": ("--mode=Gray", "--depth=1"),
        },
        stack=10,
    )
