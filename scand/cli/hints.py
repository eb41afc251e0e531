"""What a person can do next with a job, and what the agent does by itself; from rows and settings. Pure.

The agent's own steps are decided in `decide`; a test compares what is said here with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from scand.cli.parked import course
from scand.cli.progress import quiet
from scand.errors import ScandError
from scand.faults import ErrorCode
from scand.jobs.answers import left_out, pieced, unanswered
from scand.jobs.lifecycle import MERGED, Status
from scand.jobs.settings import Finish, Sides, Trigger, resolve

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scand.queue.intents import BatchRow, JobRow, JobView


class Asked(NamedTuple):
    """How far a job goes by itself.

    Attributes:
        scan: what starts the first batch.
        finish: how far the agent goes by itself.
        halves: batches are fronts and backs in turn.
        keeps: the settings say themselves that a batch which ended in a fault is kept.
    """

    scan: Trigger = Trigger.MANUAL
    finish: Finish = Finish.HOLD
    halves: bool = False
    keeps: bool = False


def asked(job: JobRow, profiles: Mapping[str, Mapping[str, Any]]) -> Asked:
    """What a job asks for on top of its profile; where the profile is not known here, what the job itself says."""
    settings = job.settings if isinstance(job.settings, dict) else {}
    for raw in (settings, {key: settings[key] for key in _COURSE if key in settings}):
        try:
            found = resolve(raw, profiles)
        except ScandError:
            continue
        return Asked(found.scan, found.finish, found.sides is Sides.MANUAL_DUPLEX, found.keeps_on_jam)
    return Asked()


_COURSE = ("scan", "finish", "sides", "on_jam")


def goes_on_to(view: JobView, wish: Asked) -> Status | None:
    """The status to which the agent is about to take a job by itself; None: the next step is a person's."""
    job = view.job
    if quiet(job) or job.error_code is not None or unanswered(view.batches):
        return None
    came_from = view.events[-1].from_status if view.events else None
    taken_back = len(view.events) > 1 and view.events[-2].to_status == Status.READY  # while it was parked
    match job.status, came_from:
        case Status.READY, Status.QUEUED if wish.scan is Trigger.AUTO and not taken_back:
            return Status.SCANNING
        case Status.READY, Status.SCANNING if _finishes(view, wish):
            kept = sum(batch.kept for batch in view.batches)
            return Status.ASSEMBLING if kept and not (wish.halves and kept % 2) else None
        case Status.PREVIEW, Status.ASSEMBLING if wish.finish is Finish.COMMIT and not _reopened(view):
            return Status.COMMITTING if wish.keeps or not pieced(view.batches) else None
        case _:
            return None


def _finishes(view: JobView, wish: Asked) -> bool:
    """Whether the setting `finish` still acts on this job: it does so once."""
    assembled = any(event.to_status == Status.ASSEMBLING for event in view.events)
    return wish.finish is not Finish.HOLD and not assembled and view.job.page_count is None


def _reopened(view: JobView) -> bool:
    return any(
        event.from_status == Status.PREVIEW and event.to_status in {Status.READY, Status.ASSEMBLING}
        for event in view.events
    )


_DESTINATION = {Finish.PREVIEW: "its preview", Finish.COMMIT: "the Inbox"}


def hint(view: JobView, wish: Asked, holder: int | None = None) -> str:
    """What to do next, or what happens by itself; "" where there is nothing to say.

    Args:
        holder: the job that holds the scanner now.
    """
    job = view.job
    match job.stage:
        case Status.DRAFT:
            return f"scand scan {job.id} puts it into the queue"
        case Status.QUEUED:
            return _queued(job, wish, holder)
        case Status.READY:
            return _ready(view, wish)
        case Status.PREVIEW if goes_on_to(view, wish):
            return _joined(left_out(view.batches), "goes into the Inbox by itself")
        case Status.PREVIEW:
            answers = f"as it should be: scand commit {job.id} · not yet: scand reopen {job.id}"
            return _joined(left_out(view.batches), _once(view), answers)
        case Status.ASSEMBLING | Status.COMMITTING | Status.COMMITTED:
            return _joined(left_out(view.batches) if job.stage in MERGED else "", course(job))
        case Status.FAILED:
            return f"again, with the batches that it has: scand retry {job.id}"
        case Status.CANCELED:
            return f"again: scand retry {job.id}"
        case _:
            return ""


def _queued(job: JobRow, wish: Asked, holder: int | None) -> str:
    if job.error_code == ErrorCode.PAPER_LEFT:
        return f"when the feeder holds its paper and no other: scand scan {job.id}"
    if holder is not None and holder != job.id:
        then = ", then it starts by itself" if wish.scan is Trigger.AUTO else ""
        return f"waits: the scanner is job {holder}'s (scand show {holder}){then}"
    if wish.scan is Trigger.AUTO:
        return "put the paper in: it starts by itself as soon as the scanner is free"
    return f"put the paper in, then: scand scan {job.id}"


def _ready(view: JobView, wish: Asked) -> str:
    job, waiting = view.job, unanswered(view.batches)
    going = goes_on_to(view, wish)
    if going is Status.SCANNING:
        return "starts by itself now"
    if going is Status.ASSEMBLING:
        return f"goes on to {_DESTINATION[wish.finish]} by itself"
    again = f"scand scan {job.id}"
    if waiting:
        said = (
            "" if job.error else waiting[-1].error or ""
        )  # that of the job may be gone: it was queued again
        return _joined(said, _question(job.id, waiting[-1], again, wish))
    kept = sum(batch.kept for batch in view.batches)
    if kept and wish.halves and kept % 2:
        return f"turn the stack over for the backs, then: {again}"
    if kept:
        return _joined(_once(view), f"more paper: {again} · that was all: scand finish {job.id}")
    if view.batches:
        return (
            f"scand restore {job.id} {view.batches[0].batch_seq} takes a batch in again · more paper: {again}"
        )
    then = f" (on to {_DESTINATION[wish.finish]} by itself)" if _finishes(view, wish) else ""
    return f"put the paper in, then: {again}{then}"


def _question(job_id: int, batch: BatchRow, again: str, wish: Asked) -> str:
    """What becomes of a batch that ended in a fault; its own sentence says from which sheet to feed again."""
    restore, discard = (f"scand {verb} {job_id} {batch.seq}" for verb in ("restore", "discard"))
    which = f"batch {batch.seq} ended in a fault"
    if wish.halves:
        return f"{which}: feed the whole stack again: {again} · without it: {discard}"
    if batch.kept:
        return (
            f"{which}: feed the rest: {again} · that was all: {restore} · start over: {discard}, then {again}"
        )
    return f"{which}: its pages belong in: {restore} · without them: {discard} · then feed again: {again}"


def _once(view: JobView) -> str:
    """A warning for whoever has fed the whole stack again after a fault, or not the rest of it."""
    found = pieced(view.batches)
    more = any(batch.kept and batch.seq > found[0] for batch in view.batches) if found else False
    return f"look whether each sheet is in it once: batch {found[0]} ended in a fault" if more else ""


def _joined(*parts: str) -> str:
    return " · ".join(part for part in parts if part)
