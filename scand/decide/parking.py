"""A job that only waits gives way to whoever wants the scanner: it is *parked* in the queue.

It only waits while the NAS is away, while a courier makes no progress there, or, in preview, when no client has
touched it for `agent.preview_hold`. Nothing that it has is given up, and it goes on where it was (`turns`).
Source: docs/design.md "Parking".
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from scand import wire
from scand.decide.actions import GiveUp, KillCourier, Park
from scand.decide.sentences import NOT_ANSWERED, UNPUBLISHED
from scand.decide.timeouts import STALLED
from scand.decide.turns import scanner_is_wanted
from scand.faults import ErrorCode, nas_is_away
from scand.jobs.lifecycle import Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scand.decide.actions import Action
    from scand.decide.decision import Decision
    from scand.decide.limits import Limits
    from scand.decide.state import CourierChild, ParkedJob, State
    from scand.jobs.rows import Job

NAS_HUNG = "The NAS does not answer."


def give_way(decision: Decision, job: Job) -> Iterator[Action]:
    """Park the job if it only waits and somebody else wants to go on; else nothing."""
    state = decision.state
    if state.stopping or not (scanner_is_wanted(state) or state.snapshot.delivery is not None):
        return
    courier = state.courier if state.courier and _works_for(state.courier, job) else None
    if job.status is Status.PREVIEW:
        if (job.idle or 0) >= state.limits.preview_hold:
            yield _park(decision, job)
    elif courier is None or courier.killed_for is ErrorCode.NAS_HUNG:
        if nas_is_away(job.error_code) and job.wait > 0:
            yield _park(decision, job)
        elif (trouble := state.nas_trouble) is not None:  # untried
            yield _park(decision, job, trouble)
    elif not (courier.killed_for or courier.reported) and _stalled(courier, decision.now):
        hung = wire.Failed(code=ErrorCode.NAS_HUNG, sentence=NAS_HUNG)
        killed = replace(courier, killed_for=ErrorCode.NAS_HUNG, heard=decision.now)
        decision.state = replace(state, courier=killed, nas_trouble=hung, nas_proved=False)
        yield KillCourier(ErrorCode.NAS_HUNG)
        yield _park(decision, job, hung)


def _works_for(courier: CourierChild, job: Job) -> bool:
    return (courier.job_id, courier.entered) == (job.id, job.entered)


def _stalled(courier: CourierChild, now: float) -> bool:
    """Whether a courier makes no progress on the NAS. Merging is local work."""
    local = courier.task.local or (courier.progress is not None and courier.progress.step == "merging")
    return not local and now - courier.heard > STALLED


def _park(decision: Decision, job: Job, trouble: wire.Failed | None = None) -> Action:
    """Park the job; with `trouble` the row says why it waits, else it says so already."""
    decision.state = replace(decision.state, closed=job.id)
    park = Park(job.id, job.status, job.entered, decision.state.limits.preview_hold)
    if trouble is not None:
        park = replace(park, code=trouble.code, error=trouble.sentence)
    return decision.write(park)


def waits_to_be_parked(state: State, job: Job) -> bool:
    """Whether the signal "scan now" is to be remembered, since this job may give way or be done in a moment."""
    if job.status is Status.PREVIEW:
        return (job.idle or 0) >= state.limits.preview_hold
    return job.status in {Status.ASSEMBLING, Status.COMMITTING}


def given_up(parked: ParkedJob, limits: Limits) -> GiveUp:
    """What becomes of a parked job that has waited for too long."""
    if parked.resumes_in is Status.PREVIEW:
        return GiveUp(
            parked.job_id, parked.resumes_in, ErrorCode.IDLE_TIMEOUT, NOT_ANSWERED, limits.preview_timeout
        )
    return GiveUp(parked.job_id, parked.resumes_in, ErrorCode.PUBLICATION_UNKNOWN, UNPUBLISHED)
