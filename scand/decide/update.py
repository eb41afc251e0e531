"""What has happened, folded into what is known: (state, occurrence, now) → state.

Whatever can have changed a row or the disk makes the state stale, so that the next decision asks for a new look.
"""

from __future__ import annotations

from dataclasses import replace

from scand import wire
from scand.decide.actions import Action, EndBatch, KillCourier, RetireFeeder, TellFeeder
from scand.decide.occurrences import (
    Configured,
    CourierEnded,
    CourierSaid,
    DatabaseLost,
    Displaced,
    FeederEnded,
    FeederSaid,
    LookDue,
    Looked,
    Occurrence,
    ScanAsked,
    StopAsked,
    Tick,
)
from scand.decide.state import CourierChild, Snapshot, State
from scand.faults import FAULTS, ErrorCode, Retry, nas_is_away
from scand.jobs.lifecycle import Status
from scand.spool.records import End

RESPAWN = 5.0
"""Seconds before a feeder whose process has ended by itself is started again to be warm."""


def absorb(state: State, occurrence: Occurrence, now: float) -> tuple[State, list[Action]]:
    """The state after an occurrence, and what must be done at once, with or without a database.

    Args:
        now: `monotonic()` seconds.
    """
    match occurrence:
        case Looked(look):
            return _looked(state, look), []
        case LookDue():
            return replace(state, serving=True, fresh=False), []
        case DatabaseLost():
            # Whether a word that was to be given has reached the row is unknown: it is given again.
            courier = state.courier and replace(state.courier, told=False)
            return replace(state, serving=False, fresh=False, courier=courier), []
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
        case StopAsked():
            return replace(state, stopping=True), []
        case Configured(limits):
            return replace(state, limits=limits, fresh=False), []
        case Tick():
            return state, []


def _looked(state: State, look: Snapshot) -> State:
    """How the last run ended matters while its job is scanning; a bound PDF until it is recorded."""
    job, ended, bound = look.job, state.ended, state.bound
    if bound and not (job and job.id == bound[0] and bound[1] in {batch.seq for batch in look.unsettled}):
        bound = None
    if ended and not (job and job.id == ended[0] and job.status is Status.SCANNING):
        ended = None
    return replace(state, fresh=True, look=look, ended=ended, bound=bound)


def _displaced(state: State, now: float) -> tuple[State, list[Action]]:
    state = replace(state, serving=False, fresh=False, look=Snapshot())
    actions: list[Action] = []
    if state.feeder and state.feeder.run and state.feeder.run.stop is not ErrorCode.CANCELED:
        actions.append(TellFeeder(wire.Cancel()))
        state = stopping_run(state, ErrorCode.CANCELED, now)
    elif state.feeder and not (state.feeder.run or state.feeder.finding or state.feeder.killed_for):
        actions.append(RetireFeeder())  # it has the device open, which may be the other's
        state = replace(state, feeder=None)
    if state.courier and not state.courier.killed_for:
        actions.append(KillCourier(None))
        state = replace(state, courier=replace(state.courier, killed_for=ErrorCode.INTERRUPTED, heard=now))
    return state, actions


def stopping_run(state: State, why: ErrorCode, now: float) -> State:
    """The state once the run under way has been told to end."""
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
        # One that leaves by itself is gone as one that was killed: nothing more is asked of it.
        leaving = ErrorCode.DEVICE_ERROR if report.leaving else None
        feeder = replace(feeder, run=None, resting=True, killed_for=feeder.killed_for or leaving)
        if report.end.code and FAULTS[report.end.code].retry is Retry.A_FEW and not run.captured:
            failed = wire.Failed(code=report.end.code, sentence=report.end.detail)
            state = replace(state, scanner_trouble=failed)
        return replace(state, feeder=feeder, ended=(run.job_id, report), fresh=False)
    return replace(state, feeder=feeder)


def _feeder_ended(state: State, how: str, now: float) -> tuple[State, list[Action]]:
    feeder = state.feeder
    state = replace(state, feeder=None, fresh=False, feeder_after=now + RESPAWN)
    if feeder is not None and feeder.finding:
        sentence = f"The scanner's driver does not answer ({how})."
        trouble = wire.Failed(code=feeder.killed_for or ErrorCode.DRIVER_CRASHED, sentence=sentence)
        state = replace(state, scanner_trouble=trouble)
    if feeder is None or feeder.run is None:
        return state, []
    run, code = feeder.run, feeder.killed_for or ErrorCode.DRIVER_CRASHED
    end = End(code=code, detail="" if feeder.killed_for else how)
    state = replace(state, ended=(run.job_id, wire.Ended(end=end)))
    return state, [EndBatch(run.job_id, run.seq, end)]


def _courier_said(state: State, report: wire.Report, now: float) -> State:
    courier = state.courier
    if courier is None or courier.killed_for:
        return state  # the last words of one whose task is nobody's any more
    state = replace(state, courier=replace(courier, heard=now))
    match report:
        case wire.Alive():
            return replace(state, courier=replace(courier, heard=now, at=report))
        case wire.Named():
            courier = replace(courier, heard=now, named=report, told=False)
            return replace(state, courier=courier, fresh=False)
        case wire.BoundPdf(pdf=pdf):
            courier = replace(courier, heard=now, reported=True)
            return replace(state, courier=courier, bound=(courier.job_id, courier.seq, pdf), fresh=False)
        case (
            wire.Staged() | wire.Published() | wire.Unstaged() | wire.Swept() | wire.Checked() | wire.Failed()
        ):
            courier = replace(courier, heard=now, reported=True)
            return _came_back(replace(state, courier=courier), courier, report)
        case _:
            return state


def _courier_ended(state: State, how: str) -> State:
    courier = state.courier
    state = replace(state, courier=None, fresh=False)
    if courier is None or courier.reported or courier.killed_for is ErrorCode.INTERRUPTED:
        return state
    code = courier.killed_for or ErrorCode.COURIER_CRASHED
    mend = "The NAS does not answer." if code is ErrorCode.NAS_HUNG else f"The courier ended early ({how})."
    return _came_back(state, courier, wire.Failed(code=code, sentence=mend))


def _came_back(state: State, courier: CourierChild, report: wire.Report) -> State:
    """What an task brought, and what it tells of the NAS."""
    if isinstance(report, wire.Failed):
        state = replace(state, nas_trouble=report if nas_is_away(report.code) else state.nas_trouble)
    elif not courier.task.local:
        if state.nas_trouble:
            state = replace(state, unstage_after=0.0)  # what failed while it was away is tried at once
        state = replace(state, nas_trouble=None)
    done = (courier.job_id, courier.entered, courier.task, report)
    return replace(state, done=done, fresh=False)
