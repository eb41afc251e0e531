"""What has happened, folded into what is known: (view, occurrence, now) → view.

Whatever can have changed a row or the disk makes the view stale, so that the next decision asks for a new look.
"""

from __future__ import annotations

from dataclasses import replace

from scand import wire
from scand.decide.actions import EndBatch, Intent, KillCourier, RetireFeeder, TellFeeder
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
from scand.decide.state import CourierChild, Look, View
from scand.errors import DEVICE_RETRIED, ErrorCode
from scand.jobs.lifecycle import Status
from scand.spool.records import End

RESPAWN = 5.0
"""Seconds before a feeder whose process has ended by itself is started again to be warm."""


def absorb(view: View, occurrence: Occurrence, now: float) -> tuple[View, list[Intent]]:
    """The view after an occurrence, and what must be done at once, with or without a database.

    Args:
        now: `monotonic()` seconds.
    """
    match occurrence:
        case Looked(look):
            return _looked(view, look), []
        case LookDue():
            return replace(view, serving=True, fresh=False), []
        case DatabaseLost():
            # Whether a word that was to be given has reached the row is unknown: it is given again.
            courier = view.courier and replace(view.courier, told=False)
            return replace(view, serving=False, fresh=False, courier=courier), []
        case Displaced():
            return _displaced(view, now)
        case FeederSaid(report):
            return _feeder_said(view, report, now), []
        case FeederEnded(how):
            return _feeder_ended(view, how, now)
        case CourierSaid(report):
            return _courier_said(view, report, now), []
        case CourierEnded(how):
            return _courier_ended(view, how), []
        case ScanAsked():
            return replace(view, scan_asked=now, fresh=False), []
        case StopAsked():
            return replace(view, stopping=True), []
        case Configured(limits):
            return replace(view, limits=limits, fresh=False), []
        case Tick():
            return view, []


def _looked(view: View, look: Look) -> View:
    """How the last run ended matters while its job is scanning; a bound PDF until it is recorded."""
    job, ended, bound = look.job, view.ended, view.bound
    if bound and not (job and job.id == bound[0] and bound[1] in {batch.seq for batch in look.unsettled}):
        bound = None
    if ended and not (job and job.id == ended[0] and job.status is Status.SCANNING):
        ended = None
    return replace(view, fresh=True, look=look, ended=ended, bound=bound)


def _displaced(view: View, now: float) -> tuple[View, list[Intent]]:
    view = replace(view, serving=False, fresh=False, look=Look())
    intents: list[Intent] = []
    if view.feeder and view.feeder.run and view.feeder.run.stop is not ErrorCode.CANCELED:
        intents.append(TellFeeder(wire.Cancel()))
        view = stopping_run(view, ErrorCode.CANCELED, now)
    elif view.feeder and not (view.feeder.run or view.feeder.finding or view.feeder.killed_for):
        intents.append(RetireFeeder())  # it has the device open, which may be the other's
        view = replace(view, feeder=None)
    if view.courier and not view.courier.killed_for:
        intents.append(KillCourier(None))
        view = replace(view, courier=replace(view.courier, killed_for=ErrorCode.INTERRUPTED, heard=now))
    return view, intents


def stopping_run(view: View, why: ErrorCode, now: float) -> View:
    """The view once the run under way has been told to end."""
    assert view.feeder  # noqa: S101 - only called with a run
    assert view.feeder.run  # noqa: S101
    run = replace(view.feeder.run, stop=why, stop_at=now)
    return replace(view, feeder=replace(view.feeder, run=run))


