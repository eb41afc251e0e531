"""Faults at the feeder: what is captured stays, the job says what to do, and the next batch works."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.acceptance.site import Site, numbers, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.acceptance.conftest import MakeSimulator
    from tests.acceptance.site import Simulator


@pytest.fixture
def jamming(tmp_path: Path, migrated_url: str, simulate: MakeSimulator) -> Iterator[tuple[Site, Simulator]]:
    """A site whose scanner jams at the third of four sheets."""
    scanner = simulate("--count", "4", "--fault", "jam@3")
    site = Site(tmp_path, migrated_url, scanner.config)
    yield site, scanner
    site.close()


def ready(site: Site, **settings: str) -> int:
    """A job that waits at the scanner of a running daemon."""
    site.serving()
    job = site.submit("A job", **settings)
    site.wait(job, "ready")
    return job


def test_a_jam_keeps_what_is_safe_and_says_from_where_to_feed(jamming: tuple[Site, Simulator]) -> None:
    """Restored and fed again from the named sheet, every side is there once."""
    site, scanner = jamming
    job = ready(site)
    row = site.scan(job)
    assert row["status"] == "ready"
    assert row["error_code"] == "feeder_jammed"
    assert "sheet 3 jammed" in row["error"]
    assert "2 sheets (4 pages) are safe" in row["error"]
    assert "re-feed from sheet 3" in row["error"]
    (batch,) = site.batches(job)
    assert (batch["status"], batch["error_code"], batch["page_count"]) == ("discarded", "feeder_jammed", 4)
    scanner.reload()
    row = site.scan(job)
    assert (row["error"], row["error_code"]) == (None, None)
    site.sql("UPDATE scan_job_batches SET status = 'scanned' WHERE job_id = %s AND batch_seq = 1", job)
    site.step(job, "assembling")
    site.wait(job, "preview")
    site.step(job, "committing")
    row = site.wait(job, "committed")
    assert numbers(site.nas / row["inbox_path"]) == list(range(1, 9))


def test_on_jam_keep_keeps_the_batch(jamming: tuple[Site, Simulator]) -> None:
    """Nobody has to restore it."""
    site, _ = jamming
    job = ready(site, on_jam="keep")
    row = site.scan(job)
    assert row["error_code"] == "feeder_jammed"
    assert site.batches(job)[0]["status"] == "scanned"
    assert row["pages_scanned"] == 4


def test_the_agent_never_goes_on_after_a_fault(jamming: tuple[Site, Simulator]) -> None:
    """scan auto and finish commit stop at the jam, and wait for a person."""
    site, _ = jamming
    site.serving()
    job = site.submit(scan="auto", finish="commit", on_jam="keep")
    until(lambda: site.job(job)["error_code"], "the jam")
    heartbeats = site.sql("SELECT last_heartbeat FROM scan_agent_status")[0]["last_heartbeat"]
    until(
        lambda: site.sql("SELECT last_heartbeat FROM scan_agent_status")[0]["last_heartbeat"] > heartbeats,
        "the daemon lives on",
    )
    assert site.job(job)["status"] == "ready"
    assert site.inbox() == []


def test_an_empty_feeder_makes_no_batch(site: Site, scanner: Simulator) -> None:
    """feeder_empty; with paper in, the same job scans."""
    job = ready(site)
    site.scan(job)
    row = site.scan(job)
    assert (row["status"], row["error_code"]) == ("ready", "feeder_empty")
    assert len(site.batches(job)) == 1
    scanner.reload()
    row = site.scan(job)
    assert row["error_code"] is None
    assert [b["batch_seq"] for b in site.batches(job)] == [1, 2]


FAULTS = [
    ("jam@1", "feeder_jammed", 0),
    ("cover@1", "cover_open", 0),
    ("cover@2", "cover_open", 2),
    ("double@2", "feeder_jammed", 2),
    ("io@2:back", "device_error", 3),
    ("truncate@2", "device_error", 2),
    ("cut@2", "device_error", 2),
    ("hang@2:back", "driver_hung", 3),
]


@pytest.mark.parametrize(("fault", "code", "captured"), FAULTS, ids=[fault for fault, _, _ in FAULTS])
def test_each_fault_keeps_its_pages_and_the_next_batch_works(
    tmp_path: Path, migrated_url: str, simulate: MakeSimulator, fault: str, code: str, captured: int
) -> None:
    """Whole sheets in the discarded batch's PDF, every captured side in the spool, and no spoiled driver."""
    scanner = simulate("--count", "3", "--fault", fault)
    site = Site(tmp_path, migrated_url, scanner.config)
    site.config.write_text(site.config.read_text().replace('page_timeout = "10s"', 'page_timeout = "2s"'))
    try:
        job = ready(site)
        row = site.scan(job)
        assert (row["status"], row["error_code"]) == ("ready", code), site.story()
        whole = captured - captured % 2
        batches = site.batches(job)
        assert [(b["status"], b["page_count"]) for b in batches] == (
            [("discarded", whole)] if captured else []
        )
        if captured:
            directory = site.staging / "jobs" / str(job) / "batch-0001"
            assert len(list(directory.glob("page-*.jpg"))) == captured
            assert numbers(directory / "batch.pdf") == list(range(1, whole + 1))
        scanner.reload()
        row = site.scan(job)
        assert row["error_code"] is None, site.story()
        assert numbers(
            site.staging / "jobs" / str(job) / f"batch-{len(batches) + 1:04d}" / "batch.pdf"
        ) == list(range(whole + 1, 7))
    finally:
        site.close()


