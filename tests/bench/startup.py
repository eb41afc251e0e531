"""The time from exec to READY=1, and from a kill -9 in mid-batch to a job that says why."""

from __future__ import annotations

import os
import socket
import threading
import time
from contextlib import contextmanager
from queue import SimpleQueue
from typing import TYPE_CHECKING

from tests.bench.installation import PATIENCE, installation
from tests.bench.line import Line, Series, Target
from tests.bench.pages import fill
from tests.bench.scanners import simulator
from tests.support.site import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.bench.bench import Bench
    from tests.bench.installation import Installation

_PAGES = 1000


def measure(bench: Bench) -> Iterator[Line]:
    """Normal starts, and starts with the spool that a killed daemon has left."""
    with (
        simulator(bench.directory / "scanner") as scanner,
        installation(bench.server, bench.directory / "site", scanner.config) as here,
        _service_manager(bench.directory / "notify") as manager,
    ):
        normal = []
        for _ in range(bench.runs):
            begun = time.monotonic()
            daemon = here.site.start()
            normal.append(manager.get(timeout=PATIENCE) - begun)
            daemon.kill()
        killed = [_killed(bench, here, manager) for _ in range(max(1, bench.runs // 2))]
    yield Line("exec → READY=1", "s", Series(normal))
    what = f"kill -9 with {_PAGES} pages in the spool"
    goes_on = Series([run[0] for run in killed])
    yield Line(
        f"{what}: exec → the row says that its batch is being bound", "s", goes_on, None, Target(at_most=10)
    )
    yield Line(
        f"{what}: exec → its pages are a PDF, and the row says why", "s", Series([run[1] for run in killed])
    )


def _killed(bench: Bench, here: Installation, manager: SimpleQueue[float]) -> tuple[float, float]:
    """Seconds until the daemon binds the pages that were left, and until the row says what happened."""
    daemon = here.serve()
    job = here.claimed()
    daemon.kill()
    fill(here.directory(job), _PAGES, ended=False, originals=bench.directory / "originals")
    here.site.step(job, "scanning")
    manager.get(timeout=PATIENCE)
    begun = time.monotonic()
    daemon = here.site.start()
    manager.get(timeout=PATIENCE)
    until(lambda: here.site.job(job)["step"], "the batch is being bound", PATIENCE)
    goes_on = time.monotonic() - begun
    until(lambda: here.site.job(job)["error"], "the row says why", PATIENCE)
    told = time.monotonic() - begun
    row = here.site.job(job)
    assert row["error_code"] == "interrupted", row
    here.cancel(job)
    until(
        lambda: here.site.sql("SELECT current_job_id FROM scan_agent_status")[0]["current_job_id"] is None,
        "idle",
    )
    daemon.kill()
    bench.remove(here.directory(job).path)
    return goes_on, told


@contextmanager
def _service_manager(path: Path) -> Iterator[SimpleQueue[float]]:
    """Read what a daemon tells systemd, since it blocks if nobody does: the times of READY=1; sd_notify(3)."""
    ready: SimpleQueue[float] = SimpleQueue()

    def read() -> None:
        while lines := manager.recv(65536).splitlines():
            if b"READY=1" in lines:
                ready.put(time.monotonic())

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(os.fspath(path))
        reader = threading.Thread(target=read)
        reader.start()
        os.environ["NOTIFY_SOCKET"] = os.fspath(path)
        try:
            yield ready
        finally:
            del os.environ["NOTIFY_SOCKET"]
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as last:
                last.sendto(b"", os.fspath(path))
            reader.join()
