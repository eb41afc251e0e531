"""The course of one decision: children first, then the job by its status, then what is left to do beside it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from scand.decide.actions import Claim, Exit, Intent, LookAgain, MakeManualJob, Progress, RefuseScan
from scand.decide.decision import Draft
from scand.decide.delivering import assembling, committing, preview
from scand.decide.housekeeping import ask_around, sweep, unstage
from scand.decide.occurrences import Occurrence, Tick
from scand.decide.scanning import ready, scanning
from scand.decide.state import Errand, View
from scand.decide.supervise import call_back, finish_run, judge
from scand.decide.timeouts import PROGRESS_EVERY, SCAN_ASKED_FOR
from scand.decide.update import absorb
from scand.errors import (
    ErrorCode,
    ScandError,
)
from scand.jobs.lifecycle import Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scand.jobs.rows import Job


_ON_DISK = frozenset({Status.READY, Status.SCANNING, Status.ASSEMBLING})
"""Where a job needs its directory on local disk."""


def decide(view: View, occurrence: Occurrence, now: float) -> tuple[View, list[Intent]]:
    """The next view, and what is wanted, in order.

    Args:
        view: what was known.
        occurrence: what has happened.
        now: `monotonic()` seconds.
    """
    view, first = absorb(view, occurrence, now)
    if isinstance(occurrence, Tick):
        view, judged = judge(view, min(now, occurrence.listened))
        first += judged
    draft = Draft(view, now)
    intents = [*first, *_intents(draft)]
    return draft.view, intents


def _intents(draft: Draft) -> Iterator[Intent]:
    if not draft.view.serving:
        yield from _without_database(draft)
    elif not draft.view.fresh:
        yield LookAgain()
    else:
        yield from _with_look(draft)


def _without_database(draft: Draft) -> Iterator[Intent]:
    if draft.view.stopping:
        yield from draft.take(finish_run(draft.view, draft.now))
        if not (draft.view.feeder and draft.view.feeder.run):
            yield Exit()
    elif draft.view.scan_asked is not None and draft.now - draft.view.scan_asked > SCAN_ASKED_FOR:
        draft.view = replace(draft.view, scan_asked=None)
        yield RefuseScan(None)


def _with_look(draft: Draft) -> Iterator[Intent]:
    job = draft.view.look.job
    if draft.view.scan_asked is not None and job and job.status is not Status.READY:
        draft.view = replace(draft.view, scan_asked=None)
        yield RefuseScan(job.status)
    yield from draft.take(call_back(draft.view, draft.now))
    if job is None:
        yield from _idle(draft)
    elif (trouble := draft.view.look.trouble) and job.status in _ON_DISK:
        yield from _disk_trouble(draft, job, trouble)
    elif job.status is Status.READY:
        yield from ready(draft, job)
    elif job.status is Status.SCANNING:
        yield from scanning(draft, job)
    elif job.status is Status.ASSEMBLING:
        yield from assembling(draft, job)
    elif job.status is Status.PREVIEW:
        yield from preview(draft, job)
    elif job.status is Status.COMMITTING:
        yield from committing(draft, job)
    if draft.view.fresh and draft.view.stopping:
        yield from _stop(draft)
    if draft.view.fresh:
        yield from _progress(draft, job)  # last: an intent after a write that fails is not performed


def _disk_trouble(draft: Draft, job: Job, trouble: ScandError) -> Iterator[Intent]:
    """What stands in the job's directory cannot be read, or nothing can be written: nothing else is begun."""
    if draft.view.feeder and draft.view.feeder.run:
        return
    if trouble.code is not ErrorCode.STAGING_FULL:
        yield draft.fail(job, ErrorCode.SPOOL_DAMAGED, trouble.sentence)
    elif job.wait <= 0:
        yield draft.postpone(job, ErrorCode.STAGING_FULL, trouble.sentence)


def _idle(draft: Draft) -> Iterator[Intent]:
    view = draft.view
    if view.stopping or (view.feeder and view.feeder.run):
        return
    if view.look.queued:
        yield draft.write(Claim())
    elif view.scan_asked is not None:
        draft.view = replace(view, scan_asked=None)
        yield draft.write(MakeManualJob())
    else:
        yield from draft.take(unstage(draft.view, draft.now))
        yield from draft.take(sweep(draft.view, draft.now))
        yield from draft.take(ask_around(draft.view, draft.now))


def _progress(draft: Draft, job: Job | None) -> Iterator[Intent]:
    feeder, courier, since = draft.view.feeder, draft.view.courier, draft.view.progressed
    if job is None or draft.now - since < PROGRESS_EVERY:
        return
    run = feeder and feeder.run
    if feeder and run and run.job_id == job.id and feeder.heard > since and not feeder.killed_for:
        pages = sum(batch.page_count or 0 for batch in job.kept) + run.captured
    elif courier and courier.job_id == job.id and courier.heard > since and not courier.killed_for:
        pages = None
    else:
        return
    draft.view = replace(draft.view, progressed=draft.now)
    yield Progress(job.id, pages, courier.at if courier and pages is None else None)


def _stop(draft: Draft) -> Iterator[Intent]:
    """Leave when the sheet under way is safe and its batch recorded; all else the next start does."""
    feeder, courier = draft.view.feeder, draft.view.courier
    if feeder and feeder.run:
        yield from draft.take(finish_run(draft.view, draft.now))
    elif not (courier and courier.errand is Errand.BIND):
        yield Exit()
