"""Jobs that wait: parked, or since the feeder may hold another's paper; and what canceled jobs left on disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scand.decide.sentences import in_batch
from scand.faults import ErrorCode
from scand.jobs.lifecycle import Status
from scand.queue import pages
from scand.spool.records import End

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from scand.decide.actions import GiveUp, Park
    from scand.queue.results import AgentQueue
    from scand.spool.records import SpooledBatch, SpooledPage


def hold(queue: AgentQueue, job_id: int, status: Status, error: str) -> bool:
    """The job waits for a person, who is told so by `error`."""
    return bool(queue.run("hold", id=job_id, status=status, error=error))


def park(queue: AgentQueue, park: Park) -> bool:
    """A job that only waits gives way."""
    return bool(
        queue.run(
            "park",
            id=park.job_id,
            status=park.status,
            entered=park.entered,
            idle=park.hold,
            error=park.error,
            code=park.code,
        )
    )


def give_up(queue: AgentQueue, parked: GiveUp) -> bool:
    """A parked job that has waited for too long fails."""
    return bool(
        queue.run(
            "give_up",
            id=parked.job_id,
            resumes_in=parked.resumes_in,
            preview_timeout=parked.preview_timeout,
            error=parked.error,
            code=parked.code,
        )
    )


def let_wait(queue: AgentQueue) -> bool:
    """Nothing holds the jobs in the queue up any more but their turn."""
    return bool(queue.run("let_wait"))


def canceled(queue: AgentQueue, ids: Sequence[int]) -> list[tuple[int, datetime, list[int]]]:
    """Of these jobs those that are canceled: id, created_at, and the numbers of the batches that have rows."""
    return [(row["id"], row["created_at"], row["batches"]) for row in queue.run("canceled", ids=list(ids))]


def record_canceled(
    queue: AgentQueue, job_id: int, batch: SpooledBatch, found: Iterable[SpooledPage]
) -> bool:
    """What was scanned of a batch before its job was canceled, with its pages; False: it has a row already."""
    end = batch.end or End(code=ErrorCode.CANCELED)
    values = {
        "seq": batch.seq,
        "pages": batch.bindable,
        "blank": batch.blank,
        "code": end.code,
        "fault": in_batch(job_id, batch, end, [], kept=False),
    }
    with queue.connection.transaction():
        done = bool(queue.run("record_canceled", id=job_id, **values))
        pages.write(queue, job_id, Status.CANCELED, found)
    return done