def _feeder_said(view: View, report: wire.Report, now: float) -> View:
    if view.feeder is None:
        return view
    feeder, run = replace(view.feeder, heard=now), view.feeder.run
    if isinstance(report, wire.Opened):
        view = replace(
            view, device=report.device, device_for=run.scanner if run else "", scanner_trouble=None
        )
        run = run and replace(run, duplex=report.duplex)
        feeder = replace(feeder, run=run)
    elif feeder.finding and isinstance(report, wire.FoundDevice | wire.Failed):
        trouble = report if isinstance(report, wire.Failed) else None
        view, feeder = replace(view, scanner_trouble=trouble), replace(feeder, finding=False)
    if isinstance(report, wire.Idle):
        feeder = replace(feeder, resting=False)
    elif run and isinstance(report, wire.Captured):
        feeder = replace(feeder, run=replace(run, captured=run.captured + 1))
    elif run and isinstance(report, wire.Ended):
        # One that leaves by itself is gone as one that was killed: nothing more is asked of it.
        leaving = ErrorCode.DEVICE_ERROR if report.leaving else None
        feeder = replace(feeder, run=None, resting=True, killed_for=feeder.killed_for or leaving)
        if report.end.code in DEVICE_RETRIED and not run.captured:
            failed = wire.Failed(code=report.end.code, sentence=report.end.detail)
            view = replace(view, scanner_trouble=failed)
        return replace(view, feeder=feeder, ended=(run.job_id, report), fresh=False)
    return replace(view, feeder=feeder)


def _feeder_ended(view: View, how: str, now: float) -> tuple[View, list[Intent]]:
    feeder = view.feeder
    view = replace(view, feeder=None, fresh=False, feeder_after=now + RESPAWN)
    if feeder is not None and feeder.finding:
        sentence = f"The scanner's driver does not answer ({how})."
        trouble = wire.Failed(code=feeder.killed_for or ErrorCode.DRIVER_CRASHED, sentence=sentence)
        view = replace(view, scanner_trouble=trouble)
    if feeder is None or feeder.run is None:
        return view, []
    run, code = feeder.run, feeder.killed_for or ErrorCode.DRIVER_CRASHED
    end = End(code=code, detail="" if feeder.killed_for else how)
    view = replace(view, ended=(run.job_id, wire.Ended(end=end)))
    return view, [EndBatch(run.job_id, run.seq, end)]


def _courier_said(view: View, report: wire.Report, now: float) -> View:
    courier = view.courier
    if courier is None or courier.killed_for:
        return view  # the last words of one whose errand is nobody's any more
    view = replace(view, courier=replace(courier, heard=now))
    match report:
        case wire.Alive():
            return replace(view, courier=replace(courier, heard=now, at=report))
        case wire.Named():
            courier = replace(courier, heard=now, named=report, told=False)
            return replace(view, courier=courier, fresh=False)
        case wire.BoundPdf(pdf=pdf):
            courier = replace(courier, heard=now, reported=True)
            return replace(view, courier=courier, bound=(courier.job_id, courier.seq, pdf), fresh=False)
        case (
            wire.Staged() | wire.Published() | wire.Unstaged() | wire.Swept() | wire.Checked() | wire.Failed()
        ):
            courier = replace(courier, heard=now, reported=True)
            return _came_back(replace(view, courier=courier), courier, report)
        case _:
            return view


def _courier_ended(view: View, how: str) -> View:
    courier = view.courier
    view = replace(view, courier=None, fresh=False)
    if courier is None or courier.reported or courier.killed_for is ErrorCode.INTERRUPTED:
        return view
    code = courier.killed_for or ErrorCode.COURIER_CRASHED
    mend = "The NAS does not answer." if code is ErrorCode.NAS_HUNG else f"The courier ended early ({how})."
    return _came_back(view, courier, wire.Failed(code=code, sentence=mend))


def _came_back(view: View, courier: CourierChild, report: wire.Report) -> View:
    """What an errand brought, and what it tells of the NAS."""
    if isinstance(report, wire.Failed):
        of_the_nas = report.code is not None and report.code.value.startswith("nas_")
        view = replace(view, nas_trouble=report if of_the_nas else view.nas_trouble)
    elif not courier.errand.local:
        if view.nas_trouble:
            view = replace(view, unstage_after=0.0)  # what failed while it was away is tried at once
        view = replace(view, nas_trouble=None)
    done = (courier.job_id, courier.entered, courier.errand, report)
    return replace(view, done=done, fresh=False)
