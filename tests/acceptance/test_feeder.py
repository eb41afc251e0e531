"""Every fault of a feeder, through the real libsane: one daemon, one scanner, and a person who obeys `error`.

All tests of this module share daemon and scanner, so that each fault also meets what earlier ones left behind.
Each fault is played with one choice of `on_jam`, `scan` and `finish`; with SCAND_SOAK=1 with every choice.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from scand.cli import scand as command
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
        self.site.step(job, "scanning")
        return self.ended(job, steps)

    def ended(self, job: int, steps: int) -> tuple[dict[str, Any], int]:
        """Wait for the end of a batch that begins after so many steps of its job; as `scan`."""
        beats = set()

        def ended() -> bool:
            beats.add(self.heartbeat())
            self.site.as_agent(
                "UPDATE scan_jobs SET next_attempt_at = now() WHERE id = %s AND next_attempt_at > now()", job
            )
            return len(self.site.events(job)) >= steps + 2

        until(ended, f"the batch of job {job} ended")
        return self.site.job(job), len(beats)

    def types(self, *arguments: str) -> str:
        """Type a command of scand, which must succeed; what it says."""
        done = CliRunner().invoke(command, ["--config", str(self.site.config), *arguments])
        assert done.exit_code == 0, (arguments, done.output)
        return done.output

    def obeys(self, said: str, sides: list[int], sheet: int | None = None) -> None:
        """Do what a sentence says: its commands in order, then feed from the sheet that it names, and scan.

        Args:
            said: an `error`, or the part of it that is to be done.
            sides: of the stack.
            sheet: the first to be fed; None: the one that is named, or else all.
        """
        (job,) = self.site.sql("SELECT id FROM scan_jobs WHERE status = 'ready'")
        for typed in re.findall(r"scand (?:restore|discard) [0-9]+ [0-9]+", said):
            self.types(*typed.split()[1:])
        named = re.search(r"from sheet (\d+)", said)
        self.feed_from(sides, sheet or (int(named[1]) if named else 1))
        steps = len(self.site.events(job["id"]))
        self.types("scan", str(job["id"]))
        self.ended(job["id"], steps)

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

    def document(self, job: int, by_itself: str = "ready") -> list[int]:
        """The sides of the job's document in the Inbox, in order.

        Args:
            by_itself: the status to which the job goes without a person; from there on one finishes and commits.
        """
        row = self.site.wait(job, by_itself)
        steps, beat = self.site.events(job), self.heartbeat()
        until(lambda: self.heartbeat() > beat, "the daemon has looked")
        assert self.site.events(job) == steps, f"it was to stay {by_itself}"
        for before, typed, after in (("ready", "finish", "preview"), ("preview", "commit", "committed")):
            if row["status"] == before:
                self.types(typed, str(job))
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


SOAK = bool(os.environ.get("SCAND_SOAK"))

CASES = [
    # Empty.
    Case("empty-read@1", "feeder_empty", 0, "The feeder is empty: put the paper in"),
    Case("empty-read@4", None, 6),
    Case("empty-read@2:back", "device_error", 3, "before it delivered the back of sheet 2"),
    # Jam, double feed, cover.
    Case("jam@1", "feeder_jammed", 0, "jammed before the first page: check the feeder"),
    Case("jam@1:back", "feeder_jammed", 1, "sheet 1 jammed"),
    Case("jam@3", "feeder_jammed", 4, "sheet 3 jammed"),
    Case("jam@2:back", "feeder_jammed", 3, "sheet 2 jammed"),
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
TORN = [case for case in CASES if case.captured >= 2 and case.code not in {None, "page_limit"}]
"""Those that leave a batch with pages about which a person has to say something."""

ON_JAM: list[dict[str, Any]] = [{}, {"on_jam": "keep"}, {"on_jam": "discard"}]
MODES = [
    {**on_jam, "finish": finish, "scan": scan}
    for scan, finish, on_jam in product(("auto", "manual"), ("commit", "preview", "hold"), ON_JAM)
]


def stories(cases: list[Case]) -> list[Any]:
    """Each case with one of the modes in turn, or with all."""
    played = [
        (case, mode)
        for number, case in enumerate(cases)
        for mode in (MODES if SOAK else [MODES[number * 7 % len(MODES)]])
    ]
    return [
        pytest.param(case, mode, id="-".join([str(case), *map(str, mode.values())])) for case, mode in played
    ]


def goes_to(mode: dict[str, Any], *, in_pieces: bool) -> str:
    """Where a job comes to rest by itself, once everything was fed."""
    if mode["finish"] == "commit" and (not in_pieces or mode.get("on_jam") == "keep"):
        return "committed"
    return "ready" if mode["finish"] == "hold" else "preview"


def first_batch(feeder: FeederSite, mode: dict[str, Any], **more: Any) -> tuple[int, dict[str, Any], int]:
    """A new job, its row when its first batch has ended, and the number of heartbeats meanwhile."""
    if mode["scan"] == "manual":
        job = feeder.job(**mode, **more)
        return job, *feeder.scan(job)
    job = feeder.submit(**mode, **more)
    return job, *feeder.ended(job, 2)


@pytest.mark.parametrize(("case", "mode"), stories(CASES))
def test_no_fault_loses_or_doubles_a_side(feeder: FeederSite, case: Case, mode: dict[str, Any]) -> None:
    """Captured sides are safe, and whoever does what `error` says finds every side once in the Inbox."""
    sides = feeder.load(case.fault, case.more)
    job, row, beats = first_batch(feeder, mode, **case.settings)
    assert row["error_code"] == case.code, feeder.site.last_log()
    assert case.says in (row["error"] or "")
    assert case.code != "driver_hung" or beats >= 3
    assert feeder.captured(job, 1) == case.captured
    recorded(feeder, job, sides, case.code, mode)
    if case.code:
        assert row["status"] == "ready"
        done, _, _over = row["error"].partition("; to start over")
        feeder.obeys(done, sides)
        assert feeder.site.job(job)["error"] is None, feeder.site.last_log()
    assert feeder.document(job, goes_to(mode, in_pieces=case in TORN)) == sides


@pytest.mark.parametrize("fault", ["gone@1", "gone@2", "gone@3:back"])
def test_a_connection_lost_between_two_pages(feeder: FeederSite, fault: str) -> None:
    """A lost connection is an I/O error or a crash (net.c uses a reply that never came), and no side is lost."""
    mode = {"scan": "manual", "finish": "hold"}
    sides = feeder.load(fault)
    job, row, _ = first_batch(feeder, mode)
    assert (row["status"], row["error_code"] in {"device_error", "driver_crashed"}) == ("ready", True)
    recorded(feeder, job, sides, row["error_code"], mode)
    feeder.obeys(row["error"].partition("; to start over")[0], sides)
    assert feeder.document(job) == sides


def recorded(feeder: FeederSite, job: int, sides: list[int], code: str | None, mode: dict[str, Any]) -> None:
    """Check that the first batch is in the database as in the spool, and that its PDF has complete sheets only."""
    batches, captured = feeder.site.batches(job), feeder.captured(job, 1)
    if not captured:
        assert batches == []
        return
    (batch,) = batches
    complete = code in {None, "page_limit"}
    pages = captured if complete else captured - captured % 2
    kept = complete or (mode.get("on_jam") != "discard" and pages > 0)
    assert (batch["status"], batch["page_count"]) == ("scanned" if kept else "discarded", pages)
    assert batch["answered"] == (complete or not pages)
    end = json.loads((feeder.spooled(job, 1) / "end.json").read_text())
    assert batch["error_code"] == code == end["code"]
    if pages:
        assert numbers(feeder.spooled(job, 1) / "batch.pdf") == sides[:pages]


@pytest.mark.parametrize(("case", "mode"), stories(TORN) if SOAK else [(TORN[1], MODES[n]) for n in (0, 2)])
def test_starting_over_ends_well(feeder: FeederSite, case: Case, mode: dict[str, Any]) -> None:
    """The other half of the sentence: discard, and feed the whole stack; what is left out is said."""
    sides = feeder.load(case.fault)
    job, row, _ = first_batch(feeder, mode)
    feeder.obeys(row["error"].partition("; to start over: ")[2], sides, sheet=1)
    assert feeder.document(job, goes_to(mode, in_pieces=False)) == sides
    (pages,) = {batch["page_count"] for batch in feeder.site.batches(job) if batch["error_code"]}
    assert f"batch 1: {pages} safe page" in feeder.types("show", str(job))
    assert f"{pages} safe pages not in it" in feeder.types("list")


@pytest.mark.parametrize("on_jam", ON_JAM[::2])
def test_who_feeds_the_whole_stack_again_unasked_sees_it(feeder: FeederSite, on_jam: dict[str, Any]) -> None:
    """As 0.1 taught: the job does not go into the Inbox, and what is printed then leads to every side once."""
    mode = {**on_jam, "scan": "auto", "finish": "commit"}
    sides = feeder.load("jam@3")
    job, _, _ = first_batch(feeder, mode)
    feeder.obeys("", sides)
    if on_jam:
        error = feeder.site.job(job)["error"]
        assert error.startswith("batch 1: its 4 pages are not in the document: ")
        refused = CliRunner().invoke(command, ["--config", str(feeder.site.config), "finish", str(job)])
        assert error in str(refused.exception)
        feeder.types("discard", str(job), "1")
        assert feeder.document(job, "committed") == sides
        return
    row = feeder.site.wait(job, "preview")
    assert numbers(feeder.site.nas / row["nas_staging_path"]) == sides[:4] + sides
    assert "look whether each sheet is in it once: batch 1" in feeder.types("show", str(job))
    feeder.types("reopen", str(job))
    feeder.types("discard", str(job), "1")
    assert feeder.document(job) == sides


def test_a_second_jam_and_an_empty_feeder_in_between(feeder: FeederSite) -> None:
    """Each sentence says what is open still, until the last sheet is in."""
    sides = feeder.load("jam@2")
    job, row, _ = first_batch(feeder, {"scan": "manual", "finish": "commit", "on_jam": "keep"})
    first = sides[0] // 2 + 1
    feeder.scanner.command(f"from {first + 1}\nfault empty-read@{first + 1}")
    row, _ = feeder.scan(job)
    assert row["error_code"] == "feeder_empty"
    assert "Still open: batch 1: sheet 2 jammed" in row["error"]
    feeder.scanner.command(f"from {first + 1}\nfault jam@{first + 2}")
    row, _ = feeder.scan(job)
    over = f"to start over: scand discard {job} 1, scand discard {job} 2, then the whole stack"
    assert over in row["error"]
    feeder.obeys("feed again from sheet 3", sides)  # the second sheet of what was fed last
    assert feeder.document(job, "committed") == sides


def test_half_a_stack_is_fed_again_whole(feeder: FeederSite) -> None:
    """In manual duplex: the fronts jam, then the backs; and the document has them sheet by sheet."""
    fed = []
    job = 0
    for _ in ("fronts", "backs"):
        sides = feeder.load("jam@3")
        if not job:
            job = feeder.job(sides="manual-duplex", finish="commit")
        row, _ = feeder.scan(job)
        assert "2 sheets (2 pages) are discarded: feed the whole stack again" in row["error"]
        feeder.obeys(row["error"], sides)
        fed.append(sides[::2])
    fronts, backs = fed
    turned = [side for pair in zip(fronts, backs[::-1], strict=True) for side in pair]
    assert feeder.document(job, "committed") == turned


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
    feeder.obeys(feeder.site.job(job)["error"].partition("; to start over")[0], sides)
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
    job = feeder.job(options={"no-such-option": 1})
    feeder.site.step(job, "scanning")
    row = feeder.site.wait(job, "failed")
    assert row["error_code"] == "unsupported_settings"
    assert "no-such-option" in row["error"]
