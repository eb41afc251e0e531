"""Daemons that are killed or hang: systemd restarts them, and their jobs go on."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.systemd.box import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.systemd.conftest import NewHost
    from tests.systemd.host import ScanHost

_QUICK = "[Service]\nWatchdogSec=2\nRestartSec=100ms\n"


@pytest.fixture(scope="module")
def served(new_host: NewHost) -> Iterator[ScanHost]:
    """A scan host with short timeouts, for all tests of this module."""
    with new_host() as host:
        host.drop_in("quick", _QUICK)
        config = host.box.root / "etc/scand/scand.toml"
        config.write_text(config.read_text().replace('#page_timeout = "60s"', 'page_timeout = "2s"'))
        host.mount_nas()
        host.start()
        host.serves()
        yield host


def test_after_a_kill_the_job_goes_on(served: ScanHost) -> None:
    """After SIGKILL in mid-batch it restarts at once; what was scanned is kept, and the stack can be fed."""
    pid, ready = served.pid(), len(served.said("ready"))
    served.plug_in("--count=3", "--ppm=240")
    job = served.submit()
    until(lambda: len(served.fed()) >= 3, "it scans")
    served.box.run("systemctl", "kill", "--signal=KILL", "--kill-whom=main", "scand")
    served.serves(times=ready + 1)
    assert served.wait(job, "ready")["error_code"] == "interrupted"
    assert served.restarts() == 1
    assert served.pid() not in {0, pid}
    assert list((served.box.root / f"var/lib/scand/jobs/{job}/batch-0001").glob("page-*"))
    served.refill()
    served.step(job, "scanning")
    served.wait(job, "preview")  # where a person sees that the whole stack was fed again
    served.step(job, "committing")
    served.wait(job, "committed")
    assert len(served.inbox()) == 1


def test_a_frozen_loop_is_killed_by_the_watchdog(served: ScanHost) -> None:
    """SIGSTOP to the daemon: systemd notices, aborts it, starts it again; the journal shows where it stood."""
    ready, restarts = len(served.said("ready")), served.restarts()
    served.plug_in("--count=1")
    served.box.run("kill", "-STOP", str(served.pid()))
    served.serves(times=ready + 1)
    assert served.restarts() == restarts + 1
    said = served.messages("--unit=scand")
    assert any("Watchdog timeout" in message for message in said)
    assert any("Fatal Python error: Aborted" in message for message in said)
    served.wait(served.submit(), "committed")


def test_a_hung_feeder_is_not_the_daemons_end(served: ScanHost) -> None:
    """The driver is frozen: the daemon goes on turning, and kills it when its time is over."""
    before = served.pid(), served.restarts()
    served.plug_in("--count=9", "--ppm=240")
    job = served.submit()
    until(lambda: len(served.fed()) >= 2, "it scans")
    assert served.freeze("scand.feeder")
    assert served.wait(job, "ready")["error_code"] == "driver_hung"
    assert (served.pid(), served.restarts()) == before
    served.step(job, "canceled")
    served.plug_in("--count=1")  # and the feeder is emptied, before another job scans by itself
    job = served.submit()
    until(lambda: served.job(job)["error_code"] == "paper_left", "it waits for a person")
    served.sql('UPDATE scan_jobs SET settings = settings || \'{"scan": "manual"}\' WHERE id = %s', job)
    served.wait(job, "ready")
    served.step(job, "scanning")
    served.wait(job, "committed")


def test_a_hung_courier_is_not_the_daemons_end(served: ScanHost) -> None:
    """A courier is frozen, as in a NAS that hangs: the daemon goes on turning, and the job goes on when it can."""
    before = served.pid(), served.restarts()
    served.plug_in("--count=20")
    job = served.submit()
    until(lambda: served.job(job)["status"] == "scanning", "it is being scanned")
    courier = until(lambda: served.freeze("scand.courier"), "a courier waits for the batch")
    time.sleep(4.2)  # more than two of the watchdog's periods
    assert served.job(job)["status"] != "committed"
    assert (served.pid(), served.restarts()) == before
    served.box.run("kill", "-CONT", str(courier))
    served.wait(job, "committed")
