"""The time from the intent in the database to sane_start: with LISTEN, without it, and with the NAS away."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

from scand.courier.volume import MARKER
from scand.simulator.main import write_net_config
from tests.bench.installation import PATIENCE, installation
from tests.bench.line import Line, Series, Target
from tests.bench.start_proxy import StartProxy
from tests.support.site import Simulator, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bench.bench import Bench
    from tests.bench.installation import Installation

PARKED = 20

_WITHOUT_NOTIFY = """
DO $$ BEGIN
    EXECUTE replace(pg_get_functiondef('scand_record_step'::regproc), 'PERFORM pg_notify', '-- PERFORM pg_notify');
    EXECUTE replace(pg_get_functiondef('scand_notify_job'::regproc), 'PERFORM pg_notify', '-- PERFORM pg_notify');
END $$
"""


def measure(bench: Bench) -> Iterator[Line]:
    """40 times a run with LISTEN, 6 times a run without, 40 times with the NAS away and jobs parked for it.

    The feeder is empty, so that no page interferes.
    """
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
            with installation(bench.server, bench.directory / "away", bench.directory / "sane") as here:
                (here.site.nas / MARKER).unlink()
                here.serve()
                until(lambda: _nas_is_away(here), "the daemon knows that the NAS is away", PATIENCE)
                _park(here)
                job = here.claimed()
                _measure_one(here, starts, job, 0.0)
                away = [1000 * _measure_one(here, starts, job, 0.05) for _ in range(40 * bench.runs)]
    finally:
        scanner.stop()
    ours = Series(with_listen)
    note = f"p50 {ours.median:.1f} ms, p99 {ours.percentile(99):.1f} ms"
    yield Line("intent → sane_start, with LISTEN", "ms", ours, None, Target(at_most=50), note)
    yield Line("", "ms", ours, None, Target(at_most=200, percentile=99))
    yield Line(
        f"intent → sane_start, NAS away, {PARKED} jobs parked",
        "ms",
        Series(away),
        ("NAS there", ours),
        Target(at_most=200, percentile=99),
    )
    yield Line(
        "intent → sane_start, LISTEN dead", "s", Series(without), None, Target(at_most=1.5, percentile=99)
    )


def _nas_is_away(here: Installation) -> bool:
    return bool(here.site.sql("SELECT id FROM scan_agent_status WHERE state LIKE '%%no NAS%%'"))


def _park(here: Installation) -> None:
    """Jobs that wait for the NAS, in one transaction each, so that the daemon sees nothing of what came before."""
    for number in range(PARKED):
        job = here.site.submit(f"Parked {number}", status="draft")
        with here.site.connection.transaction():
            here.site.step(job, "queued")
            here.site.sql("SET LOCAL scand.actor = 'agent'")
            for status in ("ready", "assembling", "queued"):
                here.site.step(job, status)


def _measure_one(here: Installation, starts: StartProxy, job: int, pause: float) -> float:
    """Seconds from just before the UPDATE, which comes after a random pause of up to `pause` s, to sane_start."""
    until(lambda: here.site.job(job)["status"] == "ready", "the job is ready", PATIENCE)
    time.sleep(random.uniform(0.0, pause))
    while not starts.times.empty():
        starts.times.get()
    begun = time.monotonic()
    here.site.step(job, "scanning")
    return starts.times.get(timeout=PATIENCE) - begun
