"""Judges the children: which has been silent too long, and whose work nobody asks for any more.

(state, now) → (state, actions).
"""

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


def kill_hung(state: State, now: float) -> Decided:
    """Kill children that are silent too long, and abandon those that were killed and do not end.

    This needs no database.

    Args:
        state: what is known.
        now: when the children were last listened to, `monotonic()` seconds.
    """
    actions: list[Action] = []
    feeder, courier = state.feeder, state.courier
    if feeder and feeder.killed_for:
        if now - feeder.heard > DYING_TIME:
            actions.append(AbandonFeeder())
    elif feeder and (code := _why_hung(feeder, now, state.limits.page_timeout)):
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


def _why_hung(feeder: FeederChild, now: float, timeout: float) -> ErrorCode | None:
    """The code for which a feeder has to be killed; None: it need not be."""
    silent = now - feeder.heard > timeout
    run = feeder.run
    if run and run.stop is ErrorCode.CANCELED and (silent or now - run.stop_at > ANSWER_TIME):
        return ErrorCode.CANCELED
    if feeder.resting and now - feeder.heard > min(timeout, RESTING_TIME):
        return ErrorCode.DRIVER_HUNG
    return ErrorCode.DRIVER_HUNG if silent and (run or feeder.finding) else None


def _kill_courier(state: State, courier: CourierChild, code: ErrorCode, now: float) -> tuple[State, Action]:
    return replace(state, courier=replace(courier, killed_for=code, heard=now)), KillCourier(code)


def stop_unwanted(state: State, now: float) -> Decided:
    """Stop children whose work the rows do not ask for any more.

    Args:
        state: what is known, with a fresh snapshot.
        now: `monotonic()` seconds.
    """
    actions: list[Action] = []
    job, feeder, courier = state.snapshot.job, state.feeder, state.courier
    run = feeder.run if feeder else None
    wanted = job is not None and run is not None and job.id == run.job_id and job.status is Status.SCANNING
    if run and not wanted and run.stop is not ErrorCode.CANCELED:
        state = stopping_run(state, ErrorCode.CANCELED, now)
        actions.append(TellFeeder(wire.Cancel()))
    at_the_scanner = job is not None and job.status in {Status.READY, Status.SCANNING}
    if feeder and not run and not feeder.finding and not feeder.killed_for and not at_the_scanner:
        state = replace(state, feeder=None)
        actions.append(RetireFeeder())
    if courier and not (courier.killed_for or courier.reported) and not _is_wanted(state, courier, job):
        state, kill = _kill_courier(state, courier, ErrorCode.INTERRUPTED, now)
        actions.append(kill)
    return state, actions


def finish_run(state: State, now: float) -> Decided:
    """The daemon is to stop: the feeder finishes the sheet under way, and feeds no other."""
    feeder = state.feeder
    if feeder is None or feeder.run is None or feeder.run.stop or feeder.killed_for:
        return state, []
    return stopping_run(state, ErrorCode.INTERRUPTED, now), [TellFeeder(wire.Finish())]


def _is_wanted(state: State, courier: CourierChild, job: Job | None) -> bool:
    """Whether a courier's task is still wanted. Tidying and checking must never hold up a job's own task."""
    if courier.task is Task.CHECK:  # parked jobs wait for it also while others scan
        at_the_scanner = job is not None and job.status in {Status.READY, Status.SCANNING}
        return job is None or (at_the_scanner and not state.snapshot.unrecorded)
    if courier.task is Task.SWEEP:
        return job is None
    if courier.task in {Task.UNSTAGE, Task.READ_BACK}:
        return job is None or job.status is Status.READY
    if job is None or (job.id, job.entered) != (courier.job_id, courier.entered):
        return False
    tasks = {
        Status.READY: {Task.BIND},
        Status.SCANNING: {Task.BIND},
        Status.ASSEMBLING: {Task.BIND} if state.snapshot.unrecorded else {Task.BIND, Task.ASSEMBLE},
        Status.COMMITTING: {Task.PUBLISH},
    }
    return courier.task in tasks.get(job.status, ())
