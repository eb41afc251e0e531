"""What a client reads of the queue: rows of its tables and views, as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from scand.jobs.rows import BatchStatus

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class JobRow:
    """A row of `scan_jobs`; what the columns mean is in docs/database.md.

    Attributes:
        settings: whatever JSON a client has put there.
        status: a string, since rows from before scand's time may hold another than `Status` knows.
        steps: raised by one with every step and every change of a batch.
        left_out: pages of the discarded batches that ended in a fault.
        seen_at: the database's clock when the row was read: ages are differences to it.
        resumes_in: of a parked job: the status in which it goes on.
        withdraw: what is wanted of a job whose document may be in the Inbox: 'preview' or 'failed'.
    """

    id: int
    title: str
    settings: Any
    status: str
    steps: int
    batch_count: int
    page_count: int | None
    pages_scanned: int | None
    staging_path: str | None
    nas_staging_path: str | None
    inbox_path: str | None
    file_hash: str | None
    read_back: bool | None
    doc_id: int | None
    left_out: int
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
    resumes_in: str | None = None
    withdraw: str | None = None

    @property
    def stage(self) -> str:
        """The status, or that in which a parked job goes on: commands work on it as if it were there."""
        return self.resumes_in or self.status

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
    answered: bool = True
    error: str | None = None

    @property
    def seq(self) -> int:
        """`batch_seq`, by the name that it has in the agent's row."""
        return self.batch_seq

    @property
    def kept(self) -> bool:
        """Whether the batch goes into the merge."""
        return self.status == BatchStatus.SCANNED


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
    """A row of `scan_queue_lag`; `oldest_seconds` is None where no job is, `parked` is how many are parked."""

    status: str
    jobs: int
    oldest_seconds: float | None
    parked: int = 0


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


@dataclass(frozen=True, slots=True)
class Mark:
    """The newest job and the newest step, by id; 0: none."""

    job: int
    event: int


@dataclass(frozen=True, slots=True)
class StepRow:
    """A step of some job."""

    job_id: int
    actor: str
    from_status: str | None
    to_status: str
    error_code: str | None


@dataclass(frozen=True, slots=True)
class Which:
    """Which jobs are meant; None: of all.

    Attributes:
        statuses: "parked" among them: parked jobs, which are queued as well.
        title: a text that the title contains, in whatever case.
        since: made then or later.
        ago: made at most so many seconds ago, on the database's clock.
    """

    statuses: Collection[str] | None = None
    title: str | None = None
    since: datetime | None = None
    ago: float | None = None


class Unfinished(NamedTuple):
    """A job that is not over; `resumes_in` as in `JobRow`."""

    id: int
    status: str
    resumes_in: str | None = None


class Stepped(NamedTuple):
    """What has become of a job by a client's step; the columns as in `JobRow`."""

    status: str
    resumes_in: str | None = None
    withdraw: str | None = None

    @property
    def stage(self) -> str:
        """As in `JobRow`."""
        return self.resumes_in or self.status


class Edits(NamedTuple):
    """How many pages of a job a client has edited; `kept`: that the settings would leave out."""

    dropped: int = 0
    kept: int = 0
    turned: int = 0
    moved: int = 0

    def __str__(self) -> str:
        """For people: "1 page dropped, 2 turned"; "" where nothing is edited."""
        said = [f"{count} {name}" for name, count in self._asdict().items() if count]
        if said:
            count, name = said[0].split()
            said[0] = f"{count} {'page' if count == '1' else 'pages'} {name}"
        return ", ".join(said)


class JobView(NamedTuple):
    """A job with all that hangs on it."""

    job: JobRow
    batches: list[BatchRow]
    events: list[EventRow]
    edits: Edits = Edits()
