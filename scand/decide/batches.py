"""Batches that are on disk and not in the database yet: each is ended, bound and recorded."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from scand.decide import sentences
from scand.decide.actions import Action, DropBatch, EndBatch, LookAgain, Record, Send
from scand.decide.pages import behind
from scand.decide.state import Task
from scand.decide.timeouts import DEVICE_TRIES
from scand.faults import FAULTS, ErrorCode, Retry, Then
from scand.jobs.answers import unanswered
from scand.jobs.lifecycle import Status
from scand.spool.records import End, SpooledBatch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scand.decide.decision import Decision
    from scand.jobs.rows import Job


def process_first(decision: Decision, job: Job) -> Iterator[Action]:
    """Take the first unrecorded batch one step further: end it, bind it, record it."""
    batch, bound = decision.state.snapshot.unrecorded[0], decision.state.bound
    if job.wait > 0 and (batch.end is None or batch.captured == 0):
        return  # the disk has refused: wait until the next attempt is due
    if batch.end is None:
        decision.invalidate()
        ended = decision.state.ended
        known = ended.report.end if ended and ended.job_id == job.id else End(code=ErrorCode.INTERRUPTED)
        yield EndBatch(job.id, batch.seq, known)
        yield LookAgain()
    elif batch.captured == 0:
        if job.status is Status.SCANNING:
            yield without_pages(decision, job, batch.end)
        decision.state = replace(decision.state, ended=None, fresh=False)
        yield DropBatch(job.id, batch.seq)
        yield LookAgain()
    elif batch.bindable == 0 or (bound and (bound.job_id, bound.seq) == (job.id, batch.seq)):
        if not behind(job, batch):
            yield _record(decision, job, batch)
    elif (failed := decision.failure_of(job, Task.BIND)) is not None:
        if failed.code is ErrorCode.SPOOL_DAMAGED:
            # It is recorded as discarded, so that the other batches can still become a document.
            code = ErrorCode.SPOOL_DAMAGED
            yield decision.write(Record(job.id, job.status, batch.seq, None, False, code, failed.sentence))
        else:
            yield decision.task_failed(job, failed)
    elif decision.state.courier is None and job.wait <= 0 and not _left_to_the_next_start(decision, job):
        yield decision.send(Send(Task.BIND, job.id, job.entered, seq=batch.seq))


def _left_to_the_next_start(decision: Decision, job: Job) -> bool:
    """A daemon that is to stop binds once, but does not wait for further tries."""
    return decision.state.stopping and job.attempts > 0


def _record(decision: Decision, job: Job, batch: SpooledBatch) -> Action:
    end = batch.end or End(code=ErrorCode.INTERRUPTED)
    pdf = decision.state.bound.pdf if decision.state.bound and batch.bindable else None
    # Half a stack is fed again whole: what there is of it never goes into the merge by itself.
    kept = pdf is not None and (end.complete or (batch.keep_on_fault and not batch.halves))
    before = unanswered(job.batches)
    fault = sentences.in_batch(job.id, batch, end, before, kept=kept) if end.code else None
    still = [] if batch.halves else sentences.beside(job.id, before)
    error = "; ".join([*filter(None, [fault]), *still]) or None
    return decision.write(
        Record(
            job.id, job.status, batch.seq, pdf, kept, end.code, error, batch.blank, job.listed.get(batch.seq, 0),
            fault=fault, answered=end.complete or pdf is None, answers=end.complete, halves=batch.halves,
        )
    )  # fmt: skip


def without_pages(decision: Decision, job: Job, end: End) -> Action:
    """What follows from a batch that has no page."""
    decision.state = replace(decision.state, ended=None)
    code = end.code or ErrorCode.FEEDER_EMPTY
    still = sentences.still_open(job.id, unanswered(job.batches))
    error = " ".join(filter(None, [sentences.at_start(end), still]))
    if FAULTS[code].then is Then.FAILED:
        return decision.fail(job, code, error)
    if FAULTS[code].retry is Retry.A_FEW and job.attempts + 1 < DEVICE_TRIES:
        return decision.postpone(job, code, error)
    return decision.advance(job, Status.READY, error=error, code=code)
