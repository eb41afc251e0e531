"""What the agent reads of the queue at one look, as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scand.jobs.lifecycle import Status
from scand.jobs.rows import BatchRow, BatchStatus, Job, UnreadDocument

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scand.jobs.rows import StaleFile

MOST_BATCHES = 10_000
"""Batches of one job that a look reads: each look costs what they cost. A job with more fails."""


@dataclass(frozen=True, slots=True)
class Rows:
    """What one look at the queue finds.

    Attributes:
        epoch: of the daemon that leads now.
        job: the active one, or None.
        queued: whether another waits to be scanned.
        held: whether one waits since the feeder may hold another's paper.
        waiting: the oldest that does not, as id and settings; only where that was asked for.
        delivery: the oldest parked job that goes on by itself, as id and `resumes_in`.
        overdue: a parked job that has waited for too long, likewise.
        stale: a file on the NAS that its job does not want any more.
        unread: a document that a client has committed, and that the agent has yet to read back.
        former: the status now of the job that was active at the look before; None: there was none, or its row is
            gone.
        former_path: that job's `inbox_path`.
        restored: the agent's row was missing; this session has made it again, and leads on.
    """

    epoch: int
    job: Job | None
    queued: bool
    stale: StaleFile | None
    unread: UnreadDocument | None = None
    former: str | None = None
    former_path: str | None = None
    restored: bool = False
    held: bool = False
    waiting: tuple[int, Any] | None = None
    delivery: tuple[int, Status] | None = None
    overdue: tuple[int, Status] | None = None


def job_of(row: Mapping[str, Any]) -> Job:
    """The active job, from a row of the look."""
    return Job(
        id=row["id"],
        title=row["title"],
        settings=row["settings"],
        status=Status(row["status"]),
        created_at=row["created_at"],
        page_count=row["page_count"],
        staging_path=row["staging_path"],
        nas_staging_path=row["nas_staging_path"],
        inbox_path=row["inbox_path"],
        file_hash=row["file_hash"],
        error=row["error"],
        error_code=row["error_code"],
        attempts=row["attempts"],
        idle=row["idle"],
        wait=row["wait"],
        entered=row["entered"] or 0,
        entered_from=row["entered_from"],
        by_step=row["by_step"],
        assembled=row["assembled"],
        taken_back=bool(row["taken_back"]),
        withdraw=row["withdraw"],
        stay=row["stay"] or 0,
        reopened=row["reopened"],
        batches=tuple(_batch(batch) for batch in row["batches"] or ()),
        listed={int(seq): pages for seq, pages in (row["listed"] or {}).items()},
    )


def parked_job(row: Mapping[str, Any] | None) -> tuple[int, Status] | None:
    """Id and `resumes_in` of a parked job, from a row of the look."""
    return (row["id"], Status(row["resumes_in"])) if row else None


def unread_document(row: Mapping[str, Any]) -> UnreadDocument:
    """A document to read back, from a row of the look; without path or hash there is nothing to be found."""
    return UnreadDocument(
        row["id"], row["inbox_path"], row["file_hash"], row["nas_staging_path"], row["attempts"]
    )


def _batch(row: Mapping[str, Any]) -> BatchRow:
    # A status of a program that was here before scand is not 'scanned': it stays out of the merge.
    kept = row["status"] == BatchStatus.SCANNED
    status = BatchStatus.SCANNED if kept else BatchStatus.DISCARDED
    return BatchRow(**{**row, "status": status})
