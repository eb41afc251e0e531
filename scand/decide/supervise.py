"""Children judged: (state, now) → (state, actions). Who is silent too long, and whose work nobody asks for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from scand import wire
from scand.decide.actions import (
    AbandonCourier,
    AbandonFeeder,
    Action,
    KillCourier,
    KillFeeder,
    RetireFeeder,
    TellFeeder,
)
from scand.decide.state import CourierChild, State, Task
from scand.decide.timeouts import ANSWER_TIME, COURIER_SILENCE, DYING_TIME, RESTING_TIME
from scand.decide.update import stopping_run
from scand.faults import ErrorCode
from scand.jobs.lifecycle import Status

if TYPE_CHECKING:
    from scand.decide.actions import Decided
    from scand.decide.state import FeederChild
    from scand.jobs.rows import Job


def judge(state: State, now: float) -> Decided:
    """Children that are silent too long, or were told to end and do not. Needs no database."""
    actions: list[Action] = []
    feeder, courier = state.feeder, state.courier
    if feeder and feeder.killed_for:
        if now - feeder.heard > DYING_TIME:
            actions.append(AbandonFeeder())
    elif feeder and (code := _verdict(feeder, now, state.limits.page_timeout)):
        state = replace(state, feeder=replace(feeder, killed_for=code, heard=now))
        actions.append(KillFeeder(code))
    if courier and courier.killed_for:
        if now - courier.heard > DYING_TIME:
            actions.append(AbandonCourier())
    elif courier and now - courier.heard > (DYING_TIME if courier.reported else COURIER_SILENCE):
        code = ErrorCode.COURIER_CRASHED if courier.task.local else ErrorCode.NAS_HUNG
        state, kill = _kill_courier(state, courier, code, now)
        actions.append(kill)
    return state, actions


def _verdict(feeder: FeederChild, now: float, patience: float) -> ErrorCode | None:
    """Why a feeder has to be killed, if it has to."""
    silent = now - feeder.heard > patience
    run = feeder.run
    if run and run.stop is ErrorCode.CANCELED and (silent or now - run.stop_at > ANSWER_TIME):
        return ErrorCode.CANCELED
    if feeder.resting and now - feeder.heard > min(patience, RESTING_TIME):
        return ErrorCode.DRIVER_HUNG
    return ErrorCode.DRIVER_HUNG if silent and (run or feeder.finding) else None


def _kill_courier(state: State, courier: CourierChild, code: ErrorCode, now: float) -> tuple[State, Action]:
    return replace(state, courier=replace(courier, killed_for=code, heard=now)), KillCourier(code)


def call_back(state: State, now: float) -> Decided:
    """Children whose work the rows do not ask for any more."""
    actions: list[Action] = []
    job, feeder, courier = state.look.job, state.feeder, state.courier
    run = feeder.run if feeder else None
    mine = job is not None and run is not None and job.id == run.job_id and job.status is Status.SCANNING
    if run and not mine and run.stop is not ErrorCode.CANCELED:
        state = stopping_run(state, ErrorCode.CANCELED, now)
        actions.append(TellFeeder(wire.Cancel()))
    at_the_scanner = job is not None and job.status in {Status.READY, Status.SCANNING}
    if feeder and not run and not feeder.finding and not feeder.killed_for and not at_the_scanner:
        state = replace(state, feeder=None)
        actions.append(RetireFeeder())
    if courier and not (courier.killed_for or courier.reported) and not _wanted(state, courier, job):
        state, kill = _kill_courier(state, courier, ErrorCode.INTERRUPTED, now)
        actions.append(kill)
    return state, actions


def finish_run(state: State, now: float) -> Decided:
    """The daemon stops: the sheet under way is finished, and no other begun."""
    feeder = state.feeder
    if feeder is None or feeder.run is None or feeder.run.stop or feeder.killed_for:
        return state, []
    return stopping_run(state, ErrorCode.INTERRUPTED, now), [TellFeeder(wire.Finish())]


def _wanted(state: State, courier: CourierChild, job: Job | None) -> bool:
    """Whether an task is still to be run. Tidying and asking must never hold up a job's own task."""
    if courier.task in {Task.CHECK, Task.SWEEP}:
        return job is None
    if courier.task is Task.UNSTAGE:
        return job is None or job.status is Status.READY
    if job is None or (job.id, job.entered) != (courier.job_id, courier.entered):
        return False
    wants = {
        Status.READY: Task.BIND,
        Status.SCANNING: Task.BIND,
        Status.ASSEMBLING: Task.BIND if state.look.unsettled else Task.ASSEMBLE,
        Status.COMMITTING: Task.PUBLISH,
    }
    return wants.get(job.status) is courier.task
