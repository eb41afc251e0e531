"""How bytes leave the local disk: the row lets go first, then the directory is renamed, then it is removed.

A kill at any instant leaves a job that has its files and says so, or files that no row owns any more, which the
next look finds again. The daemon goes this road once `staging.keep` is over, and `scand purge` when it is asked
to, also beside a daemon: the rows are locked while a directory is put out of the way.
"""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import UTC
from typing import TYPE_CHECKING, NamedTuple

from scand.jobs.lifecycle import Status
from scand.queue import leftovers
from scand.spool.batches import BEGIN, END, PAGES
from scand.spool.records import JobRecord

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import datetime

    from scand.queue.results import AgentQueue
    from scand.spool.directories import JobDirectory, Spool


class Orphan(NamedTuple):
    """A directory with pages of no job in this database.

    Attributes:
        record: whose it says it is; None: it does not say.
        pages: captured pages.
        size: bytes.
        touched: when something was last written there, seconds since the epoch.
        deleted: its job was deleted from this database; the daemon removes it once `staging.keep` is over.
    """

    directory: JobDirectory
    record: JobRecord | None
    pages: int
    size: int
    touched: float
    deleted: bool


def record(job_id: int, created: datetime, installation: str) -> JobRecord:
    """What job.json says of a row: in UTC, so that it is the same whatever time zone the session has."""
    return JobRecord(id=job_id, created_at=created.astimezone(UTC).isoformat(), database=installation)


def let_go(
    queue: AgentQueue, spool: Spool, keep: float, *, spare: Collection[int] = (), not_read_back: bool = False
) -> list[int]:
    """The rows of jobs that have been over for `keep` seconds own no files any more.

    Args:
        spare, not_read_back: see `leftovers.expire`.

    Returns:
        The jobs; 100 at most.
    """
    return leftovers.expire(queue, str(spool.jobs), keep, spare=sorted(spare), not_read_back=not_read_back)


def put_out_of_the_way(
    queue: AgentQueue, spool: Spool, installation: str, *, spare: Collection[int] = ()
) -> Iterator[int]:
    """Rename the directories that their rows have let go of; the jobs whose they were, one by one.

    Raises:
        OSError: from the disk.
    """
    with leftovers.let_go(queue, [job_id for job_id in spool.ids() if job_id not in spare]) as jobs:
        for job_id, created in jobs:
            if spool.expire(record(job_id, created, installation)):
                yield job_id


def put_deleted_out_of_the_way(
    queue: AgentQueue, spool: Spool, installation: str, keep: float
) -> Iterator[int]:
    """Rename the directories of jobs that were deleted `keep` seconds ago; the jobs whose they were, one by one.

    Raises:
        OSError: from the disk.
    """
    deleted = leftovers.deleted(queue, str(spool.jobs), keep)
    for job_id, created in deleted:
        if spool.expire(record(job_id, created, installation)):
            yield job_id
    if deleted:
        leftovers.forget_deleted(queue, [job_id for job_id, _ in deleted])


def being_written(spool: Spool, quiet: float) -> list[int]:
    """Jobs in whose directory a batch may be under way: the feeder of a job that was just canceled still writes.

    Args:
        quiet: seconds without a new file after which nobody writes any more.
    """
    found = ((job_id, spool.existing(job_id)) for job_id in spool.ids())
    return [job_id for job_id, place in found if _under_way(place) and not _at_rest(place, quiet)]


def orphans(queue: AgentQueue, spool: Spool, installation: str) -> list[Orphan]:
    """Directories with pages that belong to no job of this database: restored, replaced or deleted rows'."""
    deleted = [record(*job, installation) for job in leftovers.deleted(queue, str(spool.jobs), 0.0)]
    return [
        Orphan(place, whose, _pages(place), place.size(), _touched(place), whose in deleted)
        for place, whose in ((directory, directory.record()) for directory in spool.all())
        if _nobodys(queue, place, installation)
    ]


def retire(queue: AgentQueue, spool: Spool, orphan: Orphan, installation: str, quiet: float) -> bool:
    """Put an orphan out of the way, if it still is what was looked at; nothing takes a step meanwhile.

    Args:
        quiet: as for `being_written`: a job may have been deleted under its feeder's hands.
    """
    directory = orphan.directory
    with leftovers.at_rest(queue):
        same = directory.path.exists() and directory.record() == orphan.record
        written = _under_way(directory) and not _at_rest(directory, quiet)
        if not same or written or not _nobodys(queue, directory, installation):
            return False
        spool.retire(directory)
    return True


def _nobodys(queue: AgentQueue, directory: JobDirectory, installation: str) -> bool:
    name, said = directory.path.name, directory.record()
    number = int(name.partition(".")[0]) if name.partition(".")[0].isdecimal() else 0
    rows = leftovers.jobs_of(queue, [number, *([said.id] if said else [])])
    if said and said.id in rows and said == record(said.id, rows[said.id][0], installation):
        return False
    if name.isdecimal() and number in rows:
        status = rows[number][1]
        return status in set(Status) and not Status(status).active  # else the daemon is about to put it aside
    return True


def _pages(directory: JobDirectory) -> int:
    """Pages that were captured, as far as their records can be read."""
    lines = 0
    for path in directory.path.glob(f"batch-*/{PAGES}"):
        with suppress(OSError):
            lines += path.read_bytes().count(b"\n")
    return lines


def _touched(directory: JobDirectory) -> float:
    """When something was last written there, seconds since the epoch."""
    path, latest = directory.path, 0.0
    for found in [path, *path.glob("*"), *path.glob("batch-*/*")]:
        with suppress(FileNotFoundError):
            latest = max(latest, found.stat().st_mtime)
    return latest


def _at_rest(directory: JobDirectory, quiet: float) -> bool:
    """Whether nothing was written there for `quiet` seconds; a time far in the future is long ago."""
    return abs(time.time() - _touched(directory)) >= quiet


def _under_way(directory: JobDirectory) -> bool:
    """Whether a batch has begun there and not ended: it runs, or whoever ran it was killed."""
    begun = {path.parent for path in directory.path.glob(f"batch-*/{BEGIN}")}
    return any(not (batch / END).exists() for batch in begun)
