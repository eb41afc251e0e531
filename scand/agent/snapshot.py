"""Reads the rows and the job's directory on local disk together: the `Snapshot` that deciding goes by."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from scand.agent import retention
from scand.agent.tasks import staged_place
from scand.decide.state import ParkedJob, Snapshot, WaitingJob
from scand.errors import ScandError
from scand.faults import ErrorCode
from scand.jobs.lifecycle import Status
from scand.queue.agent_rows import MOST_BATCHES
from scand.spool.disk import disk_errors
from scand.spool.records import End

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from scand.config import Config
    from scand.jobs.rows import Job
    from scand.jobs.settings import Settings
    from scand.queue.agent_rows import Rows
    from scand.spool.directories import Spool
    from scand.spool.records import PaperLeft, SpooledBatch


class Spooled(NamedTuple):
    """What the disk holds of a job beyond the rows.

    Attributes:
        unrecorded: batches that the database does not know yet, in order.
        last: the highest batch number, recorded or on disk; 0: there is none.
        trouble: why the directory cannot be read or written; None: it can.
        aside: where another job's directory now is that had this job's number; None: there was none.
    """

    unrecorded: tuple[SpooledBatch, ...] = ()
    last: int = 0
    trouble: ScandError | None = None
    aside: Path | None = None


def snapshot(
    rows: Rows,
    spooled: Spooled,
    paper: PaperLeft | None,
    config: Config,
    installation: str,
    delivery: ParkedJob | None = None,
) -> Snapshot:
    """Put together what was read."""
    found = Snapshot(
        queued=rows.queued,
        held=rows.held,
        paper=paper,
        waiting=rows.waiting and WaitingJob(rows.waiting[0], _resolved(rows.waiting[1], config)),
        delivery=delivery,
        overdue=rows.overdue and ParkedJob(*rows.overdue),
        stale=rows.stale,
        unread=rows.unread,
        former=rows.former,
        former_path=rows.former_path,
    )
    if rows.job is None:
        return found
    return replace(
        found,
        job=rows.job,
        settings=settings_of(rows.job, config),
        unrecorded=spooled.unrecorded,
        next_seq=spooled.last + 1,
        trouble=spooled.trouble,
        place=staged_place(rows.job, config, installation),
    )


def next_delivery(rows: Rows, spool: Spool) -> ParkedJob | None:
    """The parked job that is delivered next. One whose merge is on the NAS already needs no room there."""
    if rows.delivery is None:
        return None
    job_id, resumes_in = rows.delivery
    room = spool.existing(job_id).merge_size() if resumes_in is Status.ASSEMBLING else 0
    return ParkedJob(job_id, resumes_in, room)


def read_spool(job: Job, spool: Spool, installation: str, refusal: ScandError | None = None) -> Spooled:
    """Read a job's directory, which is made if need be.

    Args:
        installation: the id of the database that the job is in.
        refusal: why the last write to the directory failed: then it is not read.
    """
    recorded, aside = {batch.seq for batch in job.batches}, None
    if len(recorded) > MOST_BATCHES:
        why = f"This job has more than {MOST_BATCHES} batches: cancel it, and scan in smaller jobs."
        return Spooled(last=max(recorded), trouble=ScandError(why))
    if refusal is not None:
        return Spooled(last=max(recorded, default=0), trouble=refusal)
    try:
        with disk_errors():
            directory, aside = spool.job(retention.record(job.id, job.created_at, installation))
            unrecorded, last = directory.look(recorded)
    except ScandError as error:
        return Spooled(last=max(recorded, default=0), trouble=error, aside=aside)
    return Spooled(tuple(unrecorded), last, aside=aside)


def canceled_batches(
    jobs: Iterable[tuple[int, datetime, list[int]]], spool: Spool, installation: str
) -> Iterator[tuple[int, SpooledBatch]]:
    """What canceled jobs have on disk and not in the database, each with its job's id.

    Nobody scans them any more: a batch without end.json gets one, and one without a page goes.

    Args:
        jobs: id, created_at and the batches that have rows.

    Raises:
        OSError: the disk cannot be read or written.
        pydantic.ValidationError: a file is damaged.
    """
    for job_id, created, recorded in jobs:
        directory = spool.existing(job_id)
        if directory.record() != retention.record(job_id, created, installation):
            continue  # another job's pages
        unrecorded, _last = directory.look(recorded)
        for batch in unrecorded:
            place = directory.batch(batch.seq)
            if batch.captured == 0:
                place.drop()
                continue
            if batch.end is None:
                place.finish(End(code=ErrorCode.CANCELED))
            yield job_id, batch


def settings_of(job: Job, config: Config) -> Settings | ScandError:
    """The job's settings by the config as it is now; or why they cannot be used."""
    return _resolved(job.settings, config)


def _resolved(settings: Mapping[str, Any], config: Config) -> Settings | ScandError:
    try:
        return config.settings(settings)
    except ScandError as error:
        return error
