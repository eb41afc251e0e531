"""Who uses an installation: puts paper in, presses buttons, does what `error` says, writes down what must come.

Every action may be asked for at any time: where it makes no sense as things stand, nothing is done.
"""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from scand.simulator.faults import COUNTED, KINDS
from tests.model.ledger import Feed, Job, Ledger
from tests.support import evidence
from tests.support.checker import Checker
from tests.support.site import until

if TYPE_CHECKING:
    from tests.model.scene import Scene
    from tests.support.evidence import Row

_ACTIVE = ("ready", "scanning", "assembling", "preview", "committing")
_MOST_JOBS = 4
_BUTTONS = {
    "ready": ["scan", "scan", "turn", "scan", "canceled", "scan", "assembling", "scan"],
    "scanning": ["canceled"],
    "assembling": ["ready", "canceled"],
    "preview": ["committing", "committing", "ready", "canceled"],
    "committing": ["preview"],
}
"""Those of a job, by its status: to which status they bring it, or what else they do."""

_AGAIN_FROM = re.compile(r"batch (\d+): .*re-feed from sheet (\d+)")
_REFUSED = {"SD001", "SD002"}
"""SQLSTATEs: the agent was faster."""

PATIENCE = 120.0
"""Seconds in which all jobs must come to their end, with everything there and a clerk who does what is due."""


