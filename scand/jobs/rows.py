"""The rows of the queue, of jobs, batches and pages, as the agent and the command line read them."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from scand.jobs.answers import unanswered

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from scand.jobs.lifecycle import Status


OF_SIGNAL = "x_signal"
"""The key of `settings` by which a job says that the signal has made it; keys with x_ mean nothing to settings."""


class BatchStatus(StrEnum):
    """`scan_job_batches.status`."""

    SCANNED = "scanned"  # kept: goes into the merge
    DISCARDED = "discarded"  # stays on disk, out of the merge


@dataclass(frozen=True, slots=True)
class BatchRow:
    """A row of `scan_job_batches`.

    Attributes:
        seq: position in the merge, from 1.
        staging_path: absolute path of the batch's PDF on the agent's host; None if it has none.
        page_count: pages of that PDF; None in a row from before scand.
        status: whether the batch is kept.
        error_code: the fault that ended the batch, or None.
        file_hash: SHA-256 of the PDF, 64 hex digits; None in a row from before scand.
        answered: whether nobody has to say any more what becomes of its pages (see `jobs.answers`).
        error: the sentence about the fault that ended it, as long as it is not answered.
    """

    seq: int
    staging_path: str | None
    page_count: int | None
    status: BatchStatus
    error_code: str | None = None
    file_hash: str | None = None
    answered: bool = True
    error: str | None = None

    @property
    def kept(self) -> bool:
        """Whether the batch goes into the merge."""
        return self.status is BatchStatus.SCANNED

    @property
    def label(self) -> str:
        """The batch's name for people: "Batch 2"."""
        return f"Batch {self.seq}"


class Choice(StrEnum):
    """`scan_job_pages.choice`; NULL there: as the settings say."""

    KEPT = "kept"  # goes into the merge, though it is blank
    DROPPED = "dropped"  # stays out of the merge, and on disk


_BATCH_KEYS = 10_000
"""Between the places of two batches: 10,000 · batch_seq + page. A batch has no more pages."""


@dataclass(frozen=True, slots=True)
class PageRow:
    """A row of `scan_job_pages`, without its picture.

    Attributes:
        batch_seq: number of the batch within the job.
        page: number within the batch, as fed, from 1: the line in pages.jsonl.
        sheet: number of the sheet within the batch, from 1.
        side: "front" or "back".
        blank: a blank side, in a job that drops them.
        suspect: its sheet may have hidden another.
        sha256: of the page's file, 64 hex digits.
        choice: what a client wants: a `Choice`, or None.
        turn: degrees clockwise by which a client wants it turned: 0, 90, 180 or 270.
        place: where a client wants it in the order of the merge; None: as fed.
        width_mm, height_mm: size of the page.
        pictured: the row has a picture.
    """

    batch_seq: int
    page: int
    sheet: int
    side: str
    blank: bool
    suspect: bool
    sha256: str
    choice: str | None = None
    turn: int = 0
    place: Decimal | None = None
    width_mm: Decimal = Decimal(0)
    height_mm: Decimal = Decimal(0)
    pictured: bool = False

    @property
    def name(self) -> str:
        """The page's name for people: "2.17"."""
        return f"{self.batch_seq}.{self.page}"

    @property
    def key(self) -> Decimal:
        """By what the merge is ordered; among equals the page that was fed first comes first."""
        return Decimal(_BATCH_KEYS * self.batch_seq + self.page) if self.place is None else self.place


