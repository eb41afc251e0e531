"""Paper of a stopped stack that is still in the feeder gets into no document of another job."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from tests.support.site import Site, numbers, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.acceptance.conftest import MakeSimulator
    from tests.support.site import Simulator


@pytest.fixture
def scanner(simulate: MakeSimulator) -> Simulator:
    """A duplex scanner with 20 sheets, slow enough that a batch can be canceled in the middle."""
    return simulate("--count", "20", "--ppm", "600")


@pytest.fixture
def site(tmp_path: Path, migrated_url: str, scanner: Simulator) -> Iterator[Site]:
    """A site with that scanner."""
    site = Site(tmp_path, migrated_url, scanner.config)
    yield site
    site.close()


def stopped(site: Site, **settings: str) -> int:
    """A job that was canceled when five sheets of its stack were through."""
    job = site.submit("The first", **settings)
    site.wait(job, "ready")
    site.step(job, "scanning")
    until(lambda: (site.job(job)["pages_scanned"] or 0) >= 9, "five sheets")
    site.step(job, "canceled")
    return job


def held(site: Site, job: int) -> str:
    """The sentence of a job that waits for a person."""
    until(lambda: site.job(job)["error_code"] == "paper_left", "the job waits")
    assert site.job(job)["status"] == "queued"
    return str(site.job(job)["error"])


def test_the_rest_of_a_canceled_stack_gets_into_no_document(site: Site, scanner: Simulator) -> None:
    """Another job that scans by itself waits, and says whose paper it is; its person does what it says."""
    site.serving()
    first = stopped(site)
    waiting = site.submit("The second", scan="auto", finish="commit")
    why = held(site, waiting)
    assert f"paper of job {first}, batch 1" in why
    assert why.endswith(f"scand scan {waiting}")

    (batch,) = until(lambda: site.batches(first), "the canceled batch has its row")
    assert (batch["status"], batch["error_code"], batch["staging_path"]) == ("discarded", "canceled", None)
    assert 8 <= batch["page_count"] <= len(scanner.fed())

    scanner.command("empty\n2")  # the paper is taken out, and the job's own is put in: two new sheets
    site.scand("scan", str(waiting))
    row = site.wait(waiting, "committed")
    assert numbers(site.nas / row["inbox_path"]) == [41, 42, 43, 44]


def test_the_same_job_does_not_take_up_its_stack_by_itself_either(site: Site) -> None:
    """Whoever queues a canceled job again need not stand at the scanner: queueing is no answer."""
    site.serving()
    job = stopped(site, scan="manual")
    site.sql("UPDATE scan_jobs SET settings = %s WHERE id = %s", '{"scan": "auto"}', job)
    site.step(job, "queued")
    assert f"paper of job {job}, batch 1" in held(site, job)


def test_other_jobs_are_claimed_past_it(site: Site) -> None:
    """A job that a person starts, and one that scans by itself from the glass, do not wait behind it."""
    site.serving()
    stopped(site)
    held(site, waiting := site.submit("by itself", scan="auto"))
    site.wait(by_hand := site.submit("by hand"), "ready")
    site.step(by_hand, "canceled")
    assert site.job(waiting)["status"] == "queued"
    glass = site.submit("glass", scan="auto", source="flatbed", finish="commit")
    site.wait(glass, "committed")
    assert site.job(waiting)["error_code"] == "paper_left", "a flatbed's page says nothing about the feeder"


def test_an_empty_feeder_lets_all_of_them_go_on(site: Site, scanner: Simulator) -> None:
    """Once the scanner has said that its feeder is empty, jobs that waited scan by themselves, in their turn."""
    site.serving()
    stopped(site)
    jobs = [site.submit(f"waits {number}", scan="auto", finish="commit") for number in (1, 2)]
    for job in jobs:
        held(site, job)
    site.scand("scan", str(jobs[0]))  # the person leaves the paper in: it belongs to this job
    row = site.wait(jobs[0], "committed")
    assert row["page_count"] >= 20, "the rest of the stack"
    until(lambda: site.job(jobs[1])["error_code"] == "feeder_empty", "the second has begun by itself")
    assert site.job(jobs[1])["error"].startswith("The feeder is empty")


def test_the_signal_scans_into_the_job_that_waits(site: Site, scanner: Simulator) -> None:
    """Whoever presses stands at the scanner: the oldest job that waits is scanned, and none is made."""
    daemon = site.serving()
    stopped(site)
    held(site, waiting := site.submit("waits", scan="auto", finish="commit"))
    scanner.command("empty\n1")
    daemon.signal(signal.SIGUSR1)
    assert site.wait(waiting, "committed")["page_count"] == 2
    assert len(site.sql("SELECT id FROM scan_jobs")) == 2


def test_the_signal_alone_scans_though_paper_was_left(site: Site, scanner: Simulator) -> None:
    """With nothing in the queue the signal makes a job, as ever, and that scans what is in the feeder."""
    daemon = site.serving()
    first = stopped(site)
    until(lambda: site.batches(first), "recorded")
    daemon.signal(signal.SIGUSR1)
    (made,) = until(
        lambda: site.sql("SELECT id FROM scan_jobs WHERE id > %s AND status = 'committed'", first), "made"
    )
    assert site.job(made["id"])["page_count"] >= 20


def test_an_empty_feeder_at_the_signal_blocks_nobody(site: Site, scanner: Simulator) -> None:
    """The job that the signal made is canceled at once and says why; the next job has the scanner."""
    daemon = site.serving()
    scanner.command("empty")
    daemon.signal(signal.SIGUSR1)
    (made,) = until(lambda: site.sql("SELECT * FROM scan_jobs WHERE status = 'canceled'"), "canceled")
    assert (made["error_code"], made["error"].split(":")[0]) == ("feeder_empty", "The feeder was empty")
    site.wait(site.submit("the next"), "ready")


def test_a_batch_canceled_while_no_daemon_ran_has_its_row_at_the_next_start(site: Site) -> None:
    """Killed in mid-batch, canceled meanwhile: what is safe on disk is found, and no other job takes the rest."""
    daemon = site.serving()
    job = site.submit("The first")
    site.wait(job, "ready")
    site.step(job, "scanning")
    until(lambda: (site.job(job)["pages_scanned"] or 0) >= 9, "five sheets")
    daemon.kill()
    site.step(job, "canceled")
    site.serving()
    (batch,) = until(lambda: site.batches(job), "its row")
    assert (batch["status"], batch["error_code"]) == ("discarded", "canceled")
    assert batch["page_count"] >= 8
    assert "batch 1" in held(site, site.submit("waits", scan="auto"))


@pytest.mark.parametrize("max_pages", [4])
def test_a_limit_of_pages_leaves_paper_too(site: Site, max_pages: int) -> None:
    """Whatever stops a stack before its end: the next job does not begin with its rest."""
    site.serving()
    job = site.submit("the first two sheets", scan="auto", max_pages=max_pages)
    site.wait(job, "ready")
    until(lambda: site.job(job)["error_code"] == "page_limit", "the limit")
    site.step(job, "assembling")
    site.wait(job, "preview")
    site.step(job, "committing")
    site.wait(job, "committed")
    assert f"paper of job {job}" in held(site, site.submit("waits", scan="auto"))
