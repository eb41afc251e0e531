"""Unusual events on real hosts, which must neither lose a page nor stop the daemon."""

from __future__ import annotations

import json
import os
import shutil
import signal
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.support.site import Site, numbers, until

if TYPE_CHECKING:
    from tests.acceptance.conftest import MakeSimulator
    from tests.support.site import Daemon, Simulator


def test_another_time_zone_makes_no_other_job(site: Site) -> None:
    """When the session's time zone changes between two starts, the pages still belong to their job."""
    daemon = site.serving()
    job = site.submit()
    site.wait(job, "ready")
    site.scan(job)
    daemon.stop()
    (row,) = site.sql("SELECT current_database() AS name")
    site.sql(f"ALTER DATABASE \"{row['name']}\" SET timezone = 'Asia/Tokyo'")
    site.serving()
    site.step(job, "assembling")
    site.wait(job, "preview")
    assert not list((site.staging / "jobs").glob("*.aside-*"))


def test_a_copy_and_a_damaged_file_do_not_stop_the_daemon(site: Site) -> None:
    """A copy beside a batch is ignored, and a damaged file fails only its own job."""
    daemon = site.serving()
    job = site.submit()
    site.wait(job, "ready")
    site.scan(job)
    directory = site.staging / "jobs" / str(job)
    shutil.copytree(directory / "batch-0001", directory / "batch-0001.bak")
    shutil.copytree(directory / "batch-0001", directory / "batch-0002")
    with (directory / "batch-0002" / "pages.jsonl").open("a") as file:
        file.write('{"sheet": "garbage"}\n')
    row = site.wait(job, "failed")
    assert row["error_code"] == "spool_damaged"
    assert daemon.process.poll() is None
    site.wait(site.submit("next"), "ready")


def test_a_damaged_page_fails_the_job_and_a_retry_saves_the_rest(site: Site, scanner: Simulator) -> None:
    """The error names the damaged page, and the job can be queued again with its other batch."""
    daemon = site.serving()
    job = site.submit()
    site.wait(job, "ready")
    site.scan(job)
    daemon.kill()
    page = site.staging / "jobs" / str(job) / "batch-0001" / "page-0003.jpg"
    page.write_bytes(b"rust")
    site.as_agent("DELETE FROM scan_job_batches")  # as after restoring an older backup
    site.serving()
    row = site.wait(job, "failed")
    assert row["error_code"] == "spool_damaged"
    assert "page-0003.jpg" in row["error"]
    site.step(job, "queued")
    site.wait(job, "ready")
    scanner.reload()
    site.scan(job)
    site.step(job, "assembling")
    row = site.wait(job, "preview")
    assert numbers(site.nas / row["nas_staging_path"]) == list(range(7, 13))


def test_a_client_that_holds_the_row_does_not_take_the_lead_away(site: Site) -> None:
    """While a client holds the job's row in an open transaction, heartbeats go on, and the step comes later."""
    daemon = site.serving()
    job = site.submit()
    site.wait(job, "ready")
    with psycopg.connect(site.database_url) as client:
        client.execute("UPDATE scan_jobs SET title = 'held' WHERE id = %s", (job,))
        daemon.signal(signal.SIGUSR1)
        until(lambda: daemon.said("queue_locked"), "the database refuses")
        before = site.sql("SELECT last_heartbeat FROM scan_agent_status")[0]["last_heartbeat"]
        until(
            lambda: site.sql("SELECT last_heartbeat FROM scan_agent_status")[0]["last_heartbeat"] > before,
            "the heartbeat goes on",
        )
    daemon.signal(signal.SIGUSR1)
    until(lambda: site.batches(job), "the batch")
    assert len(daemon.said("elected")) == 1


