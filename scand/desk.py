"""The queue as a client sees it: writes intents, reads rows. A method a query; the agent has `store`.

There is nothing here that a web application could not do with the same statements (`sql/desk.sql`).
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import psycopg
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from scand import queries
from scand.database import connect, take_role
from scand.errors import BadData
from scand.jobs import BatchStatus, Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime
    from typing import Self

    from scand.database import Connection

_REFUSED = frozenset({"SD001", "SD002"})
"""The triggers' own SQLSTATEs: not a step of the table; not while the job is like this."""

_Row = TypeVar("_Row")


@dataclass(frozen=True, slots=True)
class JobRow:
    """A row of `scan_jobs`; what the columns mean is told in `sql/migrations`.

    Attributes:
        settings: whatever JSON a client has put there.
        status: a string, since rows from before scand's time may hold another than `Status` knows.
        seen_at: the database's clock when the row was read: ages are differences to it.
    """

    id: int
    title: str
    settings: Any
    status: str
    batch_count: int
    page_count: int | None
    pages_scanned: int | None
    staging_path: str | None
    nas_staging_path: str | None
    inbox_path: str | None
    file_hash: str | None
    doc_id: int | None
    error: str | None
    error_code: str | None
    attempts: int
    next_attempt_at: datetime | None
    last_activity_at: datetime | None
    last_progress_at: datetime | None
    step: str | None
    step_done: int | None
    step_total: int | None
    step_since: datetime | None
    created_at: datetime
    updated_at: datetime
    seen_at: datetime

    def setting(self, key: str) -> Any:
        """What the job itself says of one of its settings; None: nothing."""
        return self.settings.get(key) if isinstance(self.settings, dict) else None


@dataclass(frozen=True, slots=True)
class BatchRow:
    """A row of `scan_job_batches`."""

    batch_seq: int
    status: str
    page_count: int | None
    blank_count: int | None
    staging_path: str | None
    error_code: str | None
    file_hash: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class EventRow:
    """A row of `scan_job_events`: one step. `from_status` is None for the first."""

    at: datetime
    actor: str
    from_status: str | None
    to_status: str
    error_code: str | None


@dataclass(frozen=True, slots=True)
class Health:
    """The row of `scan_agent_health`. `heartbeat_age_seconds` is None before the first agent ever ran."""

    heartbeat_age_seconds: float | None
    alive: bool
    ready: bool
    state: str | None
    current_job_id: int | None
    device: str | None
    hostname: str | None
    pid: int | None
    agent_version: str | None
    epoch: int
    started_at: datetime | None


@dataclass(frozen=True, slots=True)
class Lag:
    """A row of `scan_queue_lag`; `oldest_seconds` is None where no job is."""

    status: str
    jobs: int
    oldest_seconds: float | None


@dataclass(frozen=True, slots=True)
class Role:
    """A role of `sql/roles.sql`.

    Attributes:
        granted: it has its rights in this database.
        member: this login is in it.
        direct: this login may write the tables without it, as their owner.
    """

    name: str
    granted: bool
    member: bool
    direct: bool


class JobView(NamedTuple):
    """A job with all that hangs on it."""

    job: JobRow
    batches: list[BatchRow]
    events: list[EventRow]


class Desk:
    """One client's session with the queue; a context manager that closes it.

    Args:
        connection: see `database.connect`; the desk owns it.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._queries = queries.load("desk.sql")

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
        """A new job's id."""
        status = Status.DRAFT if draft else Status.QUEUED
        rows = self._rows("submit", title=title, settings=Jsonb(dict(settings)), status=status)
        return int(rows[0]["id"])

    def step(self, job_id: int, expected: str, to: Status) -> bool:
        """Take a job from one status to another; False when it is not, or no longer, in the expected one.

        Raises:
            BadData: that is not a step, or not a client's; the sentence is the database's own.
        """
        with _refusals():
            return bool(self._rows("step", id=job_id, from_status=expected, to_status=to))

    def discard(self, job_id: int, seq: int) -> bool:
        """Keep a batch out of the merge; False when there is no such batch.

        Raises:
            BadData: the job is not ready.
        """
        return self._set_batch(job_id, seq, BatchStatus.DISCARDED)

    def restore(self, job_id: int, seq: int) -> bool:
        """Take a discarded batch into the merge again; as `discard`."""
        return self._set_batch(job_id, seq, BatchStatus.SCANNED)

    def _set_batch(self, job_id: int, seq: int, status: BatchStatus) -> bool:
        with _refusals():
            return bool(self._rows("set_batch", id=job_id, seq=seq, status=status))

    # Rows.

    def unfinished(self) -> list[tuple[int, str]]:
        """Id and status of jobs that are not over: the active one, then the longest waiting; 1,000 at most."""
        return [(row["id"], row["status"]) for row in self._rows("unfinished")]

    def jobs(self, statuses: Sequence[str] | None = None, limit: int = 20) -> list[JobRow]:
        """The newest jobs first; None: whatever their status."""
        wanted = list(statuses) if statuses is not None else None
        return self._typed(JobRow, "jobs", id=None, statuses=wanted, limit=limit)

    def job(self, job_id: int) -> JobRow:
        """One job.

        Raises:
            BadData: there is none with this id.
        """
        rows = self._typed(JobRow, "jobs", id=job_id, statuses=None, limit=1)
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
        )

    def statuses(self, ids: Sequence[int]) -> dict[int, str]:
        """The statuses of those of the jobs that there are."""
        return {row["id"]: row["status"] for row in self._rows("statuses", ids=list(ids))}

    def health(self) -> Health:
        """How the agent is."""
        return self._typed(Health, "health")[0]

    def lag(self) -> list[Lag]:
        """Where jobs pile up, in the order of a job's life."""
        return self._typed(Lag, "lag")

    def roles(self) -> list[Role]:
        """The client's role and the agent's."""
        return self._typed(Role, "roles")

    def listen(self) -> None:
        """From now on `wait` ends early when a job takes a step."""
        self.connection.execute("LISTEN scan_jobs")

    def wait(self, seconds: float) -> None:
        """Until a job takes a step, or so long. Only a hint: look at the rows either way."""
        for _ in self.connection.notifies(timeout=seconds, stop_after=1):
            pass

    def _rows(self, name: str, **values: object) -> list[dict[str, Any]]:
        return self.connection.execute(self._queries[name], values).fetchall()

    def _typed(self, row: type[_Row], name: str, **values: object) -> list[_Row]:
        with self.connection.cursor(row_factory=class_row(row)) as cursor:
            return cursor.execute(self._queries[name], values).fetchall()


@contextmanager
def _refusals() -> Iterator[None]:
    """What the triggers refuse, as a refusal of ours: their sentence, and their hint behind it."""
    try:
        yield
    except psycopg.Error as error:
        if error.sqlstate not in _REFUSED:
            raise
        sentences = (error.diag.message_primary, error.diag.message_hint)
        raise BadData(". ".join(text.rstrip(".") for text in sentences if text) + ".") from error
