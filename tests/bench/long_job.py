"""A long job: 2,000 pages in 20 batches, from paper to Inbox; the last batches compared with the first."""

from __future__ import annotations

from statistics import mean
from typing import TYPE_CHECKING

from tests.bench.installation import installation
from tests.bench.line import Line, Series, Target
from tests.bench.processes import watched
from tests.bench.scanners import simulator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bench.bench import Bench

_BATCHES, _SIDES, _SAMPLE = 20, 100, 5


def measure(bench: Bench) -> Iterator[Line]:
    """Once, whatever the number of runs: gray at 100 dpi, for many pages rather than many bytes."""
    with (
        simulator(bench.directory / "scanner") as scanner,
        installation(bench.server, bench.directory / "site", scanner.config, device=scanner.device) as here,
    ):
        pid = here.serve().process.pid
        job = here.claimed(mode="gray", resolution=100, **scanner.settings)
        speeds, sizes = [], []
        for _ in range(_BATCHES):
            scanner.load(_SIDES)
            with watched(pid) as peak:
                speeds.append(_SIDES / here.step(job, "scanning"))
            sizes.append(peak.pss)
        with watched(pid) as peak:
            finished = here.step(job, "assembling")
            committed = here.step(job, "committing")
        row = here.site.job(job)
        assert row["page_count"] == _BATCHES * _SIDES, row
        size = (here.site.nas / row["inbox_path"]).stat().st_size / 1e6
    first = f"the first {_SAMPLE} batches"
    note = f"{_BATCHES * _SIDES} pages in {_BATCHES} batches, {size:.0f} MB; mean {mean(speeds):.0f}"
    yield Line(
        f"the last {_SAMPLE} batches", "images/s", Series(speeds[-_SAMPLE:]), (first, Series(speeds[:_SAMPLE])),
        Target(at_least=0.8, ratio=True), note,
    )  # fmt: skip
    yield Line(
        f"the last {_SAMPLE} batches", "peak PSS, MB", Series(sizes[-_SAMPLE:]), (first, Series(sizes[:_SAMPLE])),
        Target(at_most=1.1, ratio=True),
    )  # fmt: skip
    yield Line("merging and committing", "peak PSS, MB", Series([peak.pss]), None, Target(at_most=350))
    yield Line("finish → preview", "s", Series([finished]))
    yield Line("commit → committed", "s", Series([committed]))
