"""Puts an occurrence into the state: (state, occurrence, now) → (state, actions).

Whatever may have changed a row or the disk makes the snapshot outdated (`fresh` is False), so that the next
decision asks for a new one.
"""

from __future__ import annotations

from dataclasses import replace

from scand import wire
from scand.decide.actions import Action, EndBatch, KillCourier, RecordCanceled, RetireFeeder, TellFeeder
from scand.decide.occurrences import (
    Claimed,
    Configured,
    CourierEnded,
    CourierSaid,
    DatabaseLost,
    Displaced,
    FeederEnded,
    FeederSaid,
    LookDue,
    Looked,
    ManualJobMade,
    NotWritten,
    Occurrence,
    PagesRead,
    ScanAsked,
    StopAsked,
    Tick,
    Written,
)
from scand.decide.state import BoundBatch, CourierChild, EndedRun, Snapshot, State, Task, TaskResult
from scand.decide.timeouts import FEEDER_RESTART
from scand.faults import FAULTS, ErrorCode, Retry, nas_is_away
from scand.jobs.lifecycle import Status
from scand.spool.records import End


def update(state: State, occurrence: Occurrence, now: float) -> tuple[State, list[Action]]:
    """The state after an occurrence, and the actions that must not wait for a database.

    Args:
        state: what was known before.
        occurrence: what has happened.
        now: `monotonic()` seconds.
    """
    match occurrence:
        case Looked(snapshot):
            return _looked(state, snapshot), []
        case LookDue() | Written() | NotWritten() | Claimed() | ManualJobMade():
            recorded = isinstance(occurrence, Written) and isinstance(occurrence.action, RecordCanceled)
            canceled = None if recorded else state.canceled
            return replace(state, serving=True, fresh=False, canceled=canceled), []
        case DatabaseLost():
            # Whether the name has reached the row is unknown: it is written, and `Go` is sent, once more.
            courier = state.courier and replace(state.courier, go_given=False)
            return replace(state, serving=False, fresh=False, courier=courier, pages_repaired=0), []
        case Displaced():
            return _displaced(state, now)
        case FeederSaid(report):
            return _feeder_said(state, report, now), []
        case FeederEnded(how):
            return _feeder_ended(state, how, now)
        case CourierSaid(report):
            return _courier_said(state, report, now), []
        case CourierEnded(how):
            return _courier_ended(state, how), []
        case ScanAsked():
            return replace(state, scan_asked=now, fresh=False), []
        case Configured(limits):
            return replace(state, limits=limits, fresh=False), []
        case PagesRead(pages):
            state = replace(state, pages=pages)
        case StopAsked():
            state = replace(state, stopping=True)
        case Tick():
            pass
    return state, []


def _looked(state: State, snapshot: Snapshot) -> State:
    """Take a new snapshot, and forget what it has made obsolete.

    How the last batch ended matters only while its job is scanning, a bound PDF only until its batch is recorded
    or, in assembling, until its row tells of it.
    """
    job, ended, bound = snapshot.job, state.ended, state.bound
    awaited = {batch.seq for batch in snapshot.unrecorded}
    if job and job.status is Status.ASSEMBLING:
        awaited |= {batch.seq for batch in job.merged}
    if bound and not (job and job.id == bound.job_id and bound.seq in awaited):
        bound = None
    if ended and not (job and job.id == ended.job_id and job.status is Status.SCANNING):
        ended = None
    return replace(state, fresh=True, snapshot=snapshot, ended=ended, bound=bound)


def _displaced(state: State, now: float) -> tuple[State, list[Action]]:
    """Another daemon leads: stop the children, and free the scanner for it."""
    state = replace(state, serving=False, fresh=False, snapshot=Snapshot(), pages_repaired=0)
    actions: list[Action] = []
    if state.feeder and state.feeder.run and state.feeder.run.stop is not ErrorCode.CANCELED:
        actions.append(TellFeeder(wire.Cancel()))
        state = stopping_run(state, ErrorCode.CANCELED, now)
    elif state.feeder and not (state.feeder.run or state.feeder.finding or state.feeder.killed_for):
        actions.append(RetireFeeder())  # it has the device open, which the other daemon may need
        state = replace(state, feeder=None)
    if state.courier and not state.courier.killed_for:
        actions.append(KillCourier(None))
        state = replace(state, courier=replace(state.courier, killed_for=ErrorCode.INTERRUPTED, heard=now))
    return state, actions


def stopping_run(state: State, why: ErrorCode, now: float) -> State:
    """The state once the feeder has been told to end the batch that it is scanning; there must be one."""
    assert state.feeder  # noqa: S101 - only called with a run
    assert state.feeder.run  # noqa: S101
    run = replace(state.feeder.run, stop=why, stop_at=now)
    return replace(state, feeder=replace(state.feeder, run=run))


