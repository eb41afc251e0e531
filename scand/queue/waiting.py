"""Jobs that wait since the feeder may hold another's paper, and what canceled jobs have left on disk."""

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

    from scand.queue.results import AgentQueue
    from scand.spool.records import SpooledBatch, SpooledPage


def hold(queue: AgentQueue, job_id: int, status: Status, error: str) -> bool:
    """The job waits for a person, who is told so by `error`."""
    return bool(queue.run("hold", id=job_id, status=status, error=error))


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