def test_a_busy_device_is_tried_again(tmp_path: Path, migrated_url: str, simulate: MakeSimulator) -> None:
    """Busy twice, then the batch goes through without a person."""
    scanner = simulate("--count", "2", "--fault", "busy@2")
    site = Site(tmp_path, migrated_url, scanner.config)
    try:
        job = ready(site)
        row = site.scan(job)
        assert row["error_code"] is None
        assert row["pages_scanned"] == 4
    finally:
        site.close()


def test_a_scanner_that_denies_access_asks_for_a_person(
    tmp_path: Path, migrated_url: str, simulate: MakeSimulator
) -> None:
    """After some tries: ready, with the mend."""
    scanner = simulate("--fault", "denied")
    site = Site(tmp_path, migrated_url, scanner.config)
    try:
        job = ready(site)
        row = site.scan(job)
        assert row["error_code"] == "access_denied"
        assert "group scanner" in row["error"]
    finally:
        site.close()


def test_cancel_while_scanning_stops_the_scanner_and_keeps_the_pages(
    tmp_path: Path, migrated_url: str, simulate: MakeSimulator
) -> None:
    """Within a page; the next job is claimed at once."""
    scanner = simulate("--count", "50", "--ppm", "300")
    site = Site(tmp_path, migrated_url, scanner.config)
    try:
        job = ready(site)
        site.step(job, "scanning")
        until(lambda: (site.job(job)["pages_scanned"] or 0) > 3, "some pages")
        site.step(job, "canceled")
        after = site.submit("next")
        site.wait(after, "ready")
        directory = site.staging / "jobs" / str(job) / "batch-0001"
        pages = len(list(directory.glob("page-*.jpg")))
        assert 3 < pages < 100
        assert '"canceled"' in (directory / "end.json").read_text()
    finally:
        site.close()


def test_unsupported_settings_fail_the_job_with_what_the_device_offers(
    tmp_path: Path, migrated_url: str, simulate: MakeSimulator
) -> None:
    """A person reads what to set instead; the scanner is free."""
    site = Site(tmp_path, migrated_url, simulate().config)
    try:
        site.serving()
        job = site.submit(options={"no-such-option": 1}, scan="auto")
        row = site.wait(job, "failed")
        assert row["error_code"] == "unsupported_settings"
        assert "no-such-option" in row["error"]
    finally:
        site.close()
