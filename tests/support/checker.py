"""Checks every invariant of docs/design.md, "Invariants", and names the job and the page that violate one.

    P  every captured page is in local staging or in the document    L  local pages are deleted only after C
    D  at most one Inbox file for a job and a hash, never partial    M  nothing under a bare mountpoint
    C  committed: the file is there, with that hash                  A  one active job
    S  only legal steps, and none after committed                    T  alive, and no job stops without saying why
    W  a document is never silently shorter, or in another order, than what was fed

It reads the database, the staging directory, the NAS and the scanner's log, and uses nothing of scand's own code
but the table of statuses. The number of a side (`scand.simulator.marks`) is unique among all that were fed.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scand.jobs.lifecycle import Status
from tests.support import evidence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    import psycopg

    from tests.support.evidence import Captured, Row, Rows

INVARIANTS = "PDCSLMATW"
MARKER = ".scand-volume"
HEARTBEAT = 10.0
"""The longest time between two heartbeats, in seconds. Source: docs/design.md, "Invariants", T."""

_WORKING = frozenset({Status.SCANNING, Status.ASSEMBLING, Status.COMMITTING})
_DELETABLE = frozenset({Status.COMMITTED, Status.CANCELED})
_FINISHED = frozenset({Status.ASSEMBLING, Status.PREVIEW, Status.COMMITTING, Status.COMMITTED})


@dataclass(frozen=True, slots=True)
class Violation:
    """An invariant that does not hold.

    Attributes:
        invariant: its letter.
        what: a sentence that names the job and the page, file or step.
    """

    invariant: str
    what: str

    def __str__(self) -> str:
        return f"{self.invariant}: {self.what}"


_PARKED_FROM = {Status.ASSEMBLING, Status.PREVIEW, Status.COMMITTING}


class Checker:
    """Checks one installation any number of times, and remembers every captured page that it has seen.

    Args:
        connection: to the installation's database.
        staging: `staging.dir`.
        nas: `nas.root`.
        fed: returns the numbers of the sides that the scanner has delivered completely so far.
        taken: where a consumer moves files from the Inbox, under the same relative path; None: there is no
            consumer.
        mixed: sheets are put back while others are pulled, so a document may have them in the order of feeding.
        emptied: somebody empties tables, so that documents, steps and pages may have lost their rows.

    Attributes:
        connection: may be replaced when the server has been away.
    """

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        staging: Path,
        nas: Path,
        fed: Callable[[], Sequence[int]],
        taken: Path | None = None,
        *,
        mixed: bool = False,
        emptied: bool = False,
    ) -> None:
        self.connection, self._staging, self._nas, self._fed = connection, staging, nas, fed
        self._mixed, self._emptied = mixed, emptied
        self._roots = [nas] if taken is None else [nas, taken]
        self._seen: dict[str, Captured] = {}
        self._dropped: set[int] = set()

    def check(self, *, alive: bool = False) -> list[Violation]:
        """Return what does not hold now, whatever scand is doing.

        Args:
            alive: check the heartbeat, too: a daemon has been serving for the last ten seconds.
        """
        # Before the rows, since the path is in the row before the file is in the Inbox.
        inbox = [found for root in self._roots for found in evidence.published(root).items()]
        rows = evidence.rows(self.connection)
        self._dropped |= self._edits(rows)
        return [
            *self._pages(rows),
            *self._batches(rows),
            *self._inbox(rows, inbox),
            *self._sides(),
            *self._documents(rows),
            *self._answered(rows),
            *self._steps(rows),
            *self._volume(),
            *(self._heartbeat(rows) if alive else ()),
        ]

    def settled(self) -> list[Violation]:
        """Return what does not hold when no job is under way: then every side that was fed is somewhere, once."""
        rows = evidence.rows(self.connection)
        return [*self.check(), *self._unexplained(rows), *self._all_fed(rows)]

    # P, L: pages and batches on local disk.

    def _pages(self, rows: Rows) -> Iterator[Violation]:
        found = list(evidence.captured(self._staging))
        listed = {(str(row["job_id"]), row["sha256"]) for row in rows.pages}
        jobs = {job for job, _ in listed}  # not those of scand 0.1, which has written no rows of pages
        recorded = {(str(row["job_id"]), f"batch-{row['batch_seq']:04d}") for row in rows.batches}
        for page in found:
            known = page.job in jobs and (page.job, page.batch) in recorded
            if known and (page.job, page.sha256) not in listed:
                yield Violation("P", f"{page} is in a recorded batch, and has no row")
            path = self._staging / "jobs" / page.job / page.batch / page.file
            if not path.exists() and path.parent.exists():
                yield Violation("P", f"{page} is captured, but is not there")
            elif path.exists() and evidence.sha256(path) != page.sha256:
                yield Violation("P", f"{page} is not what was captured")
            self._seen.setdefault(page.sha256, page)
        here = {page.sha256 for page in found}
        free = {
            str(job["id"])
            for job in rows.jobs
            if job["status"] in _DELETABLE and job["read_back"] is not False
        }
        for sha256, page in self._seen.items():
            if sha256 not in here and page.job not in free:
                yield Violation("P", f"{page} was captured, and is gone")
                yield Violation("L", f"{page} is gone from local disk, and its job is not committed")

    def _batches(self, rows: Rows) -> Iterator[Violation]:
        over = {job["id"] for job in rows.jobs if job["status"] in _DELETABLE}
        for batch in rows.batches:
            name = f"job {batch['job_id']}, batch {batch['batch_seq']}"
            if not batch["page_count"]:
                continue
            path = self._path(batch["staging_path"])
            if path is None or not path.exists():
                if batch["job_id"] not in over:
                    yield Violation("P", f"{name}: its PDF is not there")
            elif batch["file_hash"] and evidence.sha256(path) != batch["file_hash"]:
                yield Violation("P", f"{name}: its PDF is not what was recorded")
            elif len(evidence.sides(path)) != batch["page_count"]:
                yield Violation("P", f"{name}: its PDF has not the {batch['page_count']} pages of the row")

    def _path(self, path: str | None) -> Path | None:
        return self._staging / path if path else None

    # D, C: the Inbox.

    def _inbox(self, rows: Rows, published: list[tuple[str, str]]) -> Iterator[Violation]:
        owners = {job["inbox_path"]: job for job in rows.jobs if job["inbox_path"]}
        for path, sha256 in published:
            if path not in owners:
                if not self._emptied:
                    yield Violation("D", f"{path} is in the Inbox, and no job's")
            elif sha256 != owners[path]["file_hash"]:
                yield Violation("D", f"{path} of job {owners[path]['id']} is not whole: its hash is another")
        for sha256, times in Counter(sha256 for _, sha256 in published).items():
            if times > 1:
                twins = [path for path, other in published if other == sha256]
                yield Violation("D", f"the same document is in the Inbox {times} times: {', '.join(twins)}")
        for job in rows.jobs:
            if job["status"] != Status.COMMITTED:
                continue
            document = self._document(job)
            if document is None or evidence.sha256(document) != job["file_hash"]:
                yield Violation(
                    "C", f"job {job['id']} is committed, and {job['inbox_path']} is not the document"
                )

    def _sides(self) -> Iterator[Violation]:
        """No side is in two files of the Inbox, whatever the rows say."""
        found: dict[int, Path] = {}
        for path in (root / name for root in self._roots for name in evidence.published(root)):
            for side in evidence.sides(path):
                if side is not None and found.setdefault(side, path) != path:
                    yield Violation("D", f"side {side} is in {found[side].name} and in {path.name}")

    # W, D: what is in the documents.

    def _documents(self, rows: Rows) -> Iterator[Violation]:
        owners: dict[int, int] = {}
        for job in rows.jobs:
            document = self._document(job)
            if document is None:
                continue
            pages = evidence.sides(document)
            sides = [side for side in pages if side is not None]
            name = f"the document of job {job['id']}"
            if len(pages) != job["page_count"]:
                yield Violation("W", f"{name} has {len(pages)} pages, and its row says {job['page_count']}")
            for side, times in Counter(sides).items():
                if times > 1:
                    yield Violation("D", f"{name} has side {side} {times} times")
                if owners.setdefault(side, job["id"]) != job["id"]:
                    yield Violation(
                        "D", f"side {side} is in the documents of jobs {owners[side]} and {job['id']}"
                    )
            moved = self._moved(rows, job["id"])
            if moved is not None and sides != moved:
                yield Violation("W", f"{name} has its sides in the order {sides}, and was to have {moved}")
            elif (
                moved is None
                and sides != sorted(sides)
                and not (self._mixed and _in_turn(sides, self._fed()))
            ):
                yield Violation("W", f"{name} has its sides in the order {sides}")
            if missing := sorted(self._kept(rows, job["id"]) - set(sides)):
                yield Violation("W", f"{name} lacks sides {missing} of its kept batches")
            between = {side for side in self._fed() if sides and sides[0] < side < sides[-1]} - self._dropped
            if gaps := sorted(between - set(sides)):
                yield Violation("W", f"{name} lacks sides {gaps}, which were fed in between")

    def _answered(self, rows: Rows) -> Iterator[Violation]:
        """A job that was finished has no batch left about which a person has still to say something."""
        finished = {job["id"]: job["status"] for job in rows.jobs if job["status"] in _FINISHED}
        for batch in rows.batches:
            if batch["job_id"] in finished and batch["page_count"] and not batch["answered"]:
                name = f"job {batch['job_id']}, batch {batch['batch_seq']}"
                yield Violation("W", f"{name} is unanswered, and the job is {finished[batch['job_id']]}")

    def _document(self, job: Row) -> Path | None:
        """The file of a job in preview or committed, if it exists."""
        where = {Status.COMMITTED: "inbox_path", Status.PREVIEW: "nas_staging_path"}.get(job["status"])
        if where is None or not job[where]:
            return None
        return next((path for root in self._roots if (path := root / job[where]).is_file()), None)

    def _kept(self, rows: Rows, job: int) -> set[int]:
        return {side for _, side in self._fed_to(rows, job)} - self._dropped

    def _fed_to(self, rows: Rows, job: int) -> list[tuple[tuple[int, int], int]]:
        """The numbered sides of the kept batches of a job, each with its batch and its number there."""
        kept = [row for row in rows.batches if row["job_id"] == job and row["status"] == "scanned"]
        paths = [(row["batch_seq"], self._path(row["staging_path"])) for row in kept]
        return [
            ((seq, page), side)
            for seq, path in paths
            if path and path.exists()
            for page, side in enumerate(evidence.sides(path), 1)
            if side is not None
        ]

    def _edits(self, rows: Rows) -> set[int]:
        """The sides that clients have dropped; remembered, since batches leave the disk."""
        dropped = {
            (row["job_id"], row["batch_seq"], row["page"]) for row in rows.pages if row["choice"] == "dropped"
        }
        jobs = {job for job, _, _ in dropped}
        return {side for job in jobs for page, side in self._fed_to(rows, job) if (job, *page) in dropped}

    def _moved(self, rows: Rows, job: int) -> list[int] | None:
        """The sides that the document is to have, in order; None: no page was moved."""
        places = {(row["batch_seq"], row["page"]): row["place"] for row in rows.pages if row["job_id"] == job}
        if not any(place is not None for place in places.values()):
            return None
        fed = [
            (10_000 * seq + page if (place := places.get((seq, page))) is None else place, seq, page, side)
            for (seq, page), side in self._fed_to(rows, job)
        ]
        return [side for *_, side in sorted(fed) if side not in self._dropped]

    # S, A, W: the steps that were taken.

    def _steps(self, rows: Rows) -> Iterator[Violation]:
        current: dict[int, str | None] = {}
        resumes: dict[int, str] = {}  # where a parked job goes on
        active: set[int] = set()
        fault: dict[int, str | None] = {}  # the error_code of the job's last step
        for event in rows.events:
            job, before, after = event["job_id"], event["from_status"], event["to_status"]
            step = f"job {job}: {before} → {after}"
            if (before, after) not in rows.steps:
                yield Violation("S", f"{step} is not a step")
            if event["actor"] == "client" and job in resumes and before == resumes[job]:
                resumes[job] = after  # it stays queued, and goes on elsewhere
                continue
            resumes.pop(job, None)
            if after == Status.QUEUED and before in _PARKED_FROM:
                resumes[job] = before
            if current.get(job, before if self._emptied else None) != before:
                yield Violation("S", f"{step}, but it was {current.get(job)}")
            if before == Status.COMMITTED:
                yield Violation("S", f"{step}: a committed job has changed")
            current[job] = after
            (active.add if Status(after).active else active.discard)(job)
            if len(active) > 1:
                yield Violation("A", f"jobs {sorted(active)} are active at once")
            own = (before, after) in _OWN_STEPS and event["actor"] == "agent"
            if own and fault.get(job):
                yield Violation("W", f"{step}: the agent went on by itself after {fault[job]}")
            fault[job] = event["error_code"]
        for job in rows.jobs:
            if current.get(job["id"], job["status"] if self._emptied else None) != job["status"]:
                yield Violation(
                    "S",
                    f"job {job['id']} is {job['status']}, and its last step says {current.get(job['id'])}",
                )

    # M, T.

    def _volume(self) -> Iterator[Violation]:
        if self._nas.is_dir() and not (self._nas / MARKER).exists():
            for path in sorted(self._nas.iterdir()):
                yield Violation("M", f"{path.name} was written under a bare mountpoint")

    def _heartbeat(self, rows: Rows) -> Iterator[Violation]:
        if rows.heartbeat is None or rows.heartbeat > HEARTBEAT:
            yield Violation("T", f"the last heartbeat is {rows.heartbeat} s old")

    # When no job is under way.

    def _unexplained(self, rows: Rows) -> Iterator[Violation]:
        for job in rows.jobs:
            status, quiet = job["status"], not job["error"]
            if quiet and (status in _WORKING or status == Status.FAILED):
                yield Violation("T", f"job {job['id']} is {status}, and does not say why")

    def _all_fed(self, rows: Rows) -> Iterator[Violation]:
        """Sides that are nowhere; not while a job has a fault, since its sentence may ask to feed them again."""
        over = [job["status"] == Status.COMMITTED for job in rows.jobs]
        if any(job["error_code"] for job in rows.jobs):
            return
        documents = [document for job in rows.jobs if (document := self._document(job))]
        spooled = [] if all(over) else (self._staging / "jobs").glob("*/*/batch.pdf")
        found = {side for path in [*documents, *spooled] for side in evidence.sides(path)}
        for side in sorted(set(self._fed()) - found - self._dropped):
            yield Violation(
                "W", f"side {side} was fed, and is in no document" + ("" if all(over) else " and no batch")
            )


_OWN_STEPS = {
    (Status.READY, Status.SCANNING),
    (Status.READY, Status.ASSEMBLING),
    (Status.PREVIEW, Status.COMMITTING),
}


def _in_turn(sides: Sequence[int], fed: Sequence[int]) -> bool:
    """Whether the sides were fed in this order, possibly with others in between."""
    coming = iter(fed)
    return all(side in coming for side in sides)
