"""The staging disk fills up: the batch stops, captured pages stay, and with room again nothing is missing."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.support.checker import Checker
from tests.support.isolated import needs_mounts
from tests.support.nas import Nas, fill_with_names
from tests.support.site import Site, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.acceptance.conftest import MakeSimulator
    from tests.support.site import Daemon, Simulator

SHEETS = 5
MIN_FREE = 1 << 20
PAGE = 115_000
"""The approximate size of a page, in bytes."""

pytestmark = needs_mounts


@pytest.fixture
def scanner(simulate: MakeSimulator) -> Simulator:
    """A scanner with five sheets, which is not too fast."""
    return simulate("--count", str(SHEETS), "--ppm", "400")


@pytest.fixture
def site(tmp_path: Path, migrated_url: str, scanner: Simulator) -> Iterator[Site]:
    """A site whose staging directory is a small disk of its own."""
    with Nas(tmp_path) as disks:
        site = Site(tmp_path, migrated_url, scanner.config)
        small = disks.add("staging", "8m", 200)
        shutil.copy(site.staging / "nas-volume", small)
        site.config.write_text(site.config.read_text().replace(str(site.staging), str(small)))
        site.staging = small
        yield site
        site.close()


def leave(site: Site, size: int) -> Path:
    """Fill the disk up to so many bytes, and return the file that does so."""
    filler = site.staging / "filler"
    room = shutil.disk_usage(site.staging).free
    filler.write_bytes(bytes(room - size))
    return filler


def finished(site: Site, scanner: Simulator, job: int) -> None:
    """Feed again from the sheet that is named, assemble all batches, and check the document."""
    captured = sum(batch["page_count"] for batch in site.batches(job))
    scanner.command(f"from {captured // 2 + 1}")
    assert f"feed again from sheet {captured // 2 + 1};" in site.job(job)["error"]
    assert 0 < captured < 2 * SHEETS
    row = site.scan(job)
    assert (row["status"], row["error_code"]) == ("ready", None), site.last_log()
    site.step(job, "assembling")
    site.wait(job, "preview")
    site.step(job, "committing")
    assert site.wait(job, "committed")["page_count"] == 2 * SHEETS
    assert Checker(site.connection, site.staging, site.nas, scanner.fed).settled() == [], site.last_log()


def begun(site: Site) -> tuple[int, Daemon]:
    """Begin a batch; returns the job and the daemon."""
    daemon = site.serving()
    job = site.submit("Letter")
    site.wait(job, "ready")
    site.step(job, "scanning")
    return job, daemon


def test_min_free_stops_the_batch_before_the_disk_is_full(site: Site, scanner: Simulator) -> None:
    """min_free stops the batch between two sheets, with room left for its PDF; a merge waits for room."""
    filler = leave(site, MIN_FREE + 3 * PAGE)
    job, _ = begun(site)
    row = site.wait(job, "ready")
    assert row["error_code"] == "staging_full"
    (batch,) = site.batches(job)
    assert (batch["status"], batch["error_code"]) == ("scanned", "staging_full")
    assert scanner.fed() == list(range(1, batch["page_count"] + 1)), "no sheet is under way"
    filler.unlink()
    finished(site, scanner, job)


def test_the_disk_fills_in_mid_page(site: Site, scanner: Simulator) -> None:
    """A page that does not fit is not captured, and the batch waits for the room that its PDF needs."""
    site.config.write_text(site.config.read_text().replace('"1MiB"', '"1KiB"'))
    filler = leave(site, 5 * PAGE)
    job, _ = begun(site)
    until(lambda: site.job(job)["error_code"] == "staging_full", "the disk is full")
    assert site.job(job)["status"] == "scanning"
    filler.unlink()
    site.wait(job, "ready")
    assert len(scanner.fed()) > site.batches(job)[0]["page_count"]
    finished(site, scanner, job)


def test_not_even_the_end_can_be_written(site: Site, scanner: Simulator) -> None:
    """When not even end.json can be written, the job names the full disk and does not blame the driver."""
    job, daemon = begun(site)
    until(lambda: (site.job(job)["pages_scanned"] or 0) >= 2, "some pages")
    fillers = site.staging / "fillers"
    fillers.mkdir()
    fill_with_names(fillers)
    until(lambda: site.job(job)["error_code"], "the disk is full")
    assert site.job(job)["error_code"] == "staging_full"
    until(lambda: site.job(job)["attempts"] >= 2, "it is tried again by itself")
    assert len(daemon.said("unexpected")) < 10
    shutil.rmtree(fillers)
    site.wait(job, "ready")
    end = json.loads((site.staging / "jobs" / str(job) / "batch-0001" / "end.json").read_text())
    assert end["code"] == "staging_full"
    finished(site, scanner, job)
