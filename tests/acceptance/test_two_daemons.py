"""Two daemons, and the children that one leaves behind."""

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
from tests.support.site import Site, gone, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.acceptance.conftest import MakeSimulator
    from tests.support.site import Daemon, Simulator


@pytest.fixture
def slow(simulate: MakeSimulator, request: pytest.FixtureRequest) -> Simulator:
    """A scanner that takes a quarter of a second for a side, with as many sheets as the test says or twelve."""
    return simulate("--count", str(getattr(request, "param", 12)), "--ppm", "240")


@pytest.fixture
def busy(tmp_path: Path, migrated_url: str, slow: Simulator) -> Iterator[Site]:
    """A site with that scanner."""
    site = Site(tmp_path, migrated_url, slow.config)
    yield site
    site.close()


def test_on_the_same_staging_directory(busy: Site, slow: Simulator) -> None:
    """The second waits, says for whom, and goes on when the first is killed in mid-batch, its feeder with it."""
    first = busy.serving()
    second = busy.start()
    (waiting, *_) = until(lambda: second.said("waiting_for_lock"), "the second waits")
    assert str(first.process.pid) in waiting["message"]
    job = busy.submit(scan="auto")
    until(lambda: (busy.job(job)["pages_scanned"] or 0) >= 3, "some pages")
    feeder = first.child("scand.feeder")
    os.kill(feeder, signal.SIGSTOP)  # it cannot hear that its parent has gone
    assert second.said("elected") == []
    first.kill()
    until(lambda: gone(feeder), "no feeder is left behind")
    pages = list(captured(busy.staging))
    until(lambda: second.said("elected"), "the second leads", patience=10)
    row = busy.wait(job, "ready")
    assert row["error_code"] == "interrupted"
    assert list(captured(busy.staging)) == pages
    assert Checker(busy.connection, busy.staging, busy.nas, slow.fed).check(alive=True) == []


def test_on_the_same_database(site: Site, scanner: Simulator, tmp_path: Path) -> None:
    """The second waits; a courier about to publish, its daemon killed, publishes nothing before another leads."""
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
    with before_the_word(site, first, job) as courier:
        first.kill()
    until(lambda: gone(courier), "no courier is left behind")
    assert third.said("elected") or site.inbox() == []
    until(lambda: third.said("elected"), "the third leads", patience=10)
    row = site.wait(job, "committed")
    assert [path.name for path in site.inbox()] == [Path(row["inbox_path"]).name]
    assert Checker(site.connection, site.staging, site.nas, scanner.fed).settled() == []


def asleep(pid: int, kernel_function: str) -> bool:
    """Whether a process sleeps there, as far as the kernel tells ("0": it does not)."""
    found = Path(f"/proc/{pid}/wchan").read_text()
    return found == "0" or kernel_function in found


def listening(courier: int) -> bool:
    """Whether a courier waits for a word of its daemon, or has ended."""
    return gone(courier) or asleep(courier, "unix_stream")


@contextmanager
def before_the_word(site: Site, daemon: Daemon, job: int) -> Iterator[int]:
    """The job is committing, the daemon is stopped, and its courier waits for the word to publish: the pid."""
    with psycopg.connect(site.database_url) as client:
        client.execute("SELECT FROM scan_agent_status FOR UPDATE")  # so that no row gets a name
        site.step(job, "committing")
        courier = until(lambda: daemon.child("scand.courier"), "the courier")
        until(lambda: daemon.said("unexpected"), "the database refuses")
        until(lambda: listening(courier), "the courier waits")
        daemon.signal(signal.SIGSTOP)
        yield courier


def elsewhere(site: Site, staging: Path) -> None:
    """The next daemon has another staging directory: as on another host."""
    text = site.config.read_text().replace(f'"{site.staging}"', f'"{staging}"')
    staging.mkdir()
    (staging / "nas-volume").write_text((site.staging / "nas-volume").read_text())
    site.config.write_text(text)


# The scanning one is frozen until another leads: its stack lasts longer than that takes on any machine.
@pytest.mark.parametrize(("slow", "state"), [(400, "scanning"), (4, "committing")], indirect=["slow"])
def test_a_daemon_that_thaws_when_another_leads(busy: Site, tmp_path: Path, state: str) -> None:
    """It writes nothing: no row, nothing on the NAS. Its children end, and it says for whom it waits."""
    thawing = busy.serving()
    job = busy.submit(scan="auto")
    until(lambda: (busy.job(job)["pages_scanned"] or 0) >= 3, "some pages")
    left = thawing.child("scand.feeder")
    with ExitStack() as held:
        if state == "committing":
            until(lambda: busy.batches(job), "the batch")
            busy.wait(job, "ready")
            busy.step(job, "assembling")
            busy.wait(job, "preview")
            left = held.enter_context(before_the_word(busy, thawing, job))
        else:
            thawing.signal(signal.SIGSTOP)
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
    thawing.signal(signal.SIGCONT)
    (waiting, *_) = until(lambda: thawing.said("waiting_for_lock"), "the thawed one waits")
    assert str(other.process.pid) in waiting["message"]
    until(lambda: gone(left), "no child of it goes on")
    assert seen(busy) == before
    assert thawing.process.poll() is None
    if state == "scanning":
        (batch,) = (busy.staging / "jobs" / str(job)).glob("batch-*")
        assert (batch / "end.json").exists()
        assert len((batch / "pages.jsonl").read_text().splitlines()) < 800


def at_rest(site: Site, daemon: Daemon) -> bool:
    """Whether a daemon has no errand, and will have none of itself; its courier may wait for one."""
    (row,) = site.sql(
        "SELECT count(*) AS jobs FROM scan_jobs WHERE status = 'canceled' AND nas_staging_path IS NOT NULL"
        " OR status NOT IN ('preview', 'canceled')"
    )
    return row["jobs"] == 0 and listening(daemon.child("scand.courier"))


def seen(site: Site) -> dict[str, Any]:
    """Rows and NAS, but for the heartbeat of the daemon that leads."""
    return {
        "jobs": site.sql("SELECT * FROM scan_jobs ORDER BY id"),
        "batches": site.sql("SELECT * FROM scan_job_batches ORDER BY id"),
        "events": site.sql("SELECT * FROM scan_job_events ORDER BY id"),
        "agent": site.sql("SELECT epoch, pid, started_at FROM scan_agent_status"),
        "nas": sorted((str(path), path.stat().st_mtime_ns) for path in site.nas.rglob("*") if path.is_file()),
    }
