"""The time from the intent in the database to sane_start: with LISTEN, and without any notification."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

from scand.simulator.main import write_net_config
from tests.bench.installation import PATIENCE, installation
from tests.bench.line import Line, Series, Target
from tests.bench.start_proxy import StartProxy
from tests.support.site import Simulator, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bench.bench import Bench
    from tests.bench.installation import Installation

_WITHOUT_NOTIFY = """
DO $$ BEGIN
    EXECUTE replace(pg_get_functiondef('scand_record_step'::regproc), 'PERFORM pg_notify', '-- PERFORM pg_notify');
END $$
"""


def measure(bench: Bench) -> Iterator[Line]:
    """40 times a run with LISTEN, 6 times a run without; the feeder is empty, so that no page interferes."""
    home = bench.directory / "scanner"
    home.mkdir()
    scanner = Simulator(home, "--count", "0")
    try:
        with StartProxy(scanner.address) as starts:
            write_net_config(bench.directory / "sane", starts.address)
            with installation(bench.server, bench.directory / "site", bench.directory / "sane") as here:
                here.serve()
                job = here.claimed()
                _measure_one(here, starts, job, 0.0)  # from here on, the feeder has the device open
                with_listen = [1000 * _measure_one(here, starts, job, 0.05) for _ in range(40 * bench.runs)]
                here.site.sql(_WITHOUT_NOTIFY)
                without = [_measure_one(here, starts, job, 1.0) for _ in range(6 * bench.runs)]
    finally:
        scanner.stop()
    ours = Series(with_listen)
    note = f"p50 {ours.median:.1f} ms, p99 {ours.percentile(99):.1f} ms"
    yield Line("intent → sane_start, with LISTEN", "ms", ours, None, Target(at_most=50), note)
    yield Line("", "ms", ours, None, Target(at_most=200, percentile=99))
    yield Line(
        "intent → sane_start, LISTEN dead", "s", Series(without), None, Target(at_most=1.5, percentile=99)
    )


def _measure_one(here: Installation, starts: StartProxy, job: int, pause: float) -> float:
    """Seconds from just before the UPDATE, which comes after a random pause of up to `pause` s, to sane_start."""
    until(lambda: here.site.job(job)["status"] == "ready", "the job is ready", PATIENCE)
    time.sleep(random.uniform(0.0, pause))
    while not starts.times.empty():
        starts.times.get()
    begun = time.monotonic()
    here.site.step(job, "scanning")
    return starts.times.get(timeout=PATIENCE) - begun
