"""The children, judged: (view, now) → (view, intents). Who is silent too long, and whose work nobody asks for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from scand import wire
from scand.decide.actions import (
    AbandonCourier,
    AbandonFeeder,
    Intent,
    KillCourier,
    KillFeeder,
    RetireFeeder,
    TellFeeder,
)
from scand.decide.state import CourierChild, Errand, View
from scand.decide.timeouts import ANSWER_TIME, COURIER_SILENCE, DYING_TIME, RESTING_TIME
from scand.decide.update import stopping_run
from scand.errors import ErrorCode
from scand.jobs.lifecycle import Status

if TYPE_CHECKING:
    from scand.decide.actions import Decided
    from scand.decide.state import FeederChild
    from scand.jobs.rows import Job


def judge(view: View, now: float) -> Decided:
    """Children that are silent too long, or were told to end and do not. Needs no database."""
    intents: list[Intent] = []
    feeder, courier = view.feeder, view.courier
    if feeder and feeder.killed_for:
        if now - feeder.heard > DYING_TIME:
            intents.append(AbandonFeeder())
    elif feeder and (code := _verdict(feeder, now, view.limits.page_timeout)):
        view = replace(view, feeder=replace(feeder, killed_for=code, heard=now))
        intents.append(KillFeeder(code))
    if courier and courier.killed_for:
        if now - courier.heard > DYING_TIME:
            intents.append(AbandonCourier())
    elif courier and now - courier.heard > (DYING_TIME if courier.reported else COURIER_SILENCE):
        code = ErrorCode.COURIER_CRASHED if courier.errand.local else ErrorCode.NAS_HUNG
        view, kill = _kill_courier(view, courier, code, now)
        intents.append(kill)
    return view, intents


def _verdict(feeder: FeederChild, now: float, patience: float) -> ErrorCode | None:
    """Why a feeder has to be killed, if it has to."""
    silent = now - feeder.heard > patience
    run = feeder.run
    if run and run.stop is ErrorCode.CANCELED and (silent or now - run.stop_at > ANSWER_TIME):
        return ErrorCode.CANCELED
    if feeder.resting and now - feeder.heard > min(patience, RESTING_TIME):
        return ErrorCode.DRIVER_HUNG
    return ErrorCode.DRIVER_HUNG if silent and (run or feeder.finding) else None


def _kill_courier(view: View, courier: CourierChild, code: ErrorCode, now: float) -> tuple[View, Intent]:
    return replace(view, courier=replace(courier, killed_for=code, heard=now)), KillCourier(code)


def call_back(view: View, now: float) -> Decided:
    """Children whose work the rows do not ask for any more."""
    intents: list[Intent] = []
    job, feeder, courier = view.look.job, view.feeder, view.courier
    run = feeder.run if feeder else None
    mine = job is not None and run is not None and job.id == run.job_id and job.status is Status.SCANNING
    if run and not mine and run.stop is not ErrorCode.CANCELED:
        view = stopping_run(view, ErrorCode.CANCELED, now)
        intents.append(TellFeeder(wire.Cancel()))
    at_the_scanner = job is not None and job.status in {Status.READY, Status.SCANNING}
    if feeder and not run and not feeder.finding and not feeder.killed_for and not at_the_scanner:
        view = replace(view, feeder=None)
        intents.append(RetireFeeder())
    if courier and not (courier.killed_for or courier.reported) and not _wanted(view, courier, job):
        view, kill = _kill_courier(view, courier, ErrorCode.INTERRUPTED, now)
        intents.append(kill)
    return view, intents


def finish_run(view: View, now: float) -> Decided:
    """The daemon stops: the sheet under way is finished, and no other begun."""
    feeder = view.feeder
    if feeder is None or feeder.run is None or feeder.run.stop or feeder.killed_for:
        return view, []
    return stopping_run(view, ErrorCode.INTERRUPTED, now), [TellFeeder(wire.Finish())]


def _wanted(view: View, courier: CourierChild, job: Job | None) -> bool:
    """Whether an errand is still to be run. Tidying and asking must never hold up a job's own errand."""
    if courier.errand in {Errand.CHECK, Errand.SWEEP}:
        return job is None
    if courier.errand is Errand.UNSTAGE:
        return job is None or job.status is Status.READY
    if job is None or (job.id, job.entered) != (courier.job_id, courier.entered):
        return False
    wants = {
        Status.READY: Errand.BIND,
        Status.SCANNING: Errand.BIND,
        Status.ASSEMBLING: Errand.BIND if view.look.unsettled else Errand.ASSEMBLE,
        Status.COMMITTING: Errand.PUBLISH,
    }
    return wants.get(job.status) is courier.errand
