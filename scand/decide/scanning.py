"""A job at the scanner: ready (the next step comes from a client or from the job's settings), and scanning."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from scand.decide.actions import Action, Hold, Scan
from scand.decide.batches import process_first, without_pages
from scand.decide.housekeeping import read_back, unstage
from scand.decide.sentences import NOBODY_ASKED, NOTHING_FOR_THE_SIGNAL, paper_left, still_open
from scand.decide.state import Run
from scand.decide.turns import takes_what_is_there
from scand.errors import ScandError
from scand.faults import ErrorCode
from scand.jobs.answers import unanswered
from scand.jobs.lifecycle import Actor, Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scand.decide.decision import Decision
    from scand.jobs.rows import Job


def ready(decision: Decision, job: Job) -> Iterator[Action]:
    """Wait for the next step, which comes from a client, the signal, the job's settings or a timeout."""
    state, settings, limits = decision.state, decision.state.snapshot.settings, decision.state.limits
    if state.snapshot.unrecorded:
        yield from process_first(decision, job)
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
    elif job.clean and settings.scan == "auto" and job.entered_from == Status.QUEUED and not job.taken_back:
        paper = state.snapshot.paper
        if paper and takes_what_is_there(settings):
            yield decision.write(Hold(job.id, job.status, paper_left(paper, job.id)))
        else:
            yield decision.advance(job, Status.SCANNING)
    elif job.error_code == ErrorCode.FEEDER_EMPTY and job.of_signal and not job.batches:
        why = NOTHING_FOR_THE_SIGNAL
        yield decision.advance(job, Status.CANCELED, error=why, code=ErrorCode.FEEDER_EMPTY)
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
        yield _timed_out(decision, job)
    else:
        yield from decision.start_feeder()
        yield from decision.take(unstage(decision.state, decision.now))
        yield from decision.take(read_back(decision.state, decision.now))


def _timed_out(decision: Decision, job: Job) -> Action:
    """What becomes of a job that was ready for too long: the scanner must be free for the next."""
    if job.clean and job.kept:
        return decision.advance(job, Status.ASSEMBLING)
    if job.error_code is None and not job.batches:
        why = "Nothing was scanned in time, so the scanner was set free for the next job."
        return decision.advance(job, Status.CANCELED, error=why, code=ErrorCode.IDLE_TIMEOUT)
    still = still_open(job.id, unanswered(job.batches))
    what = job.error or still or "batches were discarded that nobody has restored or finished without."
    why = f"Nobody answered in time, and the scanner is needed; no page is lost. Before that: {what}"
    return decision.fail(job, ErrorCode.IDLE_TIMEOUT, why)


def scanning(decision: Decision, job: Job) -> Iterator[Action]:
    """Scan one batch."""
    state, settings = decision.state, decision.state.snapshot.settings
    if state.feeder and state.feeder.run:
        return
    if state.snapshot.unrecorded:
        yield from process_first(decision, job)
    elif state.ended and state.ended.job_id == job.id and not state.ended.report.end.complete:
        yield without_pages(decision, job, state.ended.report.end)
    elif state.stopping or job.wait > 0:
        return
    elif not job.by_step:
        yield decision.advance(job, Status.READY, error=NOBODY_ASKED, code=ErrorCode.INTERRUPTED)
    elif isinstance(settings, ScandError):
        yield decision.fail(job, ErrorCode.BAD_SETTINGS, settings.sentence)
    elif settings is not None:
        yield from decision.start_feeder(needed=True)
        feeder = decision.state.feeder
        if feeder and not feeder.killed_for and not feeder.resting:
            scanner = state.limits.scanner
            # The device that was opened for another `scanner.device` may be another scanner.
            last = state.device if state.device_for == scanner else ""
            run = Run(job.id, state.snapshot.next_seq, scanner, started=decision.now)
            decision.state = replace(
                decision.state, feeder=replace(feeder, heard=decision.now, run=run), ended=None, bound=None
            )
            yield Scan(job.id, run.seq, settings, scanner, last)
