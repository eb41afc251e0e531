"""Every fault of a feeder, through the real libsane: one daemon, one scanner, and a person who obeys `error`.

All tests of this module share daemon and scanner, so that each fault also meets what the ones before it left.
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
"""Sheets that are put in for a story."""

SILENCE = "4s"
"""Generous: a machine that stands still for so long would be taken for a scanner that hangs."""

BRISK = '[agent]\nheartbeat = "500ms"\npoll = "200ms"'


@dataclass
class ClientQueue:
    """A site with a scanner, and the person at it. Sheets are counted from 1, over all that were ever put in."""

    site: Site
    daemon: Daemon
    scanner: Simulator
    sheets: int = 0

    def load(self, fault: str = "", more: int = 0) -> list[int]:
        """Put a new stack in, and nothing else; its sides, with those of `more` sheets that follow it.

        A fault's sheet is counted within the stack.
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
        """Put the stack with those sides in again, from one of its sheets on."""
        self.scanner.command(f"from {sides[0] // 2 + sheet}")

    def lay(self) -> int:
        """Lay a sheet on the glass."""
        self.sheets += 1
        return self.sheets

    def submit(self, **settings: Any) -> int:
        """A job whose turn it is: whatever an earlier test left at the scanner is canceled."""
        self.site.sql(
            "UPDATE scan_jobs SET status = 'canceled' "
            "WHERE status IN ('ready', 'scanning', 'assembling', 'preview')"
        )
        return self.site.submit(**settings)

    def job(self, **settings: Any) -> int:
        """A job that waits at the scanner."""
        job = self.submit(**settings)
        self.site.wait(job, "ready")
        return job

    def scan(self, job: int) -> tuple[dict[str, Any], int]:
        """One batch: the row then, and how many heartbeats there were. Pauses between tries are cut short."""
        steps = len(self.site.events(job))
        beats = set()
        self.site.step(job, "scanning")

        def ended() -> bool:
            beats.add(self.heartbeat())
            self.site.sql(
                "UPDATE scan_jobs SET next_attempt_at = now() WHERE id = %s AND next_attempt_at > now()", job
            )
            return len(self.site.events(job)) >= steps + 2

        until(ended, f"the batch of job {job} ended")
        return self.site.job(job), len(beats)

    def heartbeat(self) -> datetime:
        """When it last beat, which is never long ago: DESIGN §3, T."""
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
        """Take its discarded batches back."""
        self.site.sql("UPDATE scan_job_batches SET status = 'scanned' WHERE job_id = %s", job)

    def document(self, job: int) -> list[int]:
        """Finish and commit: the sides in the document, in its order."""
        for wish, then in (("assembling", "preview"), ("committing", "committed")):
            self.site.step(job, wish)
            row = self.site.wait(job, then)
        return numbers(self.site.nas / row["inbox_path"])


@pytest.fixture(scope="module")
def queue(
    tmp_path_factory: pytest.TempPathFactory, server_url: str, migrated_template: str
) -> Iterator[ClientQueue]:
    """The one queue of this module; its feeder is empty."""
    directory = tmp_path_factory.mktemp("queue")
    scanner = Simulator(directory, "--count", "0")
    with database(server_url, migrated_template) as url:
        site = Site(directory, url, scanner.config, BRISK, page_timeout=SILENCE)
        yield ClientQueue(site, site.serving(), scanner)
        site.close()
    scanner.stop()


@dataclass(frozen=True)
class Story:
    """A fault, and what is there when the batch has ended.

    `code` and `says` (a part of the sentence) are None and "" where nothing is wrong; `captured` sides are in the
    spool; `more` sheets come after those of the stack.
    """

    fault: str
    code: str | None
    captured: int
    says: str = ""
    more: int = 0
    settings: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        """For the name of the test."""
        return "-".join([self.fault, *map(str, self.settings.values())])