@dataclass(frozen=True, slots=True)
class Job:
    """A row of `scan_jobs`, and what else the agent needs to know of it, all read at the same moment.

    Attributes:
        id: `scan_jobs.id`.
        title: the document's title.
        settings: as the client wrote them; `settings.resolve` checks them.
        status: see `lifecycle`.
        created_at: when the row was made.
        page_count: pages of the merge; None before there is one.
        staging_path: absolute path of the job's directory on the agent's host.
        nas_staging_path: where clients find the merge on the NAS, relative to the NAS root; see `jobs.staged`.
        inbox_path: where the document is, or is going to be, in the Inbox, relative to the NAS root.
        file_hash: SHA-256 of the document, 64 hex digits.
        error: a sentence for a person: what went wrong, and what to do.
        error_code: its `ErrorCode`.
        attempts: failed tries in a row for the reason in `error_code`.
        idle: seconds since `last_activity_at`, by the database's clock; None when that was never set.
        wait: seconds until `next_attempt_at`, by the database's clock; 0 when it is due, or not set.
        entered: id of the event by which the job entered this status. A result of work that was begun under
            another event is not used.
        entered_from: the status before this one.
        by_step: whether a step led to this status. If not, another program wrote the row, and nobody has asked the
            agent for anything.
        assembled: whether the job was ever assembling; the setting `finish` acts only before that.
        taken_back: whether a client took it back while it was parked: it waits for another batch, and begins none
            by itself.
        withdraw: where a job is to go whose document is on its way into the Inbox: preview, to be taken back, or
            failed, to be given up. None: nobody has asked for either.
        stay: id of the job's last step ready → assembling, or preview → assembling; 0: there was none.
        reopened: whether the job ever went from preview back to ready, or to another merge; from then on only
            clients move it on.
        batches: ordered by `batch_seq`.
        listed: number of a batch that is not recorded yet → how many of its pages have rows.
    """

    id: int
    title: str
    settings: dict[str, Any]
    status: Status
    created_at: datetime
    page_count: int | None = None
    staging_path: str | None = None
    nas_staging_path: str | None = None
    inbox_path: str | None = None
    file_hash: str | None = None
    error: str | None = None
    error_code: str | None = None
    attempts: int = 0
    idle: float | None = None
    wait: float = 0.0
    entered: int = 0
    entered_from: str | None = None
    by_step: bool = True
    assembled: bool = False
    taken_back: bool = False
    withdraw: str | None = None
    stay: int = 0
    reopened: bool = False
    batches: tuple[BatchRow, ...] = field(default=())
    listed: Mapping[int, int] = field(default_factory=dict)

    @property
    def of_signal(self) -> bool:
        """Whether the signal made the job, at whose scanner somebody stands."""
        return bool(self.settings.get(OF_SIGNAL))

    @property
    def kept(self) -> tuple[BatchRow, ...]:
        """The batches that go into the merge, in order."""
        return tuple(batch for batch in self.batches if batch.kept)

    @property
    def merged(self) -> tuple[BatchRow, ...]:
        """The kept batches with pages. A batch whose count is None is counted at the merge."""
        return tuple(batch for batch in self.kept if batch.page_count != 0)

    @property
    def clean(self) -> bool:
        """Whether the agent may go on by itself, since no decision of a person is pending.

        A batch that ended in a fault needs one, too, even when a later attempt went well: whoever fed again from
        the sheet that the error named expects its pages in the document, and whoever fed the whole stack does not.
        """
        return self.error_code is None and not unanswered(self.batches)


@dataclass(frozen=True, slots=True)
class StaleFile:
    """A merge that is still staged on the NAS although its job was reopened, canceled or deleted.

    Attributes:
        job_id: `scan_jobs.id`.
        path: what the row says of it, relative to the NAS root.
    """

    job_id: int
    path: str


@dataclass(frozen=True, slots=True)
class UnreadDocument:
    """A document that a client has committed, and that the agent has yet to read back.

    Attributes:
        job_id: `scan_jobs.id`.
        inbox_path: where the client says that it is, relative to the NAS root; None: it does not say (before 0.2).
        sha256: of the merge that was previewed, 64 hex digits; None: unknown (before 0.2).
        nas_staging_path: what the row says of the staged merge.
        attempts: how often it was looked for in vain.
    """

    job_id: int
    inbox_path: str | None
    sha256: str | None
    nas_staging_path: str | None = None
    attempts: int = 0
