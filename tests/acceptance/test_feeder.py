"""Every fault of a feeder, through the real libsane: one daemon, one scanner, and an operator who obeys `error`.

All tests of this module share daemon and scanner, so that each fault also meets what earlier ones left behind.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from scand.simulator.faults import COUNTED, KINDS
from tests.conftest import database
from tests.support.site import Simulator, Site, numbers, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from tests.support.site import Daemon

STACK = 3
"""Sheets in a stack."""

PAGE_TIMEOUT = "4s"
"""Long enough that a slow machine is not mistaken for a scanner that hangs."""

SHORT_INTERVALS = '[agent]\nheartbeat = "500ms"\npoll = "200ms"'


@dataclass
class FeederSite:
    """A site, its scanner, and the operator.

    Attributes:
        site: with a config that polls often.
        daemon: its own.
        scanner: the simulator.
        sheets: how many there were so far, over all stacks.
    """

    site: Site
    daemon: Daemon
    scanner: Simulator
    sheets: int = 0

    def load(self, fault: str = "", more: int = 0) -> list[int]:
        """Load a new stack and nothing else.

        Args:
            fault: of the simulator; its sheet is counted within the stack.
            more: sheets that the fault adds.

        Returns:
            The numbers of all sides.
        """
        before, self.sheets = self.sheets, self.sheets + STACK + more
        name, at, place = fault.partition("@")
        if fault and KINDS[name].moment not in COUNTED:
            sheet, *side = place.split(":")
            place = ":".join([str(before + int(sheet)), *side])
        comes = [f"fault {name}{at}{place}"] if fault else []
        self.scanner.command("\n".join([str(STACK), f"from {before + 1}", *comes]))
        return list(range(2 * before + 1, 2 * self.sheets + 1))

    def feed_from(self, sides: list[int], sheet: int) -> None:
        """Load the stack with these sides again, from one of its sheets on."""
        self.scanner.command(f"from {sides[0] // 2 + sheet}")

    def lay(self) -> int:
        """Lay a new sheet on the glass, and return its number."""
        self.sheets += 1
        return self.sheets

    def submit(self, **settings: Any) -> int:
        """Submit a job, after canceling what an earlier test left at the scanner."""
        self.site.sql(
            "UPDATE scan_jobs SET status = 'canceled' "
            "WHERE status IN ('ready', 'scanning', 'assembling', 'preview')"
        )
        return self.site.submit(**settings)

    def job(self, **settings: Any) -> int:
        """Submit a job, and wait until it is ready."""
        job = self.submit(**settings)
        self.site.wait(job, "ready")
        return job

    def scan(self, job: int) -> tuple[dict[str, Any], int]:
        """Scan one batch, without the pauses between tries.

        Returns:
            The job's row after it, and the number of heartbeats meanwhile.
        """
        steps = len(self.site.events(job))
        beats = set()
        self.site.step(job, "scanning")

        def ended() -> bool:
            beats.add(self.heartbeat())
            self.site.as_agent(
                "UPDATE scan_jobs SET next_attempt_at = now() WHERE id = %s AND next_attempt_at > now()", job
            )
            return len(self.site.events(job)) >= steps + 2

        until(ended, f"the batch of job {job} ended")
        return self.site.job(job), len(beats)

    def heartbeat(self) -> datetime:
        """The time of the last heartbeat, which must not be older than docs/design.md, "Invariants", T, allows."""
        (agent,) = self.site.sql(
            "SELECT last_heartbeat, clock_timestamp() - last_heartbeat < '10 s' AS alive FROM scan_agent_status"
        )
        assert agent["alive"], self.site.last_log()
        return agent["last_heartbeat"]  # type: ignore[no-any-return]

    def spooled(self, job: int, seq: int) -> Path:
        """The directory of a batch."""
        return self.site.staging / "jobs" / str(job) / f"batch-{seq:04d}"

    def captured(self, job: int, seq: int) -> int:
        """How many sides of a batch are safe on disk."""
        lines = self.spooled(job, seq) / "pages.jsonl"
        return len(lines.read_text().splitlines()) if lines.exists() else 0

    def restore(self, job: int) -> None:
        """Restore the job's discarded batches."""
        self.site.sql("UPDATE scan_job_batches SET status = 'scanned' WHERE job_id = %s", job)

    def document(self, job: int) -> list[int]:
        """Assemble and commit the job, and return the sides of the document, in order."""
        for status, after in (("assembling", "preview"), ("committing", "committed")):
            self.site.step(job, status)
            row = self.site.wait(job, after)
        return numbers(self.site.nas / row["inbox_path"])


