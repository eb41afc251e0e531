"""A driver that crashes, hangs, prints rubbish and renames its devices; the daemon goes on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.rude import OTHER, Rude
from tests.support.site import Site, numbers, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def rude(tmp_path: Path, library: Path, monkeypatch: pytest.MonkeyPatch) -> Rude:
    """The rude backend, which the site's libsane finds."""
    monkeypatch.setenv("LD_LIBRARY_PATH", str(library))
    return Rude(tmp_path / "sane")


@pytest.fixture
def site(tmp_path: Path, migrated_url: str, rude: Rude) -> Iterator[Site]:
    """A site with this scanner; the daemon waits 4 s for a silent driver."""
    site = Site(tmp_path, migrated_url, rude.config, device="fi-7160")
    site.config.write_text(site.config.read_text().replace('page_timeout = "10s"', 'page_timeout = "4s"'))
    yield site
    site.close()


def ready(site: Site, **settings: Any) -> int:
    """Submit a simplex job, and wait until it is ready."""
    job = site.submit(sides="simplex", **settings)
    site.wait(job, "ready")
    return job


def beats(site: Site) -> None:
    """Wait for the next heartbeat."""
    (before,) = site.sql("SELECT last_heartbeat AS at FROM scan_agent_status")
    until(
        lambda: site.sql("SELECT last_heartbeat AS at FROM scan_agent_status")[0]["at"] > before["at"],
        "the heartbeat goes on",
    )


def safe(site: Site, job: int, seq: int) -> list[int]:
    """The sheets in a batch's PDF."""
    return numbers(site.staging / "jobs" / str(job) / f"batch-{seq:04d}" / "batch.pdf")


def scans_completely(site: Site, rude: Rude, job: int) -> None:
    """Check that the next batch is complete with a driver that behaves."""
    rude.behave()
    row = site.scan(job)
    assert row["error_code"] is None, site.last_log()
    assert safe(site, job, site.batches(job)[-1]["batch_seq"]) == [1, 2, 3]


def test_a_driver_that_dies_takes_no_page_with_it(site: Site, rude: Rude) -> None:
    """After SIGSEGV the safe pages are named, as after a jam, and the next batch has a new child."""
    daemon = site.serving()
    job = ready(site)
    for fault, pages in (("open crash", 0), ("first@1 crash", 0), ("start@2 crash", 1), ("read@3 crash", 2)):
        before = len(site.batches(job))
        rude.behave(fault)
        row = site.scan(job)
        assert (row["status"], row["error_code"]) == ("ready", "driver_crashed"), site.last_log()
        kept = site.batches(job)[before:]  # the page before the crash may not have been safe yet
        assert len(kept) <= min(pages, 1)
        for batch in kept:
            assert (batch["status"], batch["answered"]) == ("scanned", False)
            assert f"are kept: feed again from sheet {batch['page_count'] + 1}" in row["error"].replace(
                "is kept", "are kept"
            )
            assert safe(site, job, batch["batch_seq"]) == [*range(1, batch["page_count"] + 1)]
    scans_completely(site, rude, job)
    beats(site)
    assert len(daemon.said("elected")) == 1


def test_a_driver_that_hangs_is_killed(site: Site, rude: Rude) -> None:
    """A driver that hangs in any call is killed after page_timeout; without a job, the status row says so."""
    rude.behave("get_devices hang")
    site.serving()
    until(
        lambda: site.sql("SELECT * FROM scan_agent_status WHERE NOT ready AND state LIKE '%%driver%%'"),
        "the status tells of the driver",
    )
    beats(site)
    job = ready(site)
    for fault, pages in (("get_devices hang", 0), ("open hang", 0), ("start@2 hang", 1), ("read@3 hang", 2)):
        before = len(site.batches(job))
        rude.behave(fault)
        row = site.scan(job)
        assert (row["status"], row["error_code"]) == ("ready", "driver_hung"), (fault, site.last_log())
        assert [(batch["status"], batch["page_count"]) for batch in site.batches(job)[before:]] == (
            [("scanned", pages)] if pages else []
        )
    scans_completely(site, rude, job)


