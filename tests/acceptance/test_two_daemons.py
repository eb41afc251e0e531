"""Two daemons, and the children that one of them leaves behind."""

from __future__ import annotations

import os
import signal
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tests.support.checker import Checker
from tests.support.evidence import captured
from tests.support.site import Site, has_ended, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.acceptance.conftest import MakeSimulator
    from tests.support.site import Daemon, Simulator


@pytest.fixture
def slow(simulate: MakeSimulator, request: pytest.FixtureRequest) -> Simulator:
    """A scanner that takes 0.25 s for a side, with as many sheets as the test says, or twelve."""
    return simulate("--count", str(getattr(request, "param", 12)), "--ppm", "240")


@pytest.fixture
def busy(tmp_path: Path, migrated_url: str, slow: Simulator) -> Iterator[Site]:
    """A site with that scanner."""
    site = Site(tmp_path, migrated_url, slow.config)
    yield site
    site.close()


def test_on_the_same_staging_directory(busy: Site, slow: Simulator) -> None:
    """The second daemon says for which one it waits, and goes on when the first and its feeder are killed."""
    first = busy.serving()
    second = busy.start()
    (waiting, *_) = until(lambda: second.said("waiting_for_lock"), "the second waits")
    assert str(first.process.pid) in waiting["message"]
    job = busy.submit(scan="auto")
    until(lambda: (busy.job(job)["pages_scanned"] or 0) >= 3, "some pages")
    feeder = first.child("scand.feeder")
    os.kill(feeder, signal.SIGSTOP)  # it cannot hear that its parent has has_ended
    assert second.said("elected") == []
    first.kill()
    until(lambda: has_ended(feeder), "no feeder is left behind")
    pages = list(captured(busy.staging))
    until(lambda: second.said("elected"), "the second leads", patience=10)
    row = busy.wait(job, "ready")
    assert row["error_code"] == "interrupted"
    assert list(captured(busy.staging)) == pages
    assert Checker(busy.connection, busy.staging, busy.nas, slow.fed).check(alive=True) == []


def test_on_the_same_database(site: Site, scanner: Simulator, tmp_path: Path) -> None:
    """When a daemon is killed, its courier, about to publish, does not publish before another daemon leads."""
    first = site.serving()
    job = site.submit(scan="auto", finish="preview")
    site.wait(job, "preview")
    own = site.config.read_text()
    elsewhere(site, tmp_path / "elsewhere")
    second = site.start()
    (waiting, *_) = until(lambda: second.said("waiting_for_lock"), "the second waits")
    assert str(first.process.pid) in waiting["message"]
    second.kill()
    site.config.write_text(own)
    third = site.start()
    until(lambda: third.said("waiting_for_lock"), "the third waits")
    with before_publishing(site, first, job) as courier:
        first.kill()
    until(lambda: has_ended(courier), "no courier is left behind")
    assert third.said("elected") or site.inbox() == []
    until(lambda: third.said("elected"), "the third leads", patience=10)
    row = site.wait(job, "committed")
    assert [path.name for path in site.inbox()] == [Path(row["inbox_path"]).name]
    assert Checker(site.connection, site.staging, site.nas, scanner.fed).settled() == []


def asleep(pid: int, kernel_function: str) -> bool:
    """Whether a process sleeps in a kernel function, as far as the kernel shows that ("0": it does not)."""
    found = Path(f"/proc/{pid}/wchan").read_text()
    return found == "0" or kernel_function in found


def listening(courier: int) -> bool:
    """Whether a courier waits for its daemon, or has ended."""
    return has_ended(courier) or asleep(courier, "unix_stream")


@contextmanager
def before_publishing(site: Site, daemon: Daemon, job: int) -> Iterator[int]:
    """Stop the daemon while its courier waits for the go-ahead to publish; gives the courier's pid."""
    with psycopg.connect(site.database_url) as client:
        client.execute("SELECT FROM scan_agent_status FOR UPDATE")  # so that no row gets a name
        site.step(job, "committing")
        courier = until(lambda: daemon.child("scand.courier"), "the courier")
        until(lambda: daemon.said("queue_locked"), "the database refuses")
        until(lambda: listening(courier), "the courier waits")
        daemon.signal(signal.SIGSTOP)
        yield courier


def elsewhere(site: Site, staging: Path) -> None:
    """Give the next daemon another staging directory, as on another host."""
    text = site.config.read_text().replace(f'"{site.staging}"', f'"{staging}"')
    staging.mkdir()
    (staging / "nas-volume").write_text((site.staging / "nas-volume").read_text())
    site.config.write_text(text)


# The daemon that scans is stopped until another leads; 400 sheets last longer than that takes on any machine.
@pytest.mark.parametrize(("slow", "state"), [(400, "scanning"), (4, "committing")], indirect=["slow"])
def test_a_daemon_that_resumes_when_another_leads(busy: Site, tmp_path: Path, state: str) -> None:
    """A daemon that resumes after another one leads writes nothing, ends its children, and waits for the lock."""
    resumed = busy.serving()
    job = busy.submit(scan="auto")
    until(lambda: (busy.job(job)["pages_scanned"] or 0) >= 3, "some pages")
    left = resumed.child("scand.feeder")
    with ExitStack() as held:
        if state == "committing":
            until(lambda: busy.batches(job), "the batch")
            busy.wait(job, "ready")
            busy.step(job, "assembling")
            busy.wait(job, "preview")
            left = held.enter_context(before_publishing(busy, resumed, job))
        else:
            resumed.signal(signal.SIGSTOP)
        busy.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'scand' AND datname = current_database()"
        )
    elsewhere(busy, tmp_path / "elsewhere")
    other = busy.start()
    until(lambda: other.said("elected"), "the other leads")
    if state == "committing":
        busy.wait(job, "preview")  # refused: its pages are not on this host
    else:
        busy.step(job, "canceled")
    until(lambda: at_rest(busy, other), "the other has done what there is to do")
    before = seen(busy)
    resumed.signal(signal.SIGCONT)
    (waiting, *_) = until(lambda: resumed.said("waiting_for_lock"), "the resumed one waits")
    assert str(other.process.pid) in waiting["message"]
    until(lambda: has_ended(left), "no child of it goes on")
    assert seen(busy) == before
    assert resumed.process.poll() is None
    if state == "scanning":
        (batch,) = (busy.staging / "jobs" / str(job)).glob("batch-*")
        assert (batch / "end.json").exists()
        assert len((batch / "pages.jsonl").read_text().splitlines()) < 800


def at_rest(site: Site, daemon: Daemon) -> bool:
    """Whether a daemon has no task, and will have none by itself; its courier may wait for one."""
    (row,) = site.sql(
        "SELECT count(*) AS jobs FROM scan_jobs WHERE status = 'canceled' AND nas_staging_path IS NOT NULL"
        " OR status NOT IN ('preview', 'canceled')"
    )
    return row["jobs"] == 0 and listening(daemon.child("scand.courier"))


def seen(site: Site) -> dict[str, Any]:
    """Rows and NAS, without the heartbeat of the daemon that leads."""
    return {
        "jobs": site.sql("SELECT * FROM scan_jobs ORDER BY id"),
        "batches": site.sql("SELECT * FROM scan_job_batches ORDER BY id"),
        "events": site.sql("SELECT * FROM scan_job_events ORDER BY id"),
        "agent": site.sql("SELECT epoch, pid, started_at FROM scan_agent_status"),
        "nas": sorted((str(path), path.stat().st_mtime_ns) for path in site.nas.rglob("*") if path.is_file()),
    }
