"""The people: they load paper, press buttons and do what `error` says, and note what must be in each document.

Every method may be called at any time; it does nothing where it would make no sense.
"""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from scand.simulator.faults import COUNTED, KINDS
from tests.model.expectations import Expectations, Feed, Job
from tests.support import evidence
from tests.support.checker import Checker
from tests.support.site import until

if TYPE_CHECKING:
    from tests.model.installation import Installation
    from tests.support.evidence import Row

_ACTIVE = ("ready", "scanning", "assembling", "preview", "committing")
_MAX_JOBS = 4
_BUTTONS = {
    "ready": ["scan", "drop", "toggle", "scan", "canceled", "scan", "assembling", "scan"],
    "scanning": ["canceled"],
    "assembling": ["ready", "canceled"],
    "preview": ["committing", "title", "ready", "canceled"],
    "committing": ["preview"],
}
"""The buttons for a job, by its status: to which status they bring it, or what else they do."""

_DOCUMENT = {"preview": "nas_staging_path", "committed": "inbox_path"}
"""The column that says where a job's document is, by the status that it has or goes on in."""

_FEED_AGAIN_FROM = re.compile(r"batch (\d+): (?:(?!batch \d).)*?feed again from sheet (\d+)")
_REFUSED = {"SD001", "SD002", "SD004"}
"""SQLSTATEs: the step is refused, since the agent was faster, or a batch that ended in a fault is unanswered."""

PATIENCE = 120.0
"""The longest time until all jobs are at their end if nothing is away, in seconds."""


