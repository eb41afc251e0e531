"""Drives the feeder's process as the daemon does."""

from __future__ import annotations

import select
import time
from dataclasses import dataclass
from pathlib import Path
from resource import RLIMIT_AS, getpagesize, prlimit
from typing import TYPE_CHECKING, Any

from PIL import Image

from scand import wire
from scand.jobs.settings import resolve
from scand.simulator.marks import read_side_number
from scand.wire.child import Child, clean_environment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scand.spool.records import End

PATIENCE = 60.0
"""The longest wait for anything, in seconds."""


@dataclass
class Batch:
    """What a batch has left.

    Attributes:
        directory: of its pages.
        end: its end.json.
        opened: the feeder's report of the device; None: it was not opened.
    """

    directory: Path
    end: End
    opened: wire.Opened | None

    @property
    def pages(self) -> list[Path]:
        """The pages that were captured, in order."""
        return sorted(self.directory.glob("page-*"))


class Feeder:
    """A feeder's process, which is started again when it has ended.

    Args:
        directory: for the batches.
        device: the SANE name or pattern to scan from.
    """

    def __init__(self, directory: Path, device: str) -> None:
        self._directory, self._device = directory, device
        self._child: Child | None = None
        self._batches = 0

    def scan(self, device: str | None = None, last: str = "", **settings: Any) -> Batch:
        """Scan one batch; simplex, gray, 75 dpi and lossless unless `settings` say otherwise.

        Args:
            device: instead of the usual one.
            last: the name of the device that was opened last.
            settings: as in a job.
        """
        self._batches += 1
        directory = self._directory / "1" / f"batch-{self._batches:04d}"
        defaults = {
            "source": "adf",
            "sides": "simplex",
            "mode": "gray",
            "resolution": 75,
            "format": "lossless",
        }
        task = wire.Scan(
            directory=str(directory),
            device=self._device if device is None else device,
            last_device=last,
            settings=resolve(defaults | settings, {}),
            paper=str(self._directory / "paper.json"),
        )
        opened = None
        for report in self._reports(task):
            if isinstance(report, wire.Opened):
                opened = report
            if isinstance(report, wire.Ended):
                if report.leaving:
                    self.close()
                return Batch(directory, report.end, opened)
        raise AssertionError("the feeder has ended")

    def _reports(self, command: wire.Command) -> Iterator[wire.Report]:
        if self._child is None:
            self._child = Child("scand.feeder", clean_environment())
        child, end = self._child, time.monotonic() + PATIENCE
        child.say(command)
        while child.ended() is None:
            readable, _, _ = select.select(child.descriptors(), [], [], end - time.monotonic())
            assert readable, "the feeder says nothing"
            child.printed()
            yield from child.reports()

    def limit(self, resource: int, more: int) -> None:
        """Set a resource limit of the running feeder, in bytes (for RLIMIT_AS: more than it uses now)."""
        assert self._child is not None
        pid = self._child.pid
        if resource == RLIMIT_AS:
            more += int(Path(f"/proc/{pid}/statm").read_text().split()[0]) * getpagesize()
        prlimit(pid, resource, (more, -1))

    def close(self) -> None:
        """End the process."""
        if self._child is not None:
            self._child.kill()
            self._child.reap(PATIENCE)
            self._child.close()
            self._child = None


def numbers(batch: Batch) -> list[int]:
    """The number that each page shows, in order."""
    found = []
    for page in batch.pages:
        with Image.open(page) as image:
            found.append(read_side_number(image, 75))
    return found
