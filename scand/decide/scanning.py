"""A job at the scanner: ready, where a person or its settings say what is next, and scanning."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from scand.decide.actions import Intent, Scan
from scand.decide.batches import fault, settle
from scand.decide.housekeeping import unstage
from scand.decide.state import Run
from scand.errors import (
    ErrorCode,
    ScandError,
)
from scand.jobs.lifecycle import Actor, Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scand.decide.decision import Draft
    from scand.jobs.rows import Job


def ready(draft: Draft, job: Job) -> Iterator[Intent]:
    """The scanner is the job's; whoever scans, finishes or says nothing is a person, or the job's own settings."""
    view, settings, limits = draft.view, draft.view.look.settings, draft.view.limits
    if view.look.unsettled:
        yield from settle(draft, job)
        return
    if isinstance(settings, ScandError):
        yield draft.fail(job, ErrorCode.BAD_SETTINGS, settings.sentence)
        return
    if view.stopping or settings is None:
        return
    if view.scan_asked is not None:
        draft.view = replace(view, scan_asked=None)
        yield draft.advance(job, Status.SCANNING, Actor.CLIENT)
    elif job.error_code == ErrorCode.SPOOL_DAMAGED:
        yield draft.fail(job, ErrorCode.SPOOL_DAMAGED, job.error or "")
    elif job.error_code is None and settings.scan == "auto" and job.entered_from == Status.QUEUED:
        yield draft.advance(job, Status.SCANNING)
    elif (
        job.clean
        and job.kept
        and settings.finish != "hold"
        and job.entered_from == Status.SCANNING
        and not job.assembled
        and job.page_count is None
        and not (draft.in_halves and len(job.kept) % 2)
    ):
        yield draft.advance(job, Status.ASSEMBLING)
    elif limits.ready_timeout is not None and (job.idle or 0) >= limits.ready_timeout:
        yield _idled(draft, job)
    else:
        yield from draft.warm()
        yield from draft.take(unstage(draft.view, draft.now))


def _idled(draft: Draft, job: Job) -> Intent:
    if job.clean and job.kept:
        return draft.advance(job, Status.ASSEMBLING)
    if job.error_code is None and not job.batches:
        why = "Nothing was scanned in time, so the scanner was set free for the next job."
        return draft.advance(job, Status.CANCELED, error=why, code=ErrorCode.IDLE_TIMEOUT)
    what = job.error or "batches were discarded that nobody has restored or finished without."
    why = f"Nobody answered in time, and the scanner is needed; no page is lost. Before that: {what}"
    return draft.fail(job, ErrorCode.IDLE_TIMEOUT, why)


def scanning(draft: Draft, job: Job) -> Iterator[Intent]:
    """One batch now."""
    view, settings = draft.view, draft.view.look.settings
    if view.feeder and view.feeder.run:
        return
    if view.look.unsettled:
        yield from settle(draft, job)
    elif view.ended and view.ended[0] == job.id and not view.ended[1].end.complete:
        yield fault(draft, job, view.ended[1].end)
    elif view.stopping or job.wait > 0:
        return
    elif isinstance(settings, ScandError):
        yield draft.fail(job, ErrorCode.BAD_SETTINGS, settings.sentence)
    elif settings is not None:
        yield from draft.warm(wanted=True)
        feeder = draft.view.feeder
        if feeder and not feeder.killed_for and not feeder.resting:
            # What was good for another name may be another scanner.
            scanner = view.limits.scanner
            last = view.device if view.device_for == scanner else ""
            run = Run(job.id, view.look.next_seq, scanner, started=draft.now)
            draft.view = replace(
                draft.view, feeder=replace(feeder, heard=draft.now, run=run), ended=None, bound=None
            )
            yield Scan(job.id, run.seq, settings, scanner, last)
