"""Chooses the log's lines about jobs, scanner and NAS. Pure.

`narrate` tells what the daemon saw: what clients did, what children reported, and whether the scanner and the NAS
are there. `narrate_outcome` tells what it did itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from scand import wire
from scand.agent.log.events import Event
from scand.decide import actions, occurrences
from scand.decide.state import Task
from scand.faults import nas_is_away
from scand.jobs.lifecycle import PARKED_FOR, Actor, Status
from scand.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scand.decide.occurrences import Occurrence, Outcome
    from scand.decide.state import Snapshot, State

Line: TypeAlias = tuple[Event, dict[str, Any]]


def narrate(before: State, occurrence: Occurrence, after: State) -> Iterator[Line]:
    """The lines to say after an occurrence, each an event and its fields."""
    run = before.feeder and before.feeder.run
    about = {"job": run.job_id, "batch": run.seq} if run else {}
    match occurrence:
        case occurrences.FeederSaid(wire.Captured(page=page)) if run:
            yield Event.PAGE_CAPTURED, {**about, "page": page.file, "sheet": page.sheet, "side": page.side}
        case occurrences.FeederSaid(wire.Opened(warnings=warnings)) if run:
            for warning in warnings:
                yield Event.SCANNER_ADJUSTS, {**about, "why": warning}
        case occurrences.FeederEnded(how) if run:
            yield Event.FEEDER_EXITED, {**about, "how": how}
        case occurrences.Looked():
            yield from _look(before.snapshot, after.snapshot, after.closed)
        case _:
            pass
    yield from _troubles(before, after)
    if after.access_refused and not before.access_refused:
        yield Event.ACCESS_REFUSED, {}
    done = after.done
    if (
        done
        and done is not before.done
        and done.task in {Task.UNSTAGE, Task.SWEEP}
        and isinstance(done.report, wire.Failed)
    ):
        yield from _tidying_failed(done.job_id, done.task, done.report)


def _tidying_failed(job_id: int, task: Task, failed: wire.Failed) -> Iterator[Line]:
    """A task that no job's row tells of; the NAS's own troubles are told by `_troubles`."""
    if failed.code is None or not nas_is_away(failed.code):
        yield Event.COURIER_FAILED, {"job": job_id, "task": task, "code": failed.code, "why": failed.sentence}


def _look(before: Snapshot, after: Snapshot, closed: int) -> Iterator[Line]:
    """What a client has done to the job since the last look."""
    was, job = before.job, after.job
    if was is not None and (job is None or job.id != was.id) and closed != was.id:
        yield _gone(was.id, after)
    if job is None:
        return
    # By the step, not by the two statuses: the client may have been faster than the look at the step before.
    if was is not None and was.id == job.id and was.entered != job.entered:
        if job.status is Status.ASSEMBLING:
            yield Event.ASSEMBLING, {"job": job.id}
        elif job.status is Status.COMMITTING:
            yield Event.COMMITTING, {"job": job.id}
        elif job.entered_from == Status.PREVIEW and job.status is Status.READY:
            yield Event.JOB_REOPENED, {"job": job.id}


def _gone(job_id: int, after: Snapshot) -> Line:
    """The job that was active is not any more, and it was not the agent who ended it."""
    match after.former:
        case None:
            return Event.JOB_DELETED, {"job": job_id}
        case Status.CANCELED:
            return Event.JOB_CANCELED, {"job": job_id}
        case Status.COMMITTED:
            return Event.COMMITTED, {"job": job_id, "path": after.former_path}
        case status:
            return Event.JOB_TAKEN, {"job": job_id, "status": status}


def _troubles(before: State, after: State) -> Iterator[Line]:
    for was, now, gone, back in (
        (before.nas_trouble, after.nas_trouble, Event.NAS_AWAY, Event.NAS_BACK),
        (before.scanner_trouble, after.scanner_trouble, Event.SCANNER_MISSING, Event.SCANNER_BACK),
    ):
        if now and not was:
            yield gone, {"code": now.code, "why": now.sentence}
        elif was and not now:
            yield back, {}


def narrate_outcome(outcome: Outcome) -> Iterator[Line]:
    """The lines to say of what became of an action, as soon as it is performed."""
    match outcome:
        case occurrences.Written(action):
            yield from _written(action)
        case occurrences.NotWritten(actions.Advance(actor=Actor.AGENT, job_id=job_id, to_status=wanted)):
            yield Event.STEP_REFUSED, {"job": job_id, "wanted": wanted}
        case occurrences.Claimed(job_id, title, Status.READY):
            yield Event.JOB_CLAIMED, {"job": job_id, "title": title}
        case occurrences.Claimed(job_id, _title, status):
            yield Event.JOB_RESUMED, {"job": job_id, "status": status}
        case occurrences.ManualJobMade(job_id, title):
            yield Event.MANUAL_JOB_MADE, {"job": job_id, "title": title}
        case occurrences.SpoolPutAside(job_id, path):
            yield Event.SPOOL_PUT_ASIDE, {"job": job_id, "path": path}
        case occurrences.StatusRowMade(epoch):
            yield Event.STATUS_ROW_MADE, {"epoch": epoch}
        case occurrences.CanceledBatchRecorded(job_id, seq, pages):
            holds = _holds(pages, "not in a document, since the job was canceled")
            yield Event.BATCH_RECORDED, {"job": job_id, "batch": seq, "pages": pages, "holds": holds}
        case occurrences.FilesExpired(job_id):
            yield Event.FILES_EXPIRED, {"job": job_id}
        case occurrences.DiskRefused(why):
            yield Event.UNEXPECTED, {"why": why}
        case occurrences.Performed(action):
            yield from _performed(action)
        case _:
            pass


def _written(action: actions.RowWrite) -> Iterator[Line]:
    match action:
        case actions.Advance() as step:
            yield from _advanced(step)
        case actions.Record() as batch:
            yield from _recorded(batch)
        case actions.Postpone(code=code) if nas_is_away(code):
            pass  # it is told once, when the NAS goes, and not at every try
        case actions.Postpone() as delay:
            about = {"job": delay.job_id, "code": delay.code, "why": delay.error, "task": delay.status}
            yield Event.COURIER_RETRY, {**about, "seconds": delay.seconds, "attempt": delay.attempt}
        case actions.Park(job_id, status, error=why):
            yield Event.JOB_PARKED, {"job": job_id, "status": status, "why": why or PARKED_FOR[status]}
        case actions.GiveUp(job_id, code=code, error=why):
            yield Event.JOB_FAILED, {"job": job_id, "code": code, "why": why}
        case actions.Hold(job_id, error=why):
            yield Event.PAPER_LEFT, {"job": job_id, "why": why}
        case actions.Commit(job_id, published):
            path, sha256 = published.inbox_path, published.sha256
            yield Event.COMMITTED, {"job": job_id, "path": path, "sha256": sha256}
        case actions.ReadBack(job_id, found=True):
            yield Event.READ_BACK, {"job": job_id}
        case actions.ReadBack(job_id, code=code, error=why) if code is not None:
            yield Event.NOT_READ_BACK, {"job": job_id, "code": code, "why": why}
        case actions.ExpectStaged(job_id, odd=str() as path) | actions.ForgetStaged(
            job_id, left=str() as path
        ):
            yield Event.STAGED_LEFT, {"job": job_id, "path": path}
        case _:
            pass


def _performed(action: actions.LocalAction) -> Iterator[Line]:
    match action:
        case actions.Scan(job_id, seq):
            yield Event.BATCH_STARTED, {"job": job_id, "batch": seq}
        case actions.StartFeeder():
            yield Event.FEEDER_STARTED, {}
        case actions.KillFeeder(code):
            yield Event.FEEDER_KILLED, {"code": code, "why": code}
        case actions.Send(task, job_id):
            yield Event.COURIER_STARTED, {"job": job_id, "task": task}
        case actions.RefuseScan(status):
            yield Event.SCAN_REFUSED, {"why": f"a job is {status}" if status else "the database is away"}
        case _:
            pass


def _recorded(batch: actions.Record) -> Iterator[Line]:
    pages = batch.pdf.pages if batch.pdf else 0
    about = {"job": batch.job_id, "batch": batch.seq, "pages": pages, "blank": batch.blank}
    if batch.code:
        yield Event.BATCH_FAULT, {**about, "code": batch.code, "why": batch.error}
        return
    yield Event.BATCH_RECORDED, {**about, "holds": _holds(pages, _left_out(blank=batch.blank))}
    if batch.error:
        yield Event.JOB_READY_WITH_ERROR, {"job": batch.job_id, "code": "unanswered", "why": batch.error}


def _holds(pages: int, *more: str) -> str:
    """What a document or a batch holds, and what it does not."""
    return "; ".join(filter(None, [counted(pages, "page"), *more]))


def _left_out(**sides: int) -> str:
    """How many sides are left out of the document, by the reason."""
    words = " and ".join(f"{count} {why}" for why, count in sides.items() if count)
    return f"{words} left out" if words else ""


def _advanced(step: actions.Advance) -> Iterator[Line]:
    about: dict[str, Any] = {"job": step.job_id}
    if step.code is not None:
        about |= {"code": step.code, "why": step.error}
    if step.staged is not None:
        pages, plan = step.staged.document.pages, step.plan
        sides = {"blank": plan.blank, "dropped": plan.dropped, "suspect": plan.suspect} if plan else {}
        holds = _holds(pages, _left_out(**sides), step.left_out)
        about |= {**sides, "pages": pages, "path": step.staged.staged, "holds": holds}
    match step.to_status:
        case Status.PREVIEW:
            if step.staged:
                yield Event.PREVIEW_READY, about
            else:
                yield (Event.REFUSED if step.code else Event.WITHDRAWN), about
        case Status.READY:
            yield Event.JOB_READY_WITH_ERROR, about
        case Status.FAILED:
            yield Event.JOB_FAILED, about
        case Status.CANCELED:
            yield Event.IDLE_TIMEOUT, {**about, "outcome": "canceled"}
        case _:
            pass
