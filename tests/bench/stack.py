"""From paper to batch PDF: the daemon with an open device, compared with what people use today."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL import Image

from tests.bench.installation import Installation, installation
from tests.bench.line import Line, Series, Target
from tests.bench.peers import CONVERT, IMG2PDF, QUALITY, Run, command, run
from tests.bench.processes import cpu, watched
from tests.bench.scanners import sane_test, simulator

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tests.bench.bench import Bench
    from tests.bench.scanners import Scanner
    from tests.support.site import Daemon


@dataclass(frozen=True, slots=True)
class Kind:
    """What is scanned in each run.

    Attributes:
        mode: "color", "gray" or "lineart".
        dpi: resolution.
        sides: how many.
    """

    mode: str
    dpi: int
    sides: int

    @property
    def peers(self) -> tuple[str, ...]:
        """Its peers; Debian allows ImageMagick too little memory for three colour pages at 600 dpi."""
        return (IMG2PDF, CONVERT) if self.dpi == 300 else (IMG2PDF,)

    def __str__(self) -> str:
        return f"{self.dpi} dpi {self.mode}"


KINDS = (Kind("color", 300, 10), Kind("gray", 300, 10), Kind("lineart", 300, 10), Kind("color", 600, 4))


def measure(bench: Bench) -> Iterator[Line]:
    """Four kinds of pages, from two scanners."""
    with _scanners(bench.directory) as scanners:
        for number, pair in enumerate(scanners):
            home = bench.directory / f"stack-{number}"
            with installation(bench.server, home, pair[0].config, device=pair[0].device) as here:
                daemon = here.serve()
                for kind in KINDS:
                    yield from _lines(bench, here, daemon, pair, kind)


@contextmanager
def _scanners(directory: Path) -> Iterator[Sequence[tuple[Scanner, Scanner]]]:
    """Pairs of equal scanners, one for the daemon, which keeps it open, and one for its peers."""
    with simulator(directory / "ours") as ours, simulator(directory / "theirs") as theirs:
        yield (ours, theirs), (sane_test(directory / "sane-test"),) * 2


def _lines(
    bench: Bench, here: Installation, daemon: Daemon, pair: tuple[Scanner, Scanner], kind: Kind
) -> Iterator[Line]:
    scanner = pair[0]
    limit = {} if scanner.stack in {None, kind.sides} else {"max_pages": kind.sides}
    job = here.claimed(mode=kind.mode, resolution=kind.dpi, quality=QUALITY, **limit, **scanner.settings)
    stack = _Stack(here, daemon, *pair, kind, job)
    stack.ours()  # from here on, the feeder has the device open
    runs: dict[str, list[Run]] = {name: [] for name in ("scand", *kind.peers)}
    for number in range(bench.runs):
        runs["scand"].append(stack.ours())
        for peer in kind.peers:
            home = bench.directory / f"peer-{number}"
            runs[peer].append(stack.theirs(peer, home))
            if peer == IMG2PDF and kind.mode != "lineart":
                stack.compare(home)
            bench.remove(home)
    here.cancel(job)
    bench.remove(here.directory(job).path)
    for peer in kind.peers:
        yield from _lines_of(f"{kind}, {scanner.name}", kind, runs["scand"], peer, runs[peer])


def _lines_of(what: str, kind: Kind, ours: list[Run], peer: str, theirs: list[Run]) -> Iterator[Line]:
    asked = (kind.mode, kind.dpi, peer) == ("color", 300, IMG2PDF)

    def line(unit: str, ours: list[float], theirs: list[float], target: Target | None = None) -> Line:
        return Line(what, unit, Series(ours), (peer, Series(theirs)), target)

    yield line(
        "images/s",
        [kind.sides / run.seconds for run in ours],
        [kind.sides / run.seconds for run in theirs],
        Target(at_least=1.3, ratio=True) if asked else None,
    )
    yield line(
        "CPU s/image", [run.cpu / kind.sides for run in ours], [run.cpu / kind.sides for run in theirs]
    )
    memory = Target(at_most=350) if kind.dpi == 300 else None
    yield line("peak PSS, MB", [run.pss for run in ours], [run.pss for run in theirs], memory)


@dataclass
class _Stack:
    here: Installation
    daemon: Daemon
    scanner: Scanner
    other: Scanner
    kind: Kind
    job: int

    def ours(self) -> Run:
        """Scan a batch with scand, from the UPDATE until its PDF is on disk and its row exists."""
        self.scanner.load(self.kind.sides)
        pid = self.daemon.process.pid
        before = cpu(pid)
        with watched(pid) as peak:
            seconds = self.here.step(self.job, "scanning")
        *_, batch = self.here.site.batches(self.job)
        assert batch["page_count"] == self.kind.sides, batch
        return Run(seconds, cpu(pid) - before, peak.pss)

    def theirs(self, peer: str, directory: Path) -> Run:
        self.other.load(self.kind.sides)
        line = command(peer, self.other, self.kind.mode, self.kind.dpi, self.kind.sides)
        made = run(line, self.other, directory)
        assert len(list(directory.glob("page-*"))) == self.kind.sides
        return made

    def compare(self, directory: Path) -> None:
        """Check that both JPEGs have the same quantization tables and, within a line, the same size."""
        mine = max(self.here.directory(self.job).path.glob("batch-*/page-0001.jpg"))
        with Image.open(mine) as ours, Image.open(directory / "page-0001.jpg") as theirs:
            assert ours.quantization == theirs.quantization, "not the same JPEG quality"  # type: ignore[attr-defined]
            chroma = len(ours.layer) > 1  # type: ignore[attr-defined]
            assert not chroma or ours.layer == theirs.layer, "not the same subsampling"  # type: ignore[attr-defined]
            assert max(abs(a - b) for a, b in zip(ours.size, theirs.size, strict=True)) <= 2, (
                ours.size,
                theirs.size,
            )
