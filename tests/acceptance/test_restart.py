"""kill -9 in every state: the next start finishes the step, once."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

import pytest

from tests.support.site import Site, numbers, sha256, until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.acceptance.conftest import MakeSimulator
    from tests.support.site import Simulator


def test_killed_in_ready_the_job_goes_on(site: Site) -> None:
    """A batch that was there before the kill is in the document."""
    daemon = site.serving()
    job = site.submit(finish="hold")
    site.wait(job, "ready")
    site.scan(job)
    daemon.kill()
    site.serving()
    site.step(job, "assembling")
    site.wait(job, "preview")
    site.step(job, "committing")
    row = site.wait(job, "committed")
    assert numbers(site.nas / row["inbox_path"]) == list(range(1, 7))


def test_killed_in_mid_batch_the_pages_are_recorded_as_interrupted(
    tmp_path: Path, migrated_url: str, simulate: MakeSimulator
) -> None:
    """After a kill in mid-batch the safe pages are a batch, and the agent waits for a client."""
    scanner = simulate("--count", "40", "--ppm", "240")
    site = Site(tmp_path, migrated_url, scanner.config)
    try:
        daemon = site.serving()
        job = site.submit(scan="auto", finish="commit")
        until(lambda: (site.job(job)["pages_scanned"] or 0) >= 3, "some pages")
        daemon.kill()
        assert site.job(job)["status"] == "scanning"
        site.serving()
        row = site.wait(job, "ready")
        assert row["error_code"] == "interrupted"
        (batch,) = site.batches(job)
        directory = site.staging / "jobs" / str(job) / "batch-0001"
        captured = len((directory / "pages.jsonl").read_text().splitlines())
        assert (batch["status"], batch["page_count"]) == ("scanned", captured - captured % 2)
        assert not batch["answered"]
        assert numbers(directory / "batch.pdf") == list(range(1, batch["page_count"] + 1))
        assert site.inbox() == []
    finally:
        site.close()


@pytest.mark.parametrize("state", ["assembling", "committing"])
def test_killed_while_the_nas_is_away_the_step_is_finished_later(site: Site, state: str) -> None:
    """A step that waits for the NAS when the daemon is killed is finished after the next start, once."""
    daemon = site.serving()
    job = site.submit(scan="auto", finish="preview")
    site.wait(job, "preview")
    marker, hidden = site.nas / ".scand-volume", site.nas / "hidden"
    marker.rename(hidden)
    if state == "assembling":
        site.step(job, "ready")
        site.wait(job, "ready")
    site.step(job, state)
    until(lambda: site.job(job)["error_code"] == "nas_unavailable", "the NAS is away")
    daemon.kill()
    assert site.job(job)["status"] == state
    hidden.rename(marker)
    site.serving()
    if state == "assembling":
        site.wait(job, "preview")
        site.step(job, "committing")
    row = site.wait(job, "committed")
    assert row["error"] is None
    assert [sha256(path) for path in site.inbox()] == [row["file_hash"]]
    assert numbers(site.nas / row["inbox_path"]) == list(range(1, 7))


def test_killed_at_random_moments_every_side_arrives_once(site: Site, scanner: Simulator) -> None:
    """With the daemon killed again and again between finish and committed, every side arrives once."""
    seed = random.randrange(10**6)
    chance = random.Random(seed)
    for round_ in range(4):
        daemon = site.serving()
        job = site.submit(f"round {round_}", scan="auto", finish="hold")
        until(lambda job=job: site.batches(job), "the batch")  # type: ignore[misc]
        site.wait(job, "ready")
        fed = scanner.fed()[-6:]
        site.step(job, "assembling")
        for _ in range(3):
            time.sleep(chance.uniform(0, 0.5))
            daemon.kill()
            daemon = site.serving()
        site.wait(job, "preview")
        site.step(job, "committing")
        for _ in range(3):
            time.sleep(chance.uniform(0, 0.5))
            daemon.kill()
            daemon = site.serving()
        row = site.wait(job, "committed")
        assert numbers(site.nas / row["inbox_path"]) == fed, f"seed {seed}"
        assert len(site.inbox()) == round_ + 1, f"seed {seed}"
        daemon.kill()
        scanner.reload()
    assert not list(site.nas.glob(".scan-staging/*/*/*")), f"seed {seed}"


def test_a_second_daemon_waits_and_takes_over(site: Site) -> None:
    """A second daemon says for which one it waits, and takes over when that is killed."""
    first = site.serving()
    second = site.start()
    (waiting,) = until(lambda: second.said("waiting_for_lock"), "the second waits")
    assert str(first.process.pid) in waiting["message"]
    first.kill()
    until(lambda: second.said("elected"), "the second leads")
    job = site.submit(scan="auto", finish="commit")
    site.wait(job, "committed")
    assert site.sql("SELECT epoch FROM scan_agent_status")[0]["epoch"] == 2


def test_a_daemon_on_another_staging_directory_waits_for_the_database_lock(
    site: Site, tmp_path: Path
) -> None:
    """Daemons on two hosts with one database do not serve at the same time."""
    first = site.serving()
    text = site.config.read_text().replace(str(site.staging), str(tmp_path / "elsewhere"))
    site.config.write_text(text)
    second = site.start()
    until(lambda: second.said("waiting_for_lock"), "the second waits")
    assert second.said("elected") == []
    first.kill()
    until(lambda: second.said("elected"), "the second leads")


def test_the_database_goes_and_comes_back(site: Site) -> None:
    """When the server ends the daemon's sessions, it connects again and goes on."""
    daemon = site.serving()
    site.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'scand'"
        " AND datname = current_database()"
    )
    until(lambda: len(daemon.said("elected")) == 2, "it leads again")
    job = site.submit(scan="auto", finish="commit")
    site.wait(job, "committed")


def test_pages_of_a_former_database_are_put_aside(site: Site, scanner: Simulator) -> None:
    """Pages of another row with the same id are put aside, neither adopted nor deleted."""
    site.serving()
    job = site.submit(scan="auto")
    until(lambda: site.batches(job), "the batch")
    site.step(job, "canceled")
    site.sql("DELETE FROM scan_jobs")
    site.sql("ALTER SEQUENCE scan_jobs_id_seq RESTART")
    scanner.reload()
    again = site.submit(scan="auto", finish="preview")
    assert again == job
    row = site.wait(again, "preview")
    assert row["page_count"] == 6
    (aside,) = (site.staging / "jobs").glob("*.aside-*")
    assert len(list((aside / "batch-0001").glob("page-*.jpg"))) == 6
    assert "put aside" in site.last_log()


def test_a_job_that_is_deleted_while_active_stops_everything(
    tmp_path: Path, migrated_url: str, simulate: MakeSimulator
) -> None:
    """When the active job is deleted, the scanner stops, and the next job is claimed."""
    scanner = simulate("--count", "30", "--ppm", "240")
    site = Site(tmp_path, migrated_url, scanner.config)
    try:
        daemon = site.serving()
        job = site.submit(scan="auto")
        until(lambda: (site.job(job)["pages_scanned"] or 0) >= 2, "some pages")
        site.sql("DELETE FROM scan_jobs")
        after = site.submit("after")
        site.wait(after, "ready")
        assert daemon.process.poll() is None
    finally:
        site.close()
