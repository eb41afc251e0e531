"""The queue as a client sees it: writes intents, reads rows. A method for each statement; the agent has `results`.

There is nothing here that a web application could not do with the same statements (`sql/client.sql`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from psycopg.rows import class_row
from psycopg.types.json import Json, Jsonb

from scand.errors import BadData
from scand.jobs.lifecycle import Status
from scand.jobs.rows import BatchStatus, PageRow
from scand.queue import statements
from scand.queue.client_rows import (
    BatchRow,
    Edits,
    EventRow,
    Health,
    JobRow,
    JobView,
    Lag,
    Mark,
    Role,
    Stepped,
    StepRow,
    Unfinished,
    Which,
)
from scand.queue.connection import connect, take_role
from scand.queue.refusals import refusals

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from typing import Self

    from scand.queue.connection import Connection

__all__ = [
    "BatchRow",
    "ClientQueue",
    "Edits",
    "EventRow",
    "Health",
    "JobRow",
    "JobView",
    "Lag",
    "Mark",
    "Role",
    "StepRow",
    "Stepped",
    "Unfinished",
    "Which",
]

_PAGE_ROWS = 1000
"""Rows of one answer, so that each comes within the session's deadline, however many jobs there are."""

_Row = TypeVar("_Row")


class ClientQueue:
    """One client's session with the queue; a context manager that closes it.

    Args:
        connection: see `connection.connect`; the queue owns it.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._queries = statements.load("client.sql")

    @classmethod
    def open(cls, url: str) -> Self:
        """Connect, as a client.

        Raises:
            Unavailable: the database is away.
            ConfigError: it refuses the login.
        """
        connection = connect(url, name="scand-cli")
        try:
            take_role(connection, "scand_client")
        except BaseException:
            connection.close()
            raise
        return cls(connection)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.connection.close()

    # Intents.

    def submit(self, title: str, settings: Mapping[str, object], *, draft: bool = False) -> int:
        """A new job's id.

        Raises:
            BadData: title or settings are too big.
        """
        status = Status.DRAFT if draft else Status.QUEUED
        with refusals():
            rows = self._rows("submit", title=title, settings=Jsonb(dict(settings)), status=status)
        return int(rows[0]["id"])

    def step(self, job_id: int, expected: str, to: Status, steps: int | None = None) -> Stepped | None:
        """Take a job from one status to another; None when it is not, or no longer, in the expected one.

        Args:
            job_id: `scan_jobs.id`.
            expected: its status; of a parked job the one in which it goes on.
            to: its next status.
            steps: only if `scan_jobs.steps` still is this; None: whatever it is.

        Raises:
            BadData: that is not a step, or not a client's; the sentence is the database's own.
        """
        with refusals():
            found = self._typed(Stepped, "step", id=job_id, from_status=expected, to_status=to, steps=steps)
        return found[0] if found else None

    def scan_by_hand(self, job_id: int) -> bool:
        """Scan a queued job that waits since the feeder may hold another's paper; False: it is not one."""
        return bool(self._rows("scan_by_hand", id=job_id))

    def discard(self, job_id: int, seq: int) -> bool:
        """Keep a batch out of the merge, also one that is discarded already; False when there is no such batch.

        If the batch ended in a fault, that is answered then.

        Raises:
            BadData: the job is not ready.
        """
        return self._set_batch(job_id, seq, BatchStatus.DISCARDED)

    def restore(self, job_id: int, seq: int) -> bool:
        """Take a batch into the merge as it is; as `discard`."""
        return self._set_batch(job_id, seq, BatchStatus.SCANNED)

    def _set_batch(self, job_id: int, seq: int, status: BatchStatus) -> bool:
        with refusals():
            return bool(self._rows("set_batch", id=job_id, seq=seq, status=status))

    def edit(self, job_id: int, steps: int, pages: Sequence[PageRow]) -> bool:
        """Write choice, turn and place of pages; False when the job has changed since it was seen.

        Args:
            steps: `scan_jobs.steps` as it was seen.
            pages: as they are to be.

        Raises:
            BadData: the job is not ready.
        """
        wanted = [
            {"batch_seq": row.batch_seq, "page": row.page, "choice": row.choice, "turn": row.turn,
             "place": None if row.place is None else f"{row.place:f}"}
            for row in pages
        ]  # fmt: skip
        with refusals():
            return len(self._rows("edit_pages", id=job_id, steps=steps, pages=Json(wanted))) == len(pages)

    def rename(self, job_id: int, title: str, among: Collection[str]) -> bool:
        """Give a job another title; False when it is in none of these statuses, or not there.

        Raises:
            BadData: the title is too long.
        """
        with refusals():
            return bool(self._rows("rename", id=job_id, title=title, statuses=list(among)))

    # Rows.

    def unfinished(self) -> list[Unfinished]:
        """Jobs that are not over: the active one, then the longest waiting; 1,000 at most."""
        return self._typed(Unfinished, "unfinished")

    def next_in_turn(self) -> int | None:
        """The job that holds the scanner, or that is claimed next to be scanned; None: there is none."""
        rows = self._rows("next_in_turn")
        return rows[0]["id"] if rows else None

    def jobs(self, which: Which | None = None, limit: int | None = 20) -> list[JobRow]:
        """The newest jobs first.

        Args:
            which: None: all.
            limit: None: however many there are.
        """
        found: list[JobRow] = []
        while limit is None or len(found) < limit:
            wanted = _PAGE_ROWS if limit is None else min(_PAGE_ROWS, limit - len(found))
            before = found[-1].id if found else None
            page = self._typed(JobRow, "jobs", before=before, limit=wanted, **_values(which))
            found += page
            if len(page) < wanted:
                break
        return found

    def more(self, shown: Sequence[JobRow], which: Which | None = None, limit: int = 1000) -> int:
        """How many jobs there are beyond those that `jobs` gave; counted up to `limit`."""
        if not shown:
            return 0
        return int(self._rows("more", before=shown[-1].id, limit=limit, **_values(which))[0]["jobs"])

    def job(self, job_id: int) -> JobRow:
        """One job.

        Raises:
            BadData: there is none with this id.
        """
        rows = self._typed(JobRow, "job", id=job_id)
        if not rows:
            raise BadData(f"There is no job {job_id}: scand list shows which there are.")
        return rows[0]

    def view(self, job_id: int) -> JobView:
        """One job with its batches and what happened to it.

        Raises:
            BadData: there is none with this id.
        """
        job = self.job(job_id)
        return JobView(
            job,
            self._typed(BatchRow, "batches", id=job_id),
            self._typed(EventRow, "events", id=job_id),
            self._typed(Edits, "edits", id=job_id)[0],
        )

    def pages(self, job_id: int) -> list[PageRow]:
        """A job's pages as fed; those of a batch under way, too."""
        return self._typed(PageRow, "pages", id=job_id)

    def pictures(self, job_id: int) -> dict[tuple[int, int], bytes]:
        """The pictures of a job's pages: (batch, page) → JPEG."""
        found: dict[tuple[int, int], bytes] = {}
        last = (0, 0)
        while rows := self._rows("pictures", id=job_id, batch_seq=last[0], page=last[1]):
            found |= {(row["batch_seq"], row["page"]): row["picture"] for row in rows}
            last = max(found)
        return found

    def statuses(self, ids: Sequence[int]) -> dict[int, str]:
        """The statuses of those of the jobs that there are; "deleted" where only files are left of one."""
        return {row["id"]: row["status"] for row in self._rows("statuses", ids=list(ids))}

    def mark(self) -> Mark:
        """Where the queue is at now."""
        return self._typed(Mark, "mark")[0]

    def steps_since(self, mark: Mark) -> list[StepRow]:
        """The steps that were taken since, the oldest first; 100 at most."""
        return self._typed(StepRow, "steps_since", event=mark.event)

    def health(self) -> Health:
        """How the agent is; as if there never was one where TRUNCATE … CASCADE took its row along."""
        rows = self._typed(Health, "health")
        nobody = Health(None, False, False, None, None, None, None, None, None, 0, None)
        return rows[0] if rows else nobody

    def lag(self) -> list[Lag]:
        """Where jobs pile up, in the order of a job's life."""
        return self._typed(Lag, "lag")

    def not_read_back(self) -> list[int]:
        """The newest five jobs that a client has committed and whose document the agent has looked for in vain."""
        return [row["id"] for row in self._rows("not_read_back")]

    def roles(self) -> list[Role]:
        """The client's role and the agent's."""
        return self._typed(Role, "roles")

    def listen(self) -> None:
        """From now on `wait` ends early when a job changes."""
        self.connection.execute("LISTEN scan_jobs")

    def wait(self, seconds: float) -> None:
        """Wait until a job changes, or so many seconds. Only a hint: look at the rows either way."""
        for _ in self.connection.notifies(timeout=seconds, stop_after=1):
            pass

    def _rows(self, name: str, **values: object) -> list[dict[str, Any]]:
        return self.connection.execute(self._queries[name], values).fetchall()

    def _typed(self, row: type[_Row], name: str, **values: object) -> list[_Row]:
        with self.connection.cursor(row_factory=class_row(row)) as cursor:
            return cursor.execute(self._queries[name], values).fetchall()


def _values(which: Which | None) -> dict[str, object]:
    which = which or Which()
    statuses = None if which.statuses is None else list(which.statuses)
    return {"statuses": statuses, "title": which.title, "since": which.since, "ago": which.ago}