def test_a_driver_that_hangs_in_cancel_loses_nothing(site: Site, rude: Rude) -> None:
    """A batch that was complete before cancel hangs stays complete, and the next one gets a new child."""
    daemon = site.serving()
    job = ready(site)
    rude.behave("cancel hang")
    row = site.scan(job)
    assert row["error_code"] is None
    assert safe(site, job, 1) == [1, 2, 3]
    rude.behave()
    row = site.scan(job)
    assert row["error_code"] is None
    assert safe(site, job, 2) == [1, 2, 3]
    assert len(daemon.said("feeder_killed")) == 1


def test_what_a_driver_prints_is_logged_and_disturbs_nothing(site: Site, rude: Rude) -> None:
    """What a driver prints is logged at debug level with the child's name, and never blocks the driver."""
    daemon = site.serving()
    rude.behave("output 5")
    job = ready(site)
    site.scan(job)
    said = daemon.said("driver_noise")
    assert {line["level"] for line in said} == {"debug"}
    assert {line["source"] for line in said} == {"scand.feeder stdout", "scand.feeder stderr"}
    assert sum("rude start: warning" in json.dumps(line) for line in said) == 15
    rude.behave("output 3000")
    site.scan(job)
    assert safe(site, job, 2) == safe(site, job, 1) == [1, 2, 3]
    site.step(job, "canceled")
    until(
        lambda: any("more lines" in json.dumps(line) for line in daemon.said("driver_noise")),
        "what was too much is counted, at the latest when the feeder goes",
    )
    assert len(daemon.said("driver_noise")) < 3000


def test_pages_that_would_come_out_wrong_fail_the_job(site: Site, rude: Rude) -> None:
    """Padded lines fail the job at its first page; an unknown length does not."""
    site.serving()
    rude.behave("padding 5")
    job = ready(site)
    site.step(job, "scanning")
    row = site.wait(job, "failed")
    assert row["error_code"] == "unsupported_settings"
    assert "448 bytes for 443 pixels" in row["error"]
    assert site.batches(job) == []
    rude.behave("lines -1", "deliver 40")
    job = ready(site)
    assert site.scan(job)["error_code"] is None
    assert safe(site, job, 1) == [1, 2, 3]


def test_a_sheet_whose_reading_was_busy_is_not_skipped(site: Site, rude: Rude) -> None:
    """A device that is busy while a sheet is read is not tried again by itself, since that sheet would be lost."""
    site.serving()
    rude.behave("read@1 3")
    job = ready(site)
    row = site.scan(job)
    assert (row["status"], row["error_code"], row["attempts"]) == ("ready", "device_error", 0)
    assert len(rude.calls("start")) == 1


def test_the_scanner_is_found_again_by_pattern(site: Site, rude: Rude) -> None:
    """The last good name is tried first, then a search, and after a change of config only what that names."""
    daemon = site.serving()
    until(
        lambda: rude.calls("get_devices"),
        "the idle daemon's own search, which it repeats only after 10 minutes",
    )

    def opened() -> list[str]:
        """The driver's calls for one more batch, from loading the driver to the open device."""
        before = len(rude.log())
        job = ready(site, scan="auto")
        until(lambda: site.batches(job), "the batch")
        site.step(job, "canceled")
        until(lambda: rude.log()[-1] == "close", "the feeder has gone")
        log = rude.log()[before:]
        start = log.index("start")
        begun = max(number for number, line in enumerate(log[:start]) if line == "init")
        return log[begun:start]

    assert opened() == ["init", "get_devices", "open usb:001"]
    assert opened() == ["init", "open usb:001"]
    rude.behave(scanners=(OTHER, "device usb:002 fi-7160"))
    assert opened() == ["init", "open usb:001", "get_devices", "open usb:002"]
    site.device = "iX500"
    site.configure("")
    until(lambda: daemon.said("config_reloaded"), "the new config")
    assert [call for call in opened() if call.startswith("open")] == ["open usb:009"]
