"""The story: what is to be said of what the daemon saw (before, occurrence, after), and of what it did. Pure.

It saw what clients did, what children said, and what came or went: the scanner, the NAS.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from scand import wire
from scand.agent.log.events import Event
from scand.decide.actions import Advance, Postpone, Record
from scand.decide.occurrences import FeederEnded, FeederSaid, Looked
from scand.faults import nas_is_away
from scand.jobs.lifecycle import Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scand.decide.occurrences import Occurrence
    from scand.decide.state import Snapshot, State

Line: TypeAlias = tuple[Event, dict[str, Any]]


def narrate(before: State, occurrence: Occurrence, after: State) -> Iterator[Line]:
    """The lines to say after an occurrence, each an event and its fields."""
    run = before.feeder and before.feeder.run
    about = {"job": run.job_id, "batch": run.seq} if run else {}
    match occurrence:
        case FeederSaid(wire.Captured(page=page)) if run:
            yield Event.PAGE_CAPTURED, {**about, "page": page.file, "sheet": page.sheet, "side": page.side}
        case FeederSaid(wire.Opened(warnings=warnings)) if run:
            for warning in warnings:
                yield Event.SCANNER_ADJUSTS, {**about, "why": warning}
        case FeederEnded(how) if run:
            yield Event.FEEDER_EXITED, {**about, "how": how}
        case Looked():
            yield from _look(before.snapshot, after.snapshot, after.closed)
        case _:
            pass
    yield from _troubles(before, after)


def _look(before: Snapshot, after: Snapshot, closed: int) -> Iterator[Line]:
    """What a client has done to the job since the last look, and whether its preview holds others up."""
    was, job = before.job, after.job
    if was is not None and (job is None or job.id != was.id) and closed != was.id:
        yield Event.JOB_CANCELED, {"job": was.id}
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
    held = was is not None and was.status is Status.PREVIEW and before.queued
    if job.status is Status.PREVIEW and after.queued and not held:
        yield Event.PREVIEW_HOLDS, {"job": job.id}


def _troubles(before: State, after: State) -> Iterator[Line]:
    for was, now, gone, back in (
        (before.nas_trouble, after.nas_trouble, Event.NAS_AWAY, Event.NAS_BACK),
        (before.scanner_trouble, after.scanner_trouble, Event.SCANNER_MISSING, Event.SCANNER_BACK),
    ):
        if now and not was:
            yield gone, {"code": now.code, "why": now.sentence}
        elif was and not now:
            yield back, {}


def carried_out(action: Advance | Record | Postpone) -> Iterator[Line]:
    """The line to say once the row has taken it."""
    about: dict[str, Any] = {"job": action.job_id}
    match action:
        case Advance():
            yield from _advanced(action)
        case Record():
            about |= {"batch": action.seq, "pages": action.pdf.pages if action.pdf else 0}
            if action.error:
                yield Event.BATCH_FAULT, {**about, "code": action.code, "why": action.error}
            else:
                yield Event.BATCH_RECORDED, about
        case Postpone():
            # That the NAS is away is told when it goes, not at every try.
            if not nas_is_away(action.code):
                about |= {"code": action.code, "why": action.error, "task": action.status}
                yield Event.COURIER_RETRY, {**about, "seconds": action.seconds, "attempt": action.attempt}


def _advanced(step: Advance) -> Iterator[Line]:
    about: dict[str, Any] = {"job": step.job_id}
    if step.code is not None:
        about |= {"code": step.code, "why": step.error}
    if step.staged is not None:
        about |= {"pages": step.staged.document.pages, "path": step.staged.staged}
    match step.to_status:
        case Status.PREVIEW:
            yield (Event.REFUSED if step.code else Event.PREVIEW_READY), about
        case Status.READY:
            yield Event.JOB_READY_WITH_ERROR, about
        case Status.FAILED:
            yield Event.JOB_FAILED, about
        case Status.CANCELED:
            yield Event.IDLE_TIMEOUT, {**about, "outcome": "canceled"}
        case _:
            pass
