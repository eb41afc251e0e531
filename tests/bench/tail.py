"""The time after the last sheet: batch, preview, commit; compared with plain copies of the same bytes."""

from __future__ import annotations

import subprocess
import time
from typing import TYPE_CHECKING

from tests.bench.installation import PATIENCE, installation
from tests.bench.line import Line, Series, Target
from tests.bench.pages import fill
from tests.bench.processes import watched
from tests.bench.scanners import simulator
from tests.support.site import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.bench.bench import Bench
    from tests.bench.installation import Installation

SIZES = 20, 200, 1000
"""In pages."""

_COPY, _DURABLE = "cp + sha256sum", "cp, fsync, read back + sha256sum"
_COPYING = {
    _COPY: 'cp "$1" "$2" && sha256sum "$2"',
    # dd with count=0 copies nothing, and drops the file from the page cache.
    _DURABLE: 'cp "$1" "$2" && sync "$2" && dd of="$2" oflag=nocache conv=notrunc,fdatasync count=0 status=none'
    ' && sha256sum "$2"',
}
_STEPS = {
    "record": "last sheet fed → batch recorded",
    "finish": "finish → preview",
    "edit": "pages edited → new preview",
    "commit": "commit → committed",
}


def measure(bench: Bench) -> Iterator[Line]:
    """Each size; the largest not as often, since it writes gigabytes each time."""
    with (
        simulator(bench.directory / "scanner") as scanner,
        installation(bench.server, bench.directory / "site", scanner.config) as here,
    ):
        daemon = here.serve()
        for pages in SIZES:
            took: dict[str, list[float]] = {name: [] for name in [*_STEPS, *_COPYING]}
            peaks = []
            for _ in range(bench.runs if pages < 1000 else max(1, bench.runs // 2)):
                with watched(daemon.process.pid) as peak:
                    size = _measure_one(bench, here, pages, took)
                peaks.append(peak.pss)
            yield from _lines_of(pages, size, took)
            yield Line(
                f"memory, {pages} pages, {size / 1e6:.0f} MB",
                "peak PSS, MB",
                Series(peaks),
                None,
                Target(350),
            )


def _measure_one(bench: Bench, here: Installation, pages: int, took: dict[str, list[float]]) -> int:
    """Take one job from the spool to the Inbox, copy the same bytes, and return their number."""
    job = here.claimed()
    fill(here.directory(job), pages, originals=bench.directory / "originals")
    took["record"].append(_recorded(here, job))
    took["finish"].append(here.step(job, "assembling"))
    took["edit"].append(_edited(here, job))
    merged = here.directory(job).merged
    for name, line in _COPYING.items():
        took[name].append(_copied(line, merged, bench.directory / "copy"))
    took["commit"].append(here.step(job, "committing"))
    size = merged.stat().st_size
    bench.remove(here.directory(job).path)
    for document in here.site.inbox():
        document.unlink()
    return size


def _edited(here: Installation, job: int) -> float:
    """Seconds from "finish" to the new preview, after a page was dropped, one turned and one moved."""
    here.site.step(job, "ready")
    for number, edit in ((17, "choice = 'dropped'"), (18, "turn = 90"), (19, "place = 10001.5")):
        here.site.sql(f"UPDATE scan_job_pages SET {edit} WHERE job_id = %s AND page = %s", job, number)  # noqa: S608
    return here.step(job, "assembling")


def _recorded(here: Installation, job: int) -> float:
    """Seconds from a notification to the row of a batch that is already on disk."""
    (said,) = here.site.sql(
        "SELECT extract(epoch FROM clock_timestamp())::float8 AS at, pg_notify('scan_jobs', %s)", str(job)
    )
    until(lambda: here.site.batches(job), "the batch is recorded", PATIENCE)
    (batch,) = here.site.batches(job)
    return float(batch["created_at"].timestamp() - said["at"])


def _copied(line: str, source: Path, target: Path) -> float:
    begun = time.monotonic()
    subprocess.run(["sh", "-ec", line, "sh", source, target], check=True, stdout=subprocess.DEVNULL)
    seconds = time.monotonic() - begun
    target.unlink()
    return seconds


def _lines_of(pages: int, size: int, took: dict[str, list[float]]) -> Iterator[Line]:
    for name, what in _STEPS.items():
        ours = Series(took[name])
        note = f"{ours.median / pages * 1000:.1f} ms a page, {size / ours.median / 1e6:.0f} MB/s"
        for peer in _COPYING:
            target = None
            if name == "finish" and pages == 200 and peer == _COPY:
                target = Target(at_most=round(2 * Series(took[peer]).median + 0.5, 2))
            if name == "edit" and pages == 200 and peer == _COPY:
                target = Target(at_most=round(Series(took[peer]).median + 2, 2))
            yield Line(f"{what}, {pages} pages", "s", ours, (peer, Series(took[peer])), target, note)
            note = ""
