"""A job at the scanner: ready, where a person or its settings say what is next, and scanning."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from scand.decide.actions import Action, Scan
from scand.decide.batches import fault, settle
from scand.decide.housekeeping import unstage
from scand.decide.state import Run
from scand.errors import ScandError
from scand.faults import ErrorCode
from scand.jobs.lifecycle import Actor, Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scand.decide.decision import Decision
    from scand.jobs.rows import Job


def ready(decision: Decision, job: Job) -> Iterator[Action]:
    """The scanner is the job's; whoever scans, finishes or says nothing is a person, or the job's own settings."""
    state, settings, limits = decision.state, decision.state.look.settings, decision.state.limits
    if state.look.unsettled:
        yield from settle(decision, job)
        return
    if isinstance(settings, ScandError):
        yield decision.fail(job, ErrorCode.BAD_SETTINGS, settings.sentence)
        return
    if state.stopping or settings is None:
        return
    if state.scan_asked is not None:
        decision.state = replace(state, scan_asked=None)
        yield decision.advance(job, Status.SCANNING, Actor.CLIENT)
    elif job.error_code == ErrorCode.SPOOL_DAMAGED:
        yield decision.fail(job, ErrorCode.SPOOL_DAMAGED, job.error or "")
    elif job.error_code is None and settings.scan == "auto" and job.entered_from == Status.QUEUED:
        yield decision.advance(job, Status.SCANNING)
    elif (
        job.clean
        and job.kept
        and settings.finish != "hold"
        and job.entered_from == Status.SCANNING
        and not job.assembled
        and job.page_count is None
        and not (decision.in_halves and len(job.kept) % 2)
    ):
        yield decision.advance(job, Status.ASSEMBLING)
    elif limits.ready_timeout is not None and (job.idle or 0) >= limits.ready_timeout:
        yield _idled(decision, job)
    else:
        yield from decision.warm()
        yield from decision.take(unstage(decision.state, decision.now))


def _idled(decision: Decision, job: Job) -> Action:
    if job.clean and job.kept:
        return decision.advance(job, Status.ASSEMBLING)
    if job.error_code is None and not job.batches:
        why = "Nothing was scanned in time, so the scanner was set free for the next job."
        return decision.advance(job, Status.CANCELED, error=why, code=ErrorCode.IDLE_TIMEOUT)
    what = job.error or "batches were discarded that nobody has restored or finished without."
    why = f"Nobody answered in time, and the scanner is needed; no page is lost. Before that: {what}"
    return decision.fail(job, ErrorCode.IDLE_TIMEOUT, why)


def scanning(decision: Decision, job: Job) -> Iterator[Action]:
    """One batch now."""
    state, settings = decision.state, decision.state.look.settings
    if state.feeder and state.feeder.run:
        return
    if state.look.unsettled:
        yield from settle(decision, job)
    elif state.ended and state.ended[0] == job.id and not state.ended[1].end.complete:
        yield fault(decision, job, state.ended[1].end)
    elif state.stopping or job.wait > 0:
        return
    elif isinstance(settings, ScandError):
        yield decision.fail(job, ErrorCode.BAD_SETTINGS, settings.sentence)
    elif settings is not None:
        yield from decision.warm(wanted=True)
        feeder = decision.state.feeder
        if feeder and not feeder.killed_for and not feeder.resting:
            # What was good for another name may be another scanner.
            scanner = state.limits.scanner
            last = state.device if state.device_for == scanner else ""
            run = Run(job.id, state.look.next_seq, scanner, started=decision.now)
            decision.state = replace(
                decision.state, feeder=replace(feeder, heard=decision.now, run=run), ended=None, bound=None
            )
            yield Scan(job.id, run.seq, settings, scanner, last)
