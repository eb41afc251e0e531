"""The CPU time and memory of a process and its descendants, from /proc."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_TICK: int = os.sysconf("SC_CLK_TCK")
_OWN, _REAPED = (
    slice(11, 13),
    slice(13, 15),
)  # of /proc/PID/stat behind the name: user and system time; proc(5)


@dataclass
class Peak:
    """The highest value so far.

    Attributes:
        pss: in MB: proportional set size, which counts shared memory once.
    """

    pss: float = 0.0


def family(process: int) -> list[int]:
    """A process and its descendants; one that ends meanwhile has none."""
    members = [process]
    with suppress(OSError):
        for task in Path(f"/proc/{process}/task").iterdir():
            for child in (task / "children").read_text().split():
                members += family(int(child))
    return members


def pss(process: int) -> float:
    """Memory of the whole family now, in MB."""
    total = 0
    for member in family(process):
        with suppress(OSError):
            lines = Path(f"/proc/{member}/smaps_rollup").read_text().splitlines()
            total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1000


def cpu(process: int) -> float:
    """CPU time of the family in seconds, with that of members that have ended and were waited for."""
    ticks = 0
    for member in family(process):
        with suppress(OSError):
            fields = Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()
            ticks += sum(map(int, [*fields[_OWN], *fields[_REAPED]]))
    return ticks / _TICK


@contextmanager
def watched(process: int, every: float = 0.1) -> Iterator[Peak]:
    """Measure a family's memory every so many seconds, ten times a second by default."""
    peak, ended = Peak(), threading.Event()

    def watch() -> None:
        while not ended.wait(every):
            peak.pss = max(peak.pss, pss(process))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield peak
    finally:
        ended.set()
        thread.join()
        peak.pss = max(peak.pss, pss(process))