def test_a_name_that_is_taken_in_the_last_moment_is_left_alone(site: Site) -> None:
    """A file of another program that has taken the name while the NAS was away is left alone."""
    site.serving()
    job = site.submit("Letter", scan="auto", finish="preview")
    site.wait(job, "preview")
    inbox = site.nas / "Inbox"
    inbox.mkdir(exist_ok=True)
    site.as_agent(
        "UPDATE scan_jobs SET inbox_path = 'Inbox/Letter.pdf', file_hash = repeat('0', 64) WHERE id = %s", job
    )
    (inbox / "Letter.pdf").write_text("another program's")
    site.step(job, "committing")
    row = site.wait(job, "committed")
    assert row["inbox_path"] == "Inbox/Letter (2).pdf"
    assert (inbox / "Letter.pdf").read_text() == "another program's"
    assert numbers(site.nas / row["inbox_path"]) == list(range(1, 7))


def test_a_batch_that_is_restored_between_two_looks_is_in_the_document(
    site: Site, scanner: Simulator
) -> None:
    """assembling → ready → restore → assembling in one transaction brings the restored batch into the document."""
    site.serving()
    job = site.submit()
    site.wait(job, "ready")
    site.scan(job)
    scanner.reload()
    site.scan(job)
    site.sql("UPDATE scan_job_batches SET status = 'discarded' WHERE job_id = %s AND batch_seq = 2", job)
    (site.nas / ".scand-volume").rename(site.nas / "hidden")
    site.step(job, "assembling")
    until(lambda: site.job(job)["error_code"], "the NAS is away")
    (site.nas / "hidden").rename(site.nas / ".scand-volume")
    with psycopg.connect(site.database_url) as client:
        client.execute("UPDATE scan_jobs SET status = 'ready' WHERE id = %s", (job,))
        client.execute("UPDATE scan_job_batches SET status = 'scanned' WHERE job_id = %s", (job,))
        client.execute("UPDATE scan_jobs SET status = 'assembling' WHERE id = %s", (job,))
    row = site.wait(job, "preview")
    assert row["page_count"] == 12
    assert numbers(site.nas / row["nas_staging_path"]) == list(range(1, 13))


@pytest.mark.parametrize("spooled", [True, False])
def test_a_batch_that_nobody_counted_is_in_the_document(site: Site, spooled: bool) -> None:
    """A batch whose page_count is NULL, as in a document server's older rows, is in the document.

    Where its pages are on disk, it is bound anew and counted; another program's goes in whole, as it is.
    """
    site.serving()
    job = site.submit()
    site.wait(job, "ready")
    site.scan(job)
    site.as_agent("UPDATE scan_job_batches SET page_count = NULL, file_hash = NULL WHERE job_id = %s", job)
    if not spooled:
        (site.spool(job) / "batch-0001" / "pages.jsonl").unlink()
    site.step(job, "assembling")
    assert site.wait(job, "preview")["page_count"] == 6
    assert site.batches(job)[0]["page_count"] == (6 if spooled else None)


def feeder_of(daemon: Daemon) -> int | None:
    """The pid of the daemon's feeder; None: there is none."""
    parent = f"PPid:\t{daemon.process.pid}\n"
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (
                parent in (process / "status").read_text()
                and "scand.feeder" in (process / "cmdline").read_text()
            ):
                return int(process.name)
    return None


def test_a_driver_that_crashes_keeps_what_is_safe(
    tmp_path: Path, migrated_url: str, simulate: MakeSimulator
) -> None:
    """After SIGSEGV in mid-batch the safe pages are a batch, and the next batch scans."""
    scanner = simulate("--count", "20", "--ppm", "240")
    site = Site(tmp_path, migrated_url, scanner.config)
    try:
        daemon = site.serving()
        job = site.submit()
        site.wait(job, "ready")
        site.step(job, "scanning")
        until(lambda: (site.job(job)["pages_scanned"] or 0) >= 3, "some pages")
        feeder = feeder_of(daemon)
        assert feeder is not None
        os.kill(feeder, signal.SIGSEGV)
        row = site.wait(job, "ready")
        assert row["error_code"] == "driver_crashed"
        end = json.loads((site.staging / "jobs" / str(job) / "batch-0001" / "end.json").read_text())
        assert end["code"] == "driver_crashed"
        safe = site.batches(job)[0]["page_count"]
        scanner.reload()
        assert site.scan(job)["error_code"] is None, site.last_log()
        assert site.batches(job)[1]["page_count"] >= 40 - safe - 2
    finally:
        site.close()
