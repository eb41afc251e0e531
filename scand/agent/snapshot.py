"""Reads the rows and the job's directory on local disk together: the `Snapshot` that deciding goes by."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from scand.agent import retention
from scand.agent.tasks import staged_place
from scand.decide.state import Snapshot
from scand.errors import ScandError
from scand.queue.agent_rows import MOST_BATCHES
from scand.spool.disk import disk_errors

if TYPE_CHECKING:
    from pathlib import Path

    from scand.config import Config
    from scand.jobs.rows import Job
    from scand.jobs.settings import Settings
    from scand.queue.agent_rows import Rows
    from scand.spool.directories import Spool
    from scand.spool.records import SpooledBatch


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


def snapshot(rows: Rows, spooled: Spooled, config: Config, installation: str) -> Snapshot:
    """Put together what was read."""
    found = Snapshot(
        queued=rows.queued,
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


def settings_of(job: Job, config: Config) -> Settings | ScandError:
    """The job's settings by the config as it is now; or why they cannot be used."""
    try:
        return config.settings(job.settings)
    except ScandError as error:
        return error