class Clerk:
    """One, at one scene."""

    def __init__(self, scene: Scene) -> None:
        self._scene, self._site, self._stage = scene, scene.site, scene.stage
        self._ledger = Ledger()
        self._before = scene.stage.sheets
        self._checker = Checker(self._site.connection, self._site.staging, scene.volume, self._fed)

    def _fed(self) -> list[int]:
        """Fed in this scene, and wanted: not given up, nor discarded."""
        wanted = self._ledger.wanted()
        return [side for side in self._stage.simulator.fed() if side in wanted]

    # Buttons.

    def submit(self, *, sheets: int, auto: bool, finish: str, on_jam: str, fault: str = "") -> None:
        """A new job; one that scans at once only where its stack is the next one."""
        if not self._scene.reachable or len(self._ledger.jobs) >= _MOST_JOBS:
            return
        auto = auto and not self._jobs("queued", *_ACTIVE)
        job = Job(keeps=on_jam == "keep")
        scan = "auto" if auto else "manual"
        # A draft first: the stack is in before it is queued.
        number = self._site.submit("Letter", status="draft", finish=finish, on_jam=on_jam, scan=scan)
        self._ledger.jobs[number] = job
        if auto:
            self._put_in(job, self._stack(sheets), fault)
        self._site.step(number, "queued")

    def scan(self, *, sheets: int, fault: str = "") -> None:
        """One batch of the job at the scanner: of what its fault says, else of a new stack."""
        row = self._at_the_scanner("ready")
        if row is None or not self._scene.stands_still(row["id"]):
            return
        self.look()  # the last batch may have come since
        job = self._ledger.jobs[row["id"]]
        feed = self._again(row, job) if row["error_code"] else None
        self._put_in(job, feed or self._stack(sheets), fault)
        self._step(row, "scanning")

    def go_on(self, *, fault: str) -> None:
        """What comes next for most people, once the job waits for them; where there is none, a new one."""
        self._rest()
        row = self._at_the_scanner("ready", "preview")
        if row is None and not self._jobs("queued", *_ACTIVE):
            self.submit(sheets=2, auto=True, finish="commit", on_jam="discard", fault=fault)
        elif row and row["status"] == "preview":
            self._step(row, "ready" if row["error_code"] else "committing")
        elif row and self._ledger.jobs[row["id"]].document and not row["error_code"]:
            self._step(row, "assembling")
        elif row:
            self.scan(sheets=2, fault=fault)

    def press(self, *, which: int, sheets: int, fault: str, patient: bool) -> str:
        """One of the buttons that there are for the job at the scanner, and which it was.

        Args:
            which: of them.
            sheets: in a new stack.
            fault: what happens to it.
            patient: not before the job waits for people.
        """
        if patient:
            self._rest()
        row = self._at_the_scanner(*_ACTIVE)
        if row is None:
            return self._next_job(which, sheets, fault)
        button = _BUTTONS[row["status"]][which % len(_BUTTONS[row["status"]])]
        match button:
            case "scan":
                self.scan(sheets=sheets, fault=fault)
            case "turn":
                self._turn(row, which)
            case _:
                self._step(row, button)
        return f"{row['status']}: {button}"

    def _next_job(self, which: int, sheets: int, fault: str) -> str:
        if self._jobs("queued"):
            return "waits"
        if which % 2 and self._jobs("failed", "canceled"):
            self.again(which=which)
            return "again"
        self.submit(sheets=sheets, auto=True, finish="commit", on_jam="keep", fault=fault)
        return "submit"

    def again(self, *, which: int) -> None:
        """A failed or canceled job is queued again; it scans when it is told to."""
        row = _one_of(self._jobs("failed", "canceled"), which)
        if row:
            settings = json.dumps(row["settings"] | {"scan": "manual"})
            self._site.sql("UPDATE scan_jobs SET settings = %s WHERE id = %s", settings, row["id"])
            self._step(row, "queued")

    # Paper.

    def _stack(self, sheets: int) -> Feed:
        return Feed(self._stage.sheets + 1, self._stage.sheets + sheets)

    def _put_in(self, job: Job, feed: Feed, fault: str = "") -> None:
        name, _at, place = fault.partition("@")
        if fault and KINDS[name].moment not in COUNTED:
            sheet, colon, side = place.partition(":")
            fault = f"{name}@{feed.first + int(sheet) - 1}{colon}{side}"
        job.feed(feed)
        self._stage.put_in(feed.first, feed.last, fault)

    def _again(self, row: Row, job: Job) -> Feed | None:
        """What has to be fed again as `error` says, after its batch is restored. None: nothing."""
        if not job.feeds or job.feeds[-1].last != self._stage.sheets:
            return None  # that stack was given up for another one
        named = _AGAIN_FROM.search(row["error"] or "")
        if not named:
            return job.feeds[-1] if job.feeds[-1] in job.waiting else None
        batch = job.batches[int(named[1])]
        assert int(named[2]) == len(batch.sides) // 2 + 1, f"{row['error']}, but {batch} is safe"
        feed = batch.feed or job.feeds[-1]
        if feed.last != self._stage.sheets:
            return None
        if batch.sides and not batch.kept and not self._keep(row["id"], int(named[1]), kept=True):
            return None
        first = feed.first + int(named[2]) - 1
        return Feed(first, feed.last) if first <= feed.last else None

    def _turn(self, row: Row, which: int) -> None:
        """Discard one of its batches; or restore it, if it is discarded."""
        self.look()
        batches = self._ledger.jobs[row["id"]].batches
        seqs = [seq for seq, batch in sorted(batches.items()) if batch.sides]
        if seqs:
            seq = seqs[which % len(seqs)]
            self._keep(row["id"], seq, kept=not batches[seq].kept)

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
        self._ledger.jobs[job].batches[seq].kept = kept
        return True

    # The queue.

    def _jobs(self, *statuses: str) -> list[Row]:
        if not self._scene.reachable:
            return []
        return self._site.sql("SELECT * FROM scan_jobs WHERE status = ANY (%s) ORDER BY id", list(statuses))

    def _at_the_scanner(self, *statuses: str) -> Row | None:
        return next(iter(self._jobs(*statuses)), None)

    def _rest(self) -> None:
        """Wait until the job at the scanner waits for people, if nothing is in its way."""
        end = time.monotonic() + 6
        while self._scene.whole and time.monotonic() < end:
            if self._jobs("ready", "preview") or not self._jobs("queued", *_ACTIVE):
                return
            time.sleep(0.05)

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

    # Looking.

    def look(self) -> None:
        """Every batch is what came of a feed, every document what its batches make, and every invariant holds."""
        if not self._scene.reachable:
            return
        rows = evidence.rows(self._site.connection)
        for batch in rows.batches:
            job, seq = self._ledger.jobs[batch["job_id"]], batch["batch_seq"]
            if seq not in job.batches:
                sides = _sides(Path(batch["staging_path"])) if batch["page_count"] else ()
                job.record(seq, sides, complete=batch["error_code"] is None)
            kept = "scanned" if job.batches[seq].kept else "discarded"
            assert batch["status"] == kept, f"job {batch['job_id']}, batch {seq} is not {kept}"
        for row in rows.jobs:
            where = {"preview": "nas_staging_path", "committed": "inbox_path"}.get(row["status"])
            if where:
                found, wanted = _sides(self._scene.volume / row[where]), self._ledger.jobs[row["id"]].document
                assert list(found) == wanted, f"job {row['id']} is {row['status']} with {found}, not {wanted}"
        self._checker.connection = self._site.connection
        violations = self._checker.check()
        assert violations == [], "\n".join(map(str, violations))
        assert list(self._scene.bare.iterdir()) == []

    # The end.

    def close_up(self) -> None:
        """See every job into the Inbox or out of the queue; then all must be there, once."""
        rest: tuple[Row, ...] = ()

        def over() -> bool:
            nonlocal rest
            self._site.sql("UPDATE scan_jobs SET next_attempt_at = now() WHERE next_attempt_at > now()")
            rest = tuple(self._jobs("queued", "failed", *_ACTIVE))
            for row in rest:
                self._see_through(row)
            return not rest

        try:
            until(over, "every job has come to its end", PATIENCE)
        except AssertionError as error:
            raise AssertionError(f"{error}: {rest}") from None
        self.look()
        violations = self._checker.settled()
        assert violations == [], "\n".join(map(str, violations))
        self._inbox()

    def _see_through(self, row: Row) -> None:
        """Do what is to be done next, if anything is."""
        job = self._ledger.jobs[row["id"]]
        match row["status"]:
            case "ready":
                self.look()
                feed = self._again(row, job) if row["error_code"] else None
                if feed or not job.document:
                    self._put_in(job, feed or self._stack(1))
                    self._step(row, "scanning")
                else:
                    self._step(row, "assembling")
            case "preview":
                self._step(row, "ready" if row["error_code"] else "committing")
            case "failed":
                self._step(row, "queued")
            case _:
                pass

    def _inbox(self) -> None:
        """Exactly the documents of the committed jobs, each with exactly its sides."""
        found = sorted(_sides(self._scene.volume / path) for path in evidence.published(self._scene.volume))
        committed = {row["id"] for row in self._jobs("committed")}
        wanted = sorted(tuple(self._ledger.jobs[job].document) for job in committed)
        assert found == wanted, f"the Inbox has {found}, not {wanted}"
        over = committed | {row["id"] for row in self._jobs("canceled")}
        assert over == set(self._ledger.jobs)


def _sides(pdf: Path) -> tuple[int, ...]:
    return tuple(side if side is not None else -1 for side in evidence.sides(pdf))


def _one_of(rows: list[Row], which: int) -> Row | None:
    return rows[which % len(rows)] if rows else None