KEEP = {"on_jam": "keep"}
STORIES = [
    # Empty.
    Story("empty-read@1", "feeder_empty", 0, "The feeder is empty: put the stack in"),
    Story("empty-read@4", None, 6),
    Story("empty-read@2:back", "device_error", 3, "before it delivered the back of sheet 2"),
    # Jam, double feed, cover.
    Story("jam@1", "feeder_jammed", 0, "jammed before the first page: check the feeder"),
    Story("jam@1:back", "feeder_jammed", 1, "sheet 1 jammed"),
    Story("jam@3", "feeder_jammed", 4, "sheet 3 jammed"),
    Story("jam@2:back", "feeder_jammed", 3, "sheet 2 jammed", settings=KEEP),
    Story("double@2", "feeder_jammed", 2, "sheet 2 jammed (or two were pulled at once)"),
    Story("cover@1", "cover_open", 0, "cover is open: close it"),
    Story("cover@2", "cover_open", 2, "the cover was opened at sheet 2"),
    # The device or its connection.
    Story("busy@2", None, 6),
    Story("busy@5", "device_busy", 0, "another program is using it"),
    Story("denied@5", "access_denied", 0, "group scanner"),
    Story("io@2:back", "device_error", 3, "the scanner failed at sheet 2 (Reading a page: Error during"),
    Story("truncate@2", "device_error", 2, "it ended after 438 of 877 lines"),
    Story("cut@1", "device_error", 0, "The scanner failed before the first page"),
    Story("cut@2:back", "device_error", 3, "the scanner failed at sheet 2"),
    # Silence.
    Story("hang@2:back", "driver_hung", 3, "the scanner fell silent at sheet 2"),
    Story("hang-first@2", "driver_hung", 2, "the scanner fell silent at sheet 2"),
    Story("hang-start@1", "driver_hung", 0, "silent too long before the first page"),
    Story("close@2", "driver_hung", 2, "the scanner fell silent at sheet 2"),
    # No end.
    Story("endless@2", "page_limit", 8, "from sheet 5 on", more=2, settings={"max_pages": 8}),
]


@pytest.mark.parametrize("story", STORIES, ids=str)
def test_no_fault_loses_or_doubles_a_side(queue: ClientQueue, story: Story) -> None:
    """What was captured is safe, `error` says from where to feed, and who does that gets every side once."""
    sides = queue.load(story.fault, story.more)
    job = queue.job(**story.settings)
    row, beats = queue.scan(job)
    assert (row["status"], row["error_code"]) == ("ready", story.code), queue.site.last_log()
    assert story.says in (row["error"] or "")
    assert story.code != "driver_hung" or beats >= 3
    assert queue.captured(job, 1) == story.captured
    recorded(queue, job, sides)
    if story.code:
        feed_again(queue, job, sides)
    assert queue.document(job) == sides


@pytest.mark.parametrize("fault", ["gone@1", "gone@2", "gone@3:back"])
def test_a_connection_lost_between_two_pages(queue: ClientQueue, fault: str) -> None:
    """net.c takes a reply that never came for one: an I/O error, or the driver dies and takes some pages along."""
    sides = queue.load(fault)
    job = queue.job()
    row, _ = queue.scan(job)
    assert (row["status"], row["error_code"] in {"device_error", "driver_crashed"}) == ("ready", True)
    recorded(queue, job, sides)
    feed_again(queue, job, sides)
    assert queue.document(job) == sides


def recorded(queue: ClientQueue, job: int, sides: list[int]) -> None:
    """The first batch is in the database as it is in the spool, and its PDF holds whole sheets."""
    row, batches, captured = queue.site.job(job), queue.site.batches(job), queue.captured(job, 1)
    if not captured:
        assert batches == []
        return
    (batch,) = batches
    complete = row["error_code"] in {None, "page_limit"}
    kept = complete or row["settings"] == KEEP
    pages = captured if complete else captured - captured % 2
    assert (batch["status"], batch["page_count"]) == ("scanned" if kept else "discarded", pages)
    end = json.loads((queue.spooled(job, 1) / "end.json").read_text())
    assert batch["error_code"] == row["error_code"] == end["code"]
    if pages:
        assert numbers(queue.spooled(job, 1) / "batch.pdf") == sides[:pages]


