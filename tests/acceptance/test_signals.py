"""What the daemon does at SIGUSR1, SIGHUP, SIGTERM and SIGINT."""

from __future__ import annotations

import re
import signal
from typing import TYPE_CHECKING

import pytest

from tests.support.site import Site, numbers, until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.acceptance.conftest import MakeSimulator
    from tests.support.site import Simulator


def only_job(site: Site) -> int:
    """The only job, as soon as there is one."""
    return int(until(lambda: site.sql("SELECT id FROM scan_jobs"), "a job")[0]["id"])


def test_the_signal_on_an_idle_daemon_scans_and_commits(site: Site) -> None:
    """On an idle daemon, SIGUSR1 submits, scans and commits a job as [manual] says."""
    daemon = site.serving()
    daemon.signal(signal.SIGUSR1)
    row = site.wait(only_job(site), "committed")
    assert re.fullmatch(r"Scan \d{4}-\d\d-\d\d \d\d\.\d\d\.\d\d", row["title"])
    assert numbers(site.nas / row["inbox_path"]) == list(range(1, 7))
    assert site.events(row["id"])[0] == (None, "queued", "client")


def test_the_signal_takes_profile_title_and_finish_from_the_config(site: Site) -> None:
    """Profile, title and finish of the new job are those of [manual]."""
    site.configure(
        '[profiles.letters]\nsides = "simplex"\n'
        '[manual]\nprofile = "letters"\ntitle = "Letter"\nfinish = "preview"'
    )
    daemon = site.serving()
    daemon.signal(signal.SIGUSR1)
    row = site.wait(only_job(site), "preview")
    assert (row["title"], row["page_count"]) == ("Letter", 3)


def test_the_signal_scans_into_the_job_that_is_ready(site: Site, scanner: Simulator) -> None:
    """SIGUSR1 scans a batch into a job that is ready, even after a fault, since a person sends it."""
    daemon = site.serving()
    job = site.submit()
    site.wait(job, "ready")
    site.scan(job)
    site.scan(job)
    assert site.job(job)["error_code"] == "feeder_empty"
    scanner.reload()
    daemon.signal(signal.SIGUSR1)
    until(lambda: len(site.batches(job)) == 2, "a second batch")
    assert only_job(site) == job
    assert site.job(job)["error_code"] is None


def test_the_signal_changes_nothing_while_a_batch_runs_or_a_preview_waits(
    tmp_path: Path, migrated_url: str, simulate: MakeSimulator
) -> None:
    """While a batch is scanned or a preview waits, SIGUSR1 is only logged."""
    site = Site(tmp_path, migrated_url, simulate("--count", "4", "--ppm", "240").config)
    try:
        daemon = site.serving()
        job = site.submit(finish="preview")
        site.wait(job, "ready")
        site.step(job, "scanning")
        until(lambda: daemon.said("batch_started"), "scanning")
        daemon.signal(signal.SIGUSR1)
        until(lambda: len(daemon.said("scan_refused")) == 1, "the log says so")
        site.wait(job, "preview")
        daemon.signal(signal.SIGUSR1)
        until(lambda: len(daemon.said("scan_refused")) == 2, "the log says so again")
        assert len(site.batches(job)) == 1
        assert only_job(site) == job
    finally:
        site.close()


def test_term_finishes_the_sheet_under_way_and_the_next_start_goes_on(
    tmp_path: Path, migrated_url: str, simulate: MakeSimulator
) -> None:
    """SIGTERM ends the batch as interrupted after a complete sheet, and nothing is assembled unasked."""
    scanner = simulate("--count", "10", "--ppm", "240")
    site = Site(tmp_path, migrated_url, scanner.config)
    try:
        daemon = site.serving()
        job = site.submit(finish="commit", on_jam="keep")
        site.wait(job, "ready")
        site.step(job, "scanning")
        until(lambda: (site.job(job)["pages_scanned"] or 0) >= 3, "some pages")
        assert daemon.stop() == 0
        row = site.job(job)
        assert (row["status"], row["error_code"]) == ("ready", "interrupted")
        (batch,) = site.batches(job)
        assert (batch["status"], batch["answered"]) == ("scanned", False)
        assert batch["page_count"] % 2 == 0
        assert batch["page_count"] == len(scanner.fed())
        assert site.sql("SELECT state FROM scan_agent_status")[0]["state"] == "stopped"
        site.serving()
        scanner.reload()
        site.scan(job)
        row = site.wait(job, "committed")
        assert numbers(site.nas / row["inbox_path"]) == list(range(1, 21))
    finally:
        site.close()


def test_hup_reloads_profiles_and_refuses_a_bad_file(site: Site) -> None:
    """SIGHUP reloads the profiles; a bad file keeps the old config, and the log says why."""
    daemon = site.serving()
    site.configure('[profiles.one]\nsides = "simplex"')
    daemon.signal(signal.SIGHUP)
    until(lambda: daemon.said("config_reloaded"), "reloaded")
    job = site.submit(profile="one", scan="auto", finish="preview")
    assert site.wait(job, "preview")["page_count"] == 3
    site.step(job, "canceled")
    site.configure('[profiles.one]\nsides = "singlex"')
    daemon.signal(signal.SIGHUP)
    (refused,) = until(lambda: daemon.said("config_refused"), "refused")
    assert "singlex" in refused["message"]
    job = site.submit(profile="one")
    site.wait(job, "ready")


def test_a_stopped_daemon_exits_with_0(site: Site) -> None:
    """An idle daemon ends with exit status 0 at SIGTERM and at SIGINT."""
    assert site.serving().stop() == 0
    daemon = site.serving()
    daemon.signal(signal.SIGINT)
    assert daemon.process.wait(30) == 0


@pytest.mark.parametrize("count", [3, 5])
def test_many_signals_make_one_scan(site: Site, count: int) -> None:
    """Several signals in a row make one scan, as when a finger trembles on the button."""
    daemon = site.serving()
    for _ in range(count):
        daemon.signal(signal.SIGUSR1)
    row = site.wait(only_job(site), "committed")
    assert len(site.sql("SELECT id FROM scan_jobs")) == 1
    assert row["page_count"] == 6
