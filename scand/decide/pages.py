"""Rows of pages: written while the batch runs, complete when it is recorded, compared with the disk once.

They are a copy of what is on disk. How many there are is read with the job, so that nothing has to be remembered
here, and a database that was away, or is an older one, gets what it lacks.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from scand.decide.actions import RepairPages, WritePages
from scand.decide.timeouts import PAGES_AT_ONCE, PAGES_EVERY
from scand.jobs.lifecycle import Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scand.decide.actions import Action
    from scand.decide.decision import Decision
    from scand.decide.state import State
    from scand.jobs.rows import Job
    from scand.spool.records import SpooledBatch


def behind(job: Job, batch: SpooledBatch) -> bool:
    """Whether so many pages of an ended batch have no row that they are written before it is recorded."""
    return batch.captured - job.listed.get(batch.seq, 0) > PAGES_AT_ONCE


def pages_due(state: State) -> float:
    """When pages of the running batch are next to be written, `monotonic()` seconds; inf: all of them are."""
    job, run = state.snapshot.job, state.feeder and state.feeder.run
    if not (state.serving and job and run and run.job_id == job.id and job.status is Status.SCANNING):
        return float("inf")
    return state.pages_written + PAGES_EVERY if run.captured > job.listed.get(run.seq, 0) else float("inf")


def list_pages(decision: Decision, job: Job) -> Iterator[Action]:
    """Write rows of pages that have none: at intervals while the batch runs, at once when it has ended."""
    state, now = decision.state, decision.now
    run = state.feeder and state.feeder.run
    if run and now >= pages_due(state):
        decision.state = replace(state, pages_written=now)
        yield _write(decision, job, run.seq, run.captured)
    elif run is None and state.snapshot.unrecorded:
        batch = state.snapshot.unrecorded[0]
        if batch.end is not None and batch.captured > job.listed.get(batch.seq, 0):
            yield _write(decision, job, batch.seq, batch.captured)
    elif job.status is Status.READY and job.batches and state.pages_repaired != job.id:
        decision.state = replace(state, pages_repaired=job.id)
        yield decision.write(RepairPages(job))


def _write(decision: Decision, job: Job, seq: int, captured: int) -> Action:
    after = job.listed.get(seq, 0)
    upto = min(captured, after + PAGES_AT_ONCE)
    return decision.write(WritePages(job.id, job.status, seq, after, upto))