def feed_again(queue: ClientQueue, job: int, sides: list[int]) -> None:
    """Restore, feed from the sheet that `error` names (where nothing is safe: from the first), and scan."""
    named = re.search(r"from sheet (\d+)", queue.site.job(job)["error"])
    assert bool(named) == bool(queue.captured(job, 1))
    queue.restore(job)
    queue.feed_from(sides, int(named[1]) if named else 1)
    row, _ = queue.scan(job)
    assert (row["status"], row["error"], row["error_code"]) == ("ready", None, None), queue.site.last_log()


def test_a_slow_page_is_no_hang(queue: ClientQueue) -> None:
    """A page may take longer than `page_timeout`, as long as something comes."""
    sides = queue.load("slow@2")
    job = queue.job()
    row, _ = queue.scan(job)
    assert (row["status"], row["error_code"]) == ("ready", None)
    (scanned,) = queue.site.sql(
        "SELECT max(at) - min(at) > %s::interval AS long FROM scan_job_events "
        "WHERE job_id = %s AND 'scanning' IN (from_status, to_status)",
        SILENCE,
        job,
    )
    assert scanned["long"]
    assert queue.document(job) == sides


def test_an_empty_feeder_makes_no_batch(queue: ClientQueue) -> None:
    """feeder_empty from start; with paper in, the same job scans its first batch."""
    job = queue.job()
    row, _ = queue.scan(job)
    assert (row["status"], row["error_code"]) == ("ready", "feeder_empty")
    assert queue.site.batches(job) == []
    sides = queue.load()
    row, _ = queue.scan(job)
    assert row["error_code"] is None
    assert [batch["batch_seq"] for batch in queue.site.batches(job)] == [1]
    assert queue.document(job) == sides


def test_a_flatbed_never_says_empty(queue: ClientQueue) -> None:
    """One page is the batch; the next page is another."""
    job = queue.job(source="flatbed", sides="simplex")
    sheets = [queue.lay(), queue.lay()]
    for _ in sheets:
        row, _ = queue.scan(job)
        assert row["error_code"] is None
    assert [batch["page_count"] for batch in queue.site.batches(job)] == [1, 1]
    assert queue.document(job) == [2 * sheet - 1 for sheet in sheets]


@pytest.mark.parametrize(("fault", "kills"), [("slow@2", 0), ("hang@2", 1)])
def test_cancel_stops_the_scanner_within_a_page(queue: ClientQueue, fault: str, kills: int) -> None:
    """By the driver itself; a driver that does not answer is killed. Taken up again, the job lacks no side."""
    sides, killed = queue.load(fault), len(queue.daemon.said("feeder_killed"))
    job = queue.job()
    queue.site.step(job, "scanning")
    until(lambda: queue.captured(job, 1) == 2, "the first sheet is safe")
    queue.site.step(job, "canceled")
    queue.site.step(job, "queued")
    queue.site.wait(job, "ready")
    until(lambda: queue.site.batches(job), "what was captured is recorded")
    assert json.loads((queue.spooled(job, 1) / "end.json").read_text())["code"] == "canceled"
    assert queue.scanner.fed()[-2:] == sides[:2] or queue.scanner.fed()[-3:] == sides[:3]
    assert len(queue.daemon.said("feeder_killed")) == killed + kills
    queue.restore(job)
    queue.feed_from(sides, 2)
    queue.scan(job)
    assert queue.document(job) == sides


def test_the_agent_never_goes_on_after_a_fault(queue: ClientQueue) -> None:
    """scan auto and finish commit stop at the jam, and wait for a person."""
    inbox = queue.site.inbox()
    queue.load("jam@3")
    job = queue.job(scan="auto", finish="commit", on_jam="keep")
    until(lambda: queue.site.job(job)["error_code"] == "feeder_jammed", "the jam")
    steps, beat = queue.site.events(job), queue.heartbeat()
    until(lambda: queue.heartbeat() > beat, "the daemon lives on")
    assert queue.site.events(job) == steps
    assert queue.site.inbox() == inbox


def test_unsupported_settings_fail_the_job_with_what_the_device_offers(queue: ClientQueue) -> None:
    """A person reads what to set instead; the scanner is free."""
    job = queue.submit(options={"no-such-option": 1}, scan="auto")
    row = queue.site.wait(job, "failed")
    assert row["error_code"] == "unsupported_settings"
    assert "no-such-option" in row["error"]
