"""One decision: first the children, then the job by its status, then what there is to do besides."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from scand.decide.actions import Action, Exit, LookAgain, MakeManualJob, Progress, RecordCanceled, RefuseScan
from scand.decide.decision import Decision
from scand.decide.delivering import assembling, committing, preview
from scand.decide.housekeeping import (
    check_for_parked,
    check_scanner_and_nas,
    read_back,
    sweep,
    unstage,
)
from scand.decide.occurrences import Occurrence, Tick
from scand.decide.pages import list_pages
from scand.decide.parking import given_up, waits_to_be_parked
from scand.decide.scanning import ready, scanning
from scand.decide.state import State, Task
from scand.decide.supervise import finish_run, kill_hung, stop_unwanted
from scand.decide.timeouts import PROGRESS_EVERY, SCAN_ASKED_FOR
from scand.decide.turns import next_job
from scand.decide.update import update
from scand.faults import ErrorCode
from scand.jobs.lifecycle import Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scand.errors import ScandError
    from scand.jobs.rows import Job


_ON_DISK = frozenset({Status.READY, Status.SCANNING, Status.ASSEMBLING})
"""The statuses in which a job needs its directory on local disk."""


def decide(state: State, occurrence: Occurrence, now: float) -> tuple[State, list[Action]]:
    """Decide what to do after an occurrence.

    Args:
        state: what was known before.
        occurrence: what has happened.
        now: `monotonic()` seconds.

    Returns:
        The next state, and the actions in order.
    """
    state, first = update(state, occurrence, now)
    if isinstance(occurrence, Tick):
        state, kills = kill_hung(state, min(now, occurrence.listened))
        first += kills
    decision = Decision(state, now)
    actions = [*first, *_actions(decision)]
    return decision.state, actions


def _actions(decision: Decision) -> Iterator[Action]:
    if not decision.state.serving:
        yield from _without_database(decision)
    elif not decision.state.fresh:
        yield LookAgain(decision.state.unstage_failed)
    else:
        yield from _with_snapshot(decision)


def _without_database(decision: Decision) -> Iterator[Action]:
    if decision.state.stopping:
        yield from decision.take(finish_run(decision.state, decision.now))
        if not (decision.state.feeder and decision.state.feeder.run):
            yield Exit()
    elif decision.state.scan_asked is not None and decision.now - decision.state.scan_asked > SCAN_ASKED_FOR:
        decision.state = replace(decision.state, scan_asked=None)
        yield RefuseScan(None)


def _with_snapshot(decision: Decision) -> Iterator[Action]:
    job = decision.state.snapshot.job
    if job and _signal_is_vain(decision, job):
        decision.state = replace(decision.state, scan_asked=None)
        yield RefuseScan(job.status)
    yield from decision.take(stop_unwanted(decision.state, decision.now))
    canceled = decision.state.canceled
    if canceled is not None and not (decision.state.feeder and decision.state.feeder.run):
        yield decision.write(RecordCanceled(canceled))
    elif (overdue := decision.state.snapshot.overdue) is not None:
        yield decision.write(given_up(overdue, decision.state.limits))
    elif job is None:
        yield from _idle(decision)
    elif (trouble := decision.state.snapshot.trouble) and job.status in _ON_DISK:
        yield from _disk_trouble(decision, job, trouble)
    elif job.status is Status.READY:
        yield from ready(decision, job)
    elif job.status is Status.SCANNING:
        yield from scanning(decision, job)
    elif job.status is Status.ASSEMBLING:
        yield from assembling(decision, job)
    elif job.status is Status.PREVIEW:
        yield from preview(decision, job)
    elif job.status is Status.COMMITTING:
        yield from committing(decision, job)
    if decision.state.fresh and decision.state.stopping:
        yield from _stop(decision)
    if decision.state.fresh:  # last: if one fails, no other action is lost
        yield from _progress(decision, job)
    if decision.state.fresh and job is not None:
        yield from list_pages(decision, job)
        if job.status in {Status.READY, Status.SCANNING} and not decision.state.snapshot.unrecorded:
            yield from decision.take(check_for_parked(decision.state, decision.now))


def _signal_is_vain(decision: Decision, job: Job) -> bool:
    """Whether a signal "scan now" finds a job that keeps the scanner, and for longer than anybody waits for it."""
    asked = decision.state.scan_asked
    if asked is None or job.status is Status.READY:
        return False
    return decision.now - asked > SCAN_ASKED_FOR or not waits_to_be_parked(decision.state, job)


def _disk_trouble(decision: Decision, job: Job, trouble: ScandError) -> Iterator[Action]:
    """The job's directory cannot be read or written: begin nothing else."""
    if decision.state.feeder and decision.state.feeder.run:
        return
    if trouble.code is not ErrorCode.STAGING_FULL:
        yield decision.fail(job, ErrorCode.SPOOL_DAMAGED, trouble.sentence)
    elif job.wait <= 0:
        yield decision.postpone(job, ErrorCode.STAGING_FULL, trouble.sentence)


def _idle(decision: Decision) -> Iterator[Action]:
    state = decision.state
    if state.stopping or (state.feeder and state.feeder.run):
        return
    if (wanted := next_job(decision)) is not None:
        yield decision.write(wanted)
    elif state.scan_asked is not None and not state.snapshot.queued:
        yield decision.write(MakeManualJob())  # the signal is still to be obeyed, once the job is ready
    else:
        yield from decision.take(check_for_parked(decision.state, decision.now))
        yield from decision.take(unstage(decision.state, decision.now))
        yield from decision.take(read_back(decision.state, decision.now))
        yield from decision.take(sweep(decision.state, decision.now))
        yield from decision.take(check_scanner_and_nas(decision.state, decision.now))


def _progress(decision: Decision, job: Job | None) -> Iterator[Action]:
    """Write that the job makes progress, if one of its children was heard since the last time."""
    feeder, courier, since = decision.state.feeder, decision.state.courier, decision.state.progressed
    if job is None or decision.now - since < PROGRESS_EVERY:
        return
    run = feeder and feeder.run
    if feeder and run and run.job_id == job.id and feeder.heard > since and not feeder.killed_for:
        pages = sum(batch.page_count or 0 for batch in job.kept) + run.captured
    elif courier and courier.job_id == job.id and courier.heard > since and not courier.killed_for:
        pages = None
    else:
        return
    decision.state = replace(decision.state, progressed=decision.now)
    yield Progress(job.id, pages, courier.progress if courier and pages is None else None)


def _stop(decision: Decision) -> Iterator[Action]:
    """Leave once the sheet under way is safe and its batch recorded; the next start does the rest."""
    feeder, courier = decision.state.feeder, decision.state.courier
    if feeder and feeder.run:
        yield from decision.take(finish_run(decision.state, decision.now))
    elif not (courier and courier.task is Task.BIND):
        yield Exit()