class Operator:
    """The people of one installation."""

    def __init__(self, installation: Installation) -> None:
        self._installation, self._site, self._shared = (
            installation,
            installation.site,
            installation.shared_parts,
        )
        self._expected = Expectations()
        self._before = installation.shared_parts.sheets
        self._checker = Checker(self._site.connection, self._site.staging, installation.volume, self._fed)

    def _fed(self) -> list[int]:
        """The sides that were fed here and belong in a document: neither given up nor discarded."""
        wanted = self._expected.wanted()
        return [side for side in self._shared.simulator.fed() if side in wanted]

    # Buttons.

    def submit(self, *, sheets: int, auto: bool, finish: str, on_jam: str, fault: str = "") -> None:
        """Submit a job; it scans by itself only if its stack is the next one."""
        if not self._installation.reachable or len(self._expected.jobs) >= _MAX_JOBS:
            return
        auto = auto and not self._jobs("queued", *_ACTIVE)
        job = Job(keeps=on_jam != "discard")
        scan = "auto" if auto else "manual"
        # A draft first, so that the stack is loaded before the job is queued.
        said = {"on_jam": on_jam} if on_jam else {}
        number = self._site.submit("Letter", status="draft", finish=finish, scan=scan, **said)
        self._expected.jobs[number] = job
        if auto:
            self._load(job, self._stack(sheets), fault)
        self._site.step(number, "queued")

    def scan(self, *, sheets: int, fault: str = "") -> None:
        """Scan a batch of the job at the scanner: what its fault asks for, or else a new stack."""
        row = self._at_the_scanner("ready")
        if row is None or not self._installation.wait_until_idle(row["id"]):
            return
        self.look()  # the last batch may have been recorded since
        job = self._expected.jobs[row["id"]]
        feed = self._to_feed_again(row, job) if row["error_code"] else None
        self._load(job, feed or self._stack(sheets), fault)
        self._step(row, "scanning")

    def next_step(self, *, fault: str) -> None:
        """Do what most people would do next, as soon as the job waits for them; without a job, submit one."""
        self._wait_for_people()
        row = self._at_the_scanner("ready", "preview")
        if row is None and not self._coming():
            self.submit(sheets=2, auto=True, finish="commit", on_jam="discard", fault=fault)
        elif row and row["status"] == "preview":
            self._step(row, "ready" if row["error_code"] else "committing")
        elif row and self._expected.jobs[row["id"]].document and not row["error_code"]:
            self._finish(row)
        elif row:
            self.scan(sheets=2, fault=fault)

    def press(self, *, which: int, sheets: int, fault: str, wait: bool) -> str:
        """Press one of the buttons for the job at the scanner.

        Args:
            which: chooses among them.
            sheets: in a new stack.
            fault: that happens to it.
            wait: press only when the job waits for people.

        Returns:
            What was pressed.
        """
        if wait:
            self._wait_for_people()
        row = self._at_the_scanner(*_ACTIVE)
        if row is None:
            return self._next_job(which, sheets, fault)
        button = _BUTTONS[row["status"]][which % len(_BUTTONS[row["status"]])]
        match button:
            case "scan":
                self.scan(sheets=sheets, fault=fault)
            case "toggle":
                self._toggle_batch(row, which)
            case "drop":
                self._toggle_page(row, which)
            case "title":
                self._retitle(row)
            case _:
                self._step(row, button)
        return f"{row['status']}: {button}"

    def press_parked(self, *, which: int) -> str:
        """Press one of the buttons for a parked job, as for the job that it was.

        Returns:
            What was pressed.
        """
        row = _one_of([row for row in self._jobs("queued") if row["resumes_in"]], which)
        if row is None:
            return ""
        buttons = [*_BUTTONS[row["resumes_in"]], "draft"]
        button = buttons[which % len(buttons)]
        if button == "title":
            self._retitle(row)
        else:
            self._step(row, button)
        return f"parked in {row['resumes_in']}: {button}"

    def _next_job(self, which: int, sheets: int, fault: str) -> str:
        if self._coming():
            return "waits"
        if which % 2 and self._jobs("failed", "canceled"):
            self.requeue(which=which)
            return "requeue"
        self.submit(sheets=sheets, auto=True, finish="commit", on_jam="keep", fault=fault)
        return "submit"

    def requeue(self, *, which: int) -> None:
        """Queue a failed or canceled job again; it scans only when it is told to."""
        row = _one_of(self._jobs("failed", "canceled"), which)
        if row:
            settings = json.dumps(row["settings"] | {"scan": "manual"})
            self._site.sql("UPDATE scan_jobs SET settings = %s WHERE id = %s", settings, row["id"])
            self._step(row, "queued")

    # Paper.

    def _stack(self, sheets: int) -> Feed:
        return Feed(self._shared.sheets + 1, self._shared.sheets + sheets)

    def _load(self, job: Job, feed: Feed, fault: str = "") -> None:
        name, _at, place = fault.partition("@")
        if fault and KINDS[name].moment not in COUNTED:
            sheet, colon, side = place.partition(":")
            fault = f"{name}@{feed.first + int(sheet) - 1}{colon}{side}"
        job.feed(feed)
        self._shared.load(feed.first, feed.last, fault)

    def _to_feed_again(self, row: Row, job: Job) -> Feed | None:
        """The sheets that `error` asks for, after restoring its batch; None: there are none."""
        if not job.feeds or job.feeds[-1].last != self._shared.sheets:
            return None  # that stack was given up for a new one
        named = _FEED_AGAIN_FROM.search(row["error"] or "")
        if not named:
            return job.feeds[-1] if job.feeds[-1] in job.waiting else None
        batch = job.batches[int(named[1])]
        assert int(named[2]) == len(batch.sides) // 2 + 1, f"{row['error']}, but {batch} is safe"
        feed = batch.feed or job.feeds[-1]
        if feed.last != self._shared.sheets:
            return None
        if batch.sides and not batch.kept and not self._keep(row["id"], int(named[1]), kept=True):
            return None
        first = feed.first + int(named[2]) - 1
        return Feed(first, feed.last) if first <= feed.last else None

    def _toggle_batch(self, row: Row, which: int) -> None:
        """Discard one of the batches, or restore it if it is discarded."""
        self.look()
        batches = self._expected.jobs[row["id"]].batches
        seqs = [seq for seq, batch in sorted(batches.items()) if batch.sides]
        if seqs:
            seq = seqs[which % len(seqs)]
            self._keep(row["id"], seq, kept=not batches[seq].kept)

    def _toggle_page(self, row: Row, which: int) -> None:
        """Drop a page of one of the batches and turn it, or take it back if it is dropped."""
        self.look()
        batches = self._expected.jobs[row["id"]].batches
        seqs = [seq for seq, batch in sorted(batches.items()) if batch.sides]
        if not seqs:
            return
        seq = seqs[which % len(seqs)]
        batch = batches[seq]
        place = which % len(batch.sides)
        side = batch.sides[place]
        try:
            done = self._site.sql(
                "UPDATE scan_job_pages SET choice = %s, turn = 180"
                " WHERE job_id = %s AND batch_seq = %s AND page = %s RETURNING page",
                None if side in batch.dropped else "dropped",
                row["id"],
                seq,
                place + 1,
            )
        except psycopg.Error as error:
            if error.sqlstate not in _REFUSED:
                raise
            return
        if done:
            batch.dropped ^= {side}

    def _retitle(self, row: Row) -> None:
        """Another title, with which a job in preview is merged again."""
        try:
            self._site.sql("UPDATE scan_jobs SET title = title || '!' WHERE id = %s", row["id"])
        except psycopg.Error as error:
            if error.sqlstate not in _REFUSED:
                raise

    def _keep(self, job: int, seq: int, *, kept: bool) -> bool:
        try:
            done = self._site.sql(
                "UPDATE scan_job_batches SET status = %s WHERE job_id = %s AND batch_seq = %s RETURNING id",
                "scanned" if kept else "discarded",
                job,
                seq,
            )
        except psycopg.Error as error:
            if error.sqlstate not in _REFUSED:
                raise
            return False
        assert done
        self._expected.jobs[job].batches[seq].kept = kept
        return True

    # The queue.

    def _jobs(self, *statuses: str) -> list[Row]:
        if not self._installation.reachable:
            return []
        return self._site.sql("SELECT * FROM scan_jobs WHERE status = ANY (%s) ORDER BY id", list(statuses))

    def _at_the_scanner(self, *statuses: str) -> Row | None:
        return next(iter(self._jobs(*statuses)), None)

    def _coming(self) -> list[Row]:
        """The jobs that hold the scanner, or will without anybody's doing."""
        return [row for row in self._jobs("queued", *_ACTIVE) if row["resumes_in"] != "preview"]

    def _wait_for_people(self) -> None:
        """Wait until the job at the scanner waits for people, as long as nothing is away."""
        end = time.monotonic() + 6
        while self._installation.complete and time.monotonic() < end:
            if self._jobs("ready", "preview") or not self._coming():
                return
            time.sleep(0.05)

    def _finish(self, row: Row) -> None:
        """Finish a job with the batches that are kept now: that was all, and the others stay out."""
        try:
            self._site.sql(
                "UPDATE scan_job_batches SET answered = true WHERE job_id = %s AND NOT answered", row["id"]
            )
        except psycopg.Error as error:
            if error.sqlstate not in _REFUSED:
                raise
        self._step(row, "assembling")

    def _step(self, row: Row, status: str) -> None:
        try:
            self._site.sql(
                "UPDATE scan_jobs SET status = %s WHERE id = %s AND status = %s",
                status,
                row["id"],
                row["status"],
            )
        except psycopg.Error as error:
            if error.sqlstate not in _REFUSED:
                raise

    # Checks.

    def look(self) -> None:
        """Check that batches are beginnings of feeds, documents have their sides, and invariants hold."""
        if not self._installation.reachable:
            return
        rows = evidence.rows(self._site.connection)
        for batch in rows.batches:
            job, seq = self._expected.jobs[batch["job_id"]], batch["batch_seq"]
            if seq not in job.batches:
                code = batch["error_code"]
                job.record(seq, self._sides_of(batch), complete=code is None, canceled=code == "canceled")
            kept = "scanned" if job.batches[seq].kept else "discarded"
            assert batch["status"] == kept, f"job {batch['job_id']}, batch {seq} is not {kept}"
        for row in rows.jobs:
            where = _DOCUMENT.get(row["resumes_in"] or row["status"])
            if where:
                found = _sides(self._installation.volume / row[where])
                wanted = self._expected.jobs[row["id"]].document
                assert list(found) == wanted, f"job {row['id']} is {row['status']} with {found}, not {wanted}"
        self._checker.connection = self._site.connection
        violations = self._checker.check()
        assert violations == [], "\n".join(map(str, violations))
        assert list(self._installation.bare.iterdir()) == []

    def _sides_of(self, batch: Row) -> tuple[int, ...]:
        """The sides in a batch; one that was canceled has no PDF."""
        if not batch["page_count"]:
            return ()
        if batch["staging_path"]:
            return _sides(Path(batch["staging_path"]))
        directory = self._site.spool(batch["job_id"]) / f"batch-{batch['batch_seq']:04d}"
        return tuple(side or -1 for side in evidence.spooled(directory, batch["page_count"]))

    # The end.

    def finish_all(self) -> None:
        """Take every job to the Inbox or out of the queue; then every side must be there, once."""
        unfinished: tuple[Row, ...] = ()

        def over() -> bool:
            nonlocal unfinished
            self._site.as_agent("UPDATE scan_jobs SET next_attempt_at = now() WHERE next_attempt_at > now()")
            unfinished = tuple(self._jobs("draft", "queued", "failed", *_ACTIVE))
            for row in unfinished:
                self._advance(row)
            return not unfinished

        try:
            until(over, "every job has come to its end", PATIENCE)
        except AssertionError as error:
            raise AssertionError(f"{error}: {unfinished}") from None
        self.look()
        violations = self._checker.settled()
        assert violations == [], "\n".join(map(str, violations))
        self._inbox()

    def _advance(self, row: Row) -> None:
        """Do what the job needs next, if anything."""
        job = self._expected.jobs[row["id"]]
        match row["status"]:
            case "ready":
                self.look()
                feed = self._to_feed_again(row, job) if row["error_code"] else None
                if feed or not job.document:
                    self._load(job, feed or self._stack(1))
                    self._step(row, "scanning")
                else:
                    self._finish(row)
            case "preview":
                self._step(row, "ready" if row["error_code"] else "committing")
            case "failed":
                self._step(row, "queued")
            case "queued" if row["resumes_in"] == "preview":
                self._step(row, "ready" if row["error_code"] else "committing")
            case "draft":
                self._step(row, "queued")
            case "queued" if row["error_code"] == "paper_left":  # the feeder was looked at
                manual = 'UPDATE scan_jobs SET settings = settings || \'{"scan": "manual"}\' WHERE id = %s'
                self._site.sql(manual, row["id"])
            case _:
                pass

    def _inbox(self) -> None:
        """Check that the Inbox has exactly the documents of the committed jobs, with exactly their sides."""
        volume = self._installation.volume
        found = sorted(_sides(volume / path) for path in evidence.published(volume))
        committed = {row["id"] for row in self._jobs("committed")}
        wanted = sorted(tuple(self._expected.jobs[job].document) for job in committed)
        assert found == wanted, f"the Inbox has {found}, not {wanted}"
        over = committed | {row["id"] for row in self._jobs("canceled")}
        assert over == set(self._expected.jobs)


def _sides(pdf: Path) -> tuple[int, ...]:
    return tuple(side if side is not None else -1 for side in evidence.sides(pdf))


def _one_of(rows: list[Row], which: int) -> Row | None:
    return rows[which % len(rows)] if rows else None
