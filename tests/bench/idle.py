"""A daemon with nothing to do: the CPU and memory that it uses, and its transactions."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tests.bench.installation import installation
from tests.bench.line import Line, Series, Target
from tests.bench.processes import cpu, pss
from tests.bench.scanners import simulator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bench.bench import Bench

_MINUTE = 60.0
_SETTLING = 10.0
"""Seconds in which a daemon that has just started looks for scanner and NAS."""

_DONE = "SELECT xact_commit + xact_rollback AS done FROM pg_stat_database WHERE datname = current_database()"


def measure(bench: Bench) -> Iterator[Line]:
    """One minute, in as many parts as there are runs."""
    with (
        simulator(bench.directory / "scanner") as scanner,
        installation(bench.server, bench.directory / "site", scanner.config) as here,
    ):
        pid = here.serve().process.pid
        time.sleep(_SETTLING)
        shares, sizes = [], []
        (before,) = here.site.sql(_DONE)
        begun = time.monotonic()
        for _ in range(bench.runs):
            used, started = cpu(pid), time.monotonic()
            time.sleep(_MINUTE / bench.runs)
            shares.append(100 * (cpu(pid) - used) / (time.monotonic() - started))
            sizes.append(pss(pid))
        (after,) = here.site.sql(_DONE)
        minutes = (time.monotonic() - begun) / _MINUTE
    yield Line("CPU", "% of a core", Series(shares), None, Target(at_most=0.5))
    yield Line("memory of all processes", "PSS, MB", Series(sizes), None, Target(at_most=60))
    # The first query counts itself; the statistics are a second late at both ends.
    yield Line("transactions", "a minute", Series([(after["done"] - before["done"] - 1) / minutes]))