@pytest.fixture(scope="module")
def feeder(
    tmp_path_factory: pytest.TempPathFactory, server_url: str, migrated_template: str
) -> Iterator[FeederSite]:
    """The one site of this module; its feeder is empty."""
    directory = tmp_path_factory.mktemp("feeder")
    scanner = Simulator(directory, "--count", "0")
    with database(server_url, migrated_template) as url:
        site = Site(directory, url, scanner.config, SHORT_INTERVALS, page_timeout=PAGE_TIMEOUT)
        yield FeederSite(site, site.serving(), scanner)
        site.close()
    scanner.stop()


@dataclass(frozen=True)
class Case:
    """A fault, and what is left when the batch has ended.

    Attributes:
        fault: of the simulator.
        code: the error_code; None: there is none.
        captured: sides in the spool.
        says: a part of the job's error.
        more: sheets that the fault adds to the stack.
        settings: of the job.
    """

    fault: str
    code: str | None
    captured: int
    says: str = ""
    more: int = 0
    settings: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        """The name of the test."""
        return "-".join([self.fault, *map(str, self.settings.values())])


KEEP = {"on_jam": "keep"}
CASES = [
    # Empty.
    Case("empty-read@1", "feeder_empty", 0, "The feeder is empty: put the stack in"),
    Case("empty-read@4", None, 6),
    Case("empty-read@2:back", "device_error", 3, "before it delivered the back of sheet 2"),
    # Jam, double feed, cover.
    Case("jam@1", "feeder_jammed", 0, "jammed before the first page: check the feeder"),
    Case("jam@1:back", "feeder_jammed", 1, "sheet 1 jammed"),
    Case("jam@3", "feeder_jammed", 4, "sheet 3 jammed"),
    Case("jam@2:back", "feeder_jammed", 3, "sheet 2 jammed", settings=KEEP),
    Case("double@2", "feeder_jammed", 2, "sheet 2 jammed (or two were pulled at once)"),
    Case("cover@1", "cover_open", 0, "cover is open: close it"),
    Case("cover@2", "cover_open", 2, "the cover was opened at sheet 2"),
    # The device or its connection.
    Case("busy@2", None, 6),
    Case("busy@5", "device_busy", 0, "another program is using it"),
    Case("denied@5", "access_denied", 0, "group scanner"),
    Case("io@2:back", "device_error", 3, "the scanner failed at sheet 2 (Reading a page: Error during"),
    Case("truncate@2", "device_error", 2, "it ended after 438 of 877 lines"),
    Case("cut@1", "device_error", 0, "The scanner failed before the first page"),
    Case("cut@2:back", "device_error", 3, "the scanner failed at sheet 2"),
    # No answer.
    Case("hang@2:back", "driver_hung", 3, "the scanner fell silent at sheet 2"),
    Case("hang-first@2", "driver_hung", 2, "the scanner fell silent at sheet 2"),
    Case("hang-start@1", "driver_hung", 0, "silent too long before the first page"),
    Case("close@2", "driver_hung", 2, "the scanner fell silent at sheet 2"),
    # The feeder never runs empty.
    Case("endless@2", "page_limit", 8, "from sheet 5 on", more=2, settings={"max_pages": 8}),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_no_fault_loses_or_doubles_a_side(feeder: FeederSite, case: Case) -> None:
    """Captured sides are safe, and feeding again as `error` says delivers every side once."""
    sides = feeder.load(case.fault, case.more)
    job = feeder.job(**case.settings)
    row, beats = feeder.scan(job)
    assert (row["status"], row["error_code"]) == ("ready", case.code), feeder.site.last_log()
    assert case.says in (row["error"] or "")
    assert case.code != "driver_hung" or beats >= 3
    assert feeder.captured(job, 1) == case.captured
    recorded(feeder, job, sides)
    if case.code:
        feed_again(feeder, job, sides)
    assert feeder.document(job) == sides


@pytest.mark.parametrize("fault", ["gone@1", "gone@2", "gone@3:back"])
def test_a_connection_lost_between_two_pages(feeder: FeederSite, fault: str) -> None:
    """A lost connection is an I/O error or a crash (net.c uses a reply that never came), and no side is lost."""
    sides = feeder.load(fault)
    job = feeder.job()
    row, _ = feeder.scan(job)
    assert (row["status"], row["error_code"] in {"device_error", "driver_crashed"}) == ("ready", True)
    recorded(feeder, job, sides)
    feed_again(feeder, job, sides)
    assert feeder.document(job) == sides


def recorded(feeder: FeederSite, job: int, sides: list[int]) -> None:
    """Check that the first batch is in the database as in the spool, and that its PDF has complete sheets only."""
    row, batches, captured = feeder.site.job(job), feeder.site.batches(job), feeder.captured(job, 1)
    if not captured:
        assert batches == []
        return
    (batch,) = batches
    complete = row["error_code"] in {None, "page_limit"}
    kept = complete or row["settings"] == KEEP
    pages = captured if complete else captured - captured % 2
    assert (batch["status"], batch["page_count"]) == ("scanned" if kept else "discarded", pages)
    end = json.loads((feeder.spooled(job, 1) / "end.json").read_text())
    assert batch["error_code"] == row["error_code"] == end["code"]
    if pages:
        assert numbers(feeder.spooled(job, 1) / "batch.pdf") == sides[:pages]


def feed_again(feeder: FeederSite, job: int, sides: list[int]) -> None:
    """Restore the batch, feed from the sheet that `error` names (the first one if nothing is safe), and scan."""
    named = re.search(r"from sheet (\d+)", feeder.site.job(job)["error"])
    assert bool(named) == bool(feeder.captured(job, 1))
    feeder.restore(job)
    feeder.feed_from(sides, int(named[1]) if named else 1)
    row, _ = feeder.scan(job)
    assert (row["status"], row["error"], row["error_code"]) == ("ready", None, None), feeder.site.last_log()


def test_a_slow_page_does_not_hang(feeder: FeederSite) -> None:
    """A page may take longer than `page_timeout` as long as data keeps coming."""
    sides = feeder.load("slow@2")
    job = feeder.job()
    row, _ = feeder.scan(job)
    assert (row["status"], row["error_code"]) == ("ready", None)
    (scanned,) = feeder.site.sql(
        "SELECT max(at) - min(at) > %s::interval AS long FROM scan_job_events "
        "WHERE job_id = %s AND 'scanning' IN (from_status, to_status)",
        PAGE_TIMEOUT,
        job,
    )
    assert scanned["long"]
    assert feeder.document(job) == sides


def test_an_empty_feeder_makes_no_batch(feeder: FeederSite) -> None:
    """An empty feeder makes no batch, and with paper the same job scans its first one."""
    job = feeder.job()
    row, _ = feeder.scan(job)
    assert (row["status"], row["error_code"]) == ("ready", "feeder_empty")
    assert feeder.site.batches(job) == []
    sides = feeder.load()
    row, _ = feeder.scan(job)
    assert row["error_code"] is None
    assert [batch["batch_seq"] for batch in feeder.site.batches(job)] == [1]
    assert feeder.document(job) == sides


def test_a_flatbed_makes_a_batch_of_one_page(feeder: FeederSite) -> None:
    """Each scan from a flatbed is a batch of one page."""
    job = feeder.job(source="flatbed", sides="simplex")
    sheets = [feeder.lay(), feeder.lay()]
    for _ in sheets:
        row, _ = feeder.scan(job)
        assert row["error_code"] is None
    assert [batch["page_count"] for batch in feeder.site.batches(job)] == [1, 1]
    assert feeder.document(job) == [2 * sheet - 1 for sheet in sheets]


@pytest.mark.parametrize(("fault", "kills"), [("slow@2", 0), ("hang@2", 1)])
def test_cancel_stops_the_scanner_within_a_page(feeder: FeederSite, fault: str, kills: int) -> None:
    """The driver stops when the job is canceled, or is killed if it hangs; queued again, the job lacks no side."""
    sides, killed = feeder.load(fault), len(feeder.daemon.said("feeder_killed"))
    job = feeder.job()
    feeder.site.step(job, "scanning")
    until(lambda: feeder.captured(job, 1) == 2, "the first sheet is safe")
    feeder.site.step(job, "canceled")
    feeder.site.step(job, "queued")
    feeder.site.wait(job, "ready")
    until(lambda: feeder.site.batches(job), "what was captured is recorded")
    assert json.loads((feeder.spooled(job, 1) / "end.json").read_text())["code"] == "canceled"
    assert feeder.scanner.fed()[-2:] == sides[:2] or feeder.scanner.fed()[-3:] == sides[:3]
    assert len(feeder.daemon.said("feeder_killed")) == killed + kills
    feeder.restore(job)
    feeder.feed_from(sides, 2)
    feeder.scan(job)
    assert feeder.document(job) == sides


def test_the_agent_never_goes_on_after_a_fault(feeder: FeederSite) -> None:
    """A job with scan = auto and finish = commit stops at a jam, and waits for a client."""
    inbox = feeder.site.inbox()
    feeder.load("jam@3")
    job = feeder.job(scan="auto", finish="commit", on_jam="keep")
    until(lambda: feeder.site.job(job)["error_code"] == "feeder_jammed", "the jam")
    steps, beat = feeder.site.events(job), feeder.heartbeat()
    until(lambda: feeder.heartbeat() > beat, "the daemon lives on")
    assert feeder.site.events(job) == steps
    assert feeder.site.inbox() == inbox


def test_unsupported_settings_fail_the_job_with_what_the_device_offers(feeder: FeederSite) -> None:
    """An option that the device lacks fails the job with its name."""
    job = feeder.submit(options={"no-such-option": 1}, scan="auto")
    row = feeder.site.wait(job, "failed")
    assert row["error_code"] == "unsupported_settings"
    assert "no-such-option" in row["error"]