def _feeder_said(state: State, report: wire.Report, now: float) -> State:
    if state.feeder is None:
        return state
    feeder, run = replace(state.feeder, heard=now), state.feeder.run
    if isinstance(report, wire.Opened):
        state = replace(
            state, device=report.device, device_for=run.scanner if run else "", scanner_trouble=None
        )
        run = run and replace(run, duplex=report.duplex)
        feeder = replace(feeder, run=run)
    elif feeder.finding and isinstance(report, wire.FoundDevice | wire.Failed):
        trouble = report if isinstance(report, wire.Failed) else None
        state, feeder = replace(state, scanner_trouble=trouble), replace(feeder, finding=False)
    if isinstance(report, wire.Idle):
        feeder = replace(feeder, resting=False)
    elif run and isinstance(report, wire.Captured):
        feeder = replace(feeder, run=replace(run, captured=run.captured + 1))
    elif run and isinstance(report, wire.Ended):
        # A feeder that leaves by itself is treated like one that was killed: it gets no further command.
        leaving = ErrorCode.DEVICE_ERROR if report.leaving else None
        feeder = replace(feeder, run=None, resting=True, killed_for=feeder.killed_for or leaving)
        if report.end.code and FAULTS[report.end.code].retry is Retry.A_FEW and not run.captured:
            failed = wire.Failed(code=report.end.code, sentence=report.end.detail)
            state = replace(state, scanner_trouble=failed)
        canceled = run.job_id if run.stop is ErrorCode.CANCELED else state.canceled
        return replace(
            state, feeder=feeder, ended=EndedRun(run.job_id, report), canceled=canceled, fresh=False
        )
    return replace(state, feeder=feeder)


def _feeder_ended(state: State, how: str, now: float) -> tuple[State, list[Action]]:
    feeder = state.feeder
    state = replace(state, feeder=None, fresh=False, feeder_after=now + FEEDER_RESTART)
    if feeder is not None and feeder.finding:
        sentence = f"The scanner's driver does not answer ({how})."
        trouble = wire.Failed(code=feeder.killed_for or ErrorCode.DRIVER_CRASHED, sentence=sentence)
        state = replace(state, scanner_trouble=trouble)
    if feeder is None or feeder.run is None:
        return state, []
    run, code = feeder.run, feeder.killed_for or ErrorCode.DRIVER_CRASHED
    end = End(code=code, detail="" if feeder.killed_for else how)
    canceled = run.job_id if run.stop is ErrorCode.CANCELED else state.canceled
    state = replace(state, ended=EndedRun(run.job_id, wire.Ended(end=end)), canceled=canceled)
    return state, [EndBatch(run.job_id, run.seq, end)]


def _courier_said(state: State, report: wire.Report, now: float) -> State:
    courier = state.courier
    if courier is None or courier.killed_for:
        return state  # a late report of a courier that was already killed
    state = replace(state, courier=replace(courier, heard=now))
    match report:
        case wire.Alive():
            return replace(state, courier=replace(courier, heard=now, progress=report))
        case wire.Named():
            courier = replace(courier, heard=now, named=report, go_given=False)
            return replace(state, courier=courier, fresh=False)
        case wire.BoundPdf(pdf=pdf):
            courier = replace(courier, heard=now, reported=True)
            bound = BoundBatch(courier.job_id, courier.seq, pdf)
            return replace(state, courier=courier, bound=bound, fresh=False)
        case (
            wire.Staged()
            | wire.Published()
            | wire.Withdrawn()
            | wire.Unstaged()
            | wire.Found()
            | wire.Swept()
            | wire.Checked()
            | wire.Failed()
        ):
            courier = replace(courier, heard=now, reported=True)
            return _task_done(replace(state, courier=courier), courier, report)
        case _:
            return state


def _courier_ended(state: State, how: str) -> State:
    courier = state.courier
    state = replace(state, courier=None, fresh=False)
    if courier is None or courier.reported or courier.killed_for is ErrorCode.INTERRUPTED:
        return state
    code = courier.killed_for or ErrorCode.COURIER_CRASHED
    hung = code is ErrorCode.NAS_HUNG
    sentence = "The NAS does not answer." if hung else f"The courier ended early ({how})."
    return _task_done(state, courier, wire.Failed(code=code, sentence=sentence))


def _task_done(state: State, courier: CourierChild, report: wire.Report) -> State:
    """Keep the result of a task, and what it shows about the NAS."""
    delivery = courier.task in {Task.ASSEMBLE, Task.PUBLISH}
    if isinstance(report, wire.Failed):
        if nas_is_away(report.code):
            refused = state.nas_refusals + 1 if delivery and state.nas_proved else state.nas_refusals
            refusals = 0 if courier.task is Task.CHECK else refused
            state = replace(state, nas_trouble=report, nas_proved=False, nas_refusals=refusals)
    elif not courier.task.local:
        if state.nas_trouble:
            state = replace(state, unstage_after=0.0)  # what failed while the NAS was away is tried at once
        proved = state.nas_proved or delivery or courier.task is Task.CHECK
        refusals = 0 if delivery else state.nas_refusals
        state = replace(state, nas_trouble=None, nas_proved=proved, nas_refusals=refusals)
    if isinstance(report, wire.Published):
        state = replace(state, access_refused=not report.granted)
    result = TaskResult(courier.job_id, courier.entered, courier.task, report)
    return replace(state, done=result, fresh=False)
