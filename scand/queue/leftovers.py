"""Jobs that are over, and what the rows say of their files on the local disk.

The row lets go first, then the files go: `agent.retention` has the order.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from scand.decide.actions import ReadBack
    from scand.queue.results import AgentQueue


def deleted(queue: AgentQueue, jobs: str, keep: float) -> list[tuple[int, datetime]]:
    """Jobs that were deleted `keep` seconds ago and may have files on disk: id and creation time; 100 at most.

    Args:
        jobs: the absolute directory below which each job had one of its own.
        keep: seconds.
    """
    rows = queue.run("deleted", jobs=jobs, keep=keep)
    return [(row["job_id"], row["created_at"]) for row in rows]


def forget_deleted(queue: AgentQueue, ids: Sequence[int]) -> None:
    """Nothing of these deleted jobs is on disk any more."""
    queue.run("forget_deleted", ids=list(ids))


def expire(
    queue: AgentQueue, jobs: str, keep: float, *, spare: Sequence[int] = (), not_read_back: bool = False
) -> list[int]:
    """Let go of the files of jobs that have been over for `keep` seconds, as far as the rows go.

    Of the committed ones only those whose document the agent has read back. A canceled job's batches cannot be
    kept any more; a committed one's are history.

    Args:
        spare: jobs that are left alone.
        not_read_back: also those whose document the agent has looked for in vain.

    Returns:
        Which they were; 100 at most.
    """
    with queue.connection.transaction():
        queue.run("restart_keep", jobs=jobs)
        rows = queue.run("expire", jobs=jobs, keep=keep, spare=list(spare), not_read_back=not_read_back)
        ids = [row["id"] for row in rows]
        queue.run("expire_batches", ids=ids)
        queue.run("expire_pages", ids=ids)
    return ids


@contextmanager
def let_go(queue: AgentQueue, ids: Sequence[int]) -> Iterator[list[tuple[int, datetime]]]:
    """Of these jobs those that have no files any more, as far as the rows go: id and creation time.

    Until the end of the block nobody changes their rows: no client queues them again, no daemon claims them.
    """
    with queue.connection.transaction():
        yield [(row["id"], row["created_at"]) for row in queue.run("let_go", ids=ids)]


def jobs_of(queue: AgentQueue, ids: Sequence[int]) -> dict[int, tuple[datetime, str]]:
    """Those of the jobs that there are: id → creation time and status."""
    return {row["id"]: (row["created_at"], row["status"]) for row in queue.run("jobs_of", ids=ids)}


@contextmanager
def at_rest(queue: AgentQueue) -> Iterator[None]:
    """Until the end of the block no job is made, none takes a step. For some milliseconds only."""
    with queue.as_client():
        queue.connection.execute("LOCK TABLE scan_jobs IN SHARE MODE")
        yield


def read_back(queue: AgentQueue, outcome: ReadBack) -> bool:
    """What became of looking for a document that a client has committed."""
    return bool(
        queue.run(
            "read_back",
            id=outcome.job_id,
            found=outcome.found,
            error=outcome.error,
            code=outcome.code,
            attempts=outcome.attempts,
            seconds=outcome.seconds,
        )
    )
