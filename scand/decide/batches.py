"""Batches on disk that the database does not know yet: ended, bound, recorded."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from scand.decide.actions import Action, DropBatch, EndBatch, LookAgain, Record, Send
from scand.decide.sentences import nothing_yet, sentence
from scand.decide.state import Task
from scand.decide.timeouts import DEVICE_TRIES
from scand.faults import FAULTS, ErrorCode, Retry, Then
from scand.jobs.lifecycle import Status
from scand.spool.records import End, SpooledBatch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scand.decide.decision import Decision
    from scand.jobs.rows import Job


def settle(decision: Decision, job: Job) -> Iterator[Action]:
    """The first batch on disk that is not in the database: end it, bind it, record it."""
    batch = decision.state.look.unsettled[0]
    if job.wait > 0 and (batch.end is None or batch.captured == 0):
        return  # a disk that has refused is not asked all the time
    if batch.end is None:
        decision.stale()
        ended = decision.state.ended
        known = ended[1].end if ended and ended[0] == job.id else End(code=ErrorCode.INTERRUPTED)
        yield EndBatch(job.id, batch.seq, known)
        yield LookAgain()
    elif batch.captured == 0:
        if job.status is Status.SCANNING:
            yield fault(decision, job, batch.end)
        decision.state = replace(decision.state, ended=None, fresh=False)
        yield DropBatch(job.id, batch.seq)
        yield LookAgain()
    elif batch.bindable == 0 or (decision.state.bound and decision.state.bound[:2] == (job.id, batch.seq)):
        yield _record(decision, job, batch)
    elif (failed := decision.failed(job, Task.BIND)) is not None:
        if failed.code is ErrorCode.SPOOL_DAMAGED:
            # Set aside as a batch of its own, so that the others can still be made into a document.
            code = ErrorCode.SPOOL_DAMAGED
            yield decision.write(Record(job.id, job.status, batch.seq, None, False, code, failed.sentence))
        else:
            yield decision.task_failed(job, failed)
    elif decision.state.courier is None and job.wait <= 0 and not _daemon_leaves(decision, job):
        yield decision.send(Send(Task.BIND, job.id, job.entered, seq=batch.seq))


def _daemon_leaves(decision: Decision, job: Job) -> bool:
    """A retry of binding is not waited for when the daemon stops: the next start does it."""
    return decision.state.stopping and job.attempts > 0


def _record(decision: Decision, job: Job, batch: SpooledBatch) -> Action:
    end = batch.end or End(code=ErrorCode.INTERRUPTED)
    pdf = decision.state.bound[2] if decision.state.bound and batch.bindable else None
    answered = end.code is None or (job.status is Status.READY and end.code is ErrorCode.CANCELED)
    error = None if answered else sentence(batch, end)
    kept = pdf is not None and (end.complete or batch.keep_on_fault)
    return decision.write(Record(job.id, job.status, batch.seq, pdf, kept, end.code, error, batch.blank))


def fault(decision: Decision, job: Job, end: End) -> Action:
    """A batch that captured nothing."""
    decision.state = replace(decision.state, ended=None)
    code = end.code or ErrorCode.FEEDER_EMPTY
    error = nothing_yet(end)
    if FAULTS[code].then is Then.FAILED:
        return decision.fail(job, code, error)
    if FAULTS[code].retry is Retry.A_FEW and job.attempts + 1 < DEVICE_TRIES:
        return decision.postpone(job, code, error)
    return decision.advance(job, Status.READY, error=error, code=code)
