"""What an agent does besides jobs: tidy up NAS and local disk, and check whether scanner and NAS are there.

(state, now) → (state, actions).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from scand import wire
from scand.decide.actions import Expire, FindScanner, ForgetStaged, ReadBack, Send, StartFeeder
from scand.decide.state import CourierChild, FeederChild, Task
from scand.decide.timeouts import (
    CHECK_PARKED_EVERY,
    READ_BACK_TRIES,
    SWEEP_EVERY,
    SWEEP_PAUSE,
    UNSTAGE_EVERY,
    backoff,
    check_interval,
)
from scand.faults import ErrorCode, nas_is_away

if TYPE_CHECKING:
    from scand.decide.actions import Decided
    from scand.decide.state import State
    from scand.jobs.rows import UnreadDocument


_KEPT = "Its pages stay on the scan host until they are removed by hand: `sudo scand purge --not-read-back`."


def send(state: State, action: Send, now: float) -> tuple[State, Send]:
    """The state once a courier is on its way; the result of the task before is dropped."""
    courier = CourierChild(action.task, action.job_id, now, action.entered, action.seq)
    return replace(state, courier=courier, done=None), action


def check_nas(state: State, now: float, every: float) -> Decided:
    """Check whether the NAS is there, unless that was done in the last `every` seconds."""
    if state.courier is not None or now - state.nas_checked < every:
        return state, []
    delivery = state.snapshot.delivery
    check = Send(Task.CHECK, 0, room=delivery.room if delivery else 0)
    state, action = send(replace(state, nas_checked=now), check, now)
    return state, [action]


def check_for_parked(state: State, now: float) -> Decided:
    """Ask the NAS whether parked jobs can go on; after deliveries that failed all the same, ever more seldom."""
    if state.snapshot.delivery is None or state.nas_well:
        return state, []
    return check_nas(state, now, max(CHECK_PARKED_EVERY, backoff(state.nas_refusals)))


def unstage(state: State, now: float) -> Decided:
    """Remove a staged file that its job does not need any more, since it was reopened or canceled."""
    stale, done = state.snapshot.stale, state.done
    if stale is None:
        return state, []
    if done and done.job_id == stale.job_id and done.task is Task.UNSTAGE:
        if isinstance(done.report, wire.Unstaged):
            state = replace(state, done=None, unstage_after=0.0, fresh=False)
            return state, [ForgetStaged(stale.job_id, done.report.left)]
        after = now + UNSTAGE_EVERY
        return replace(state, done=None, unstage_after=after, unstage_failed=stale.job_id, fresh=False), []
    if state.courier is not None or now < state.unstage_after:
        return state, []
    state, action = send(state, Send(Task.UNSTAGE, stale.job_id, staged=stale.path), now)
    return state, [action]


def read_back(state: State, now: float) -> Decided:
    """Find the document that a client has committed, so that its pages may leave the local disk one day."""
    unread, done = state.snapshot.unread, state.done
    if unread is None:
        return state, []
    if done and done.job_id == unread.job_id and done.task is Task.READ_BACK:
        return replace(state, done=None, fresh=False), [_found(unread, done.report)]
    if unread.inbox_path is None or unread.sha256 is None:
        why = f"A client has committed this document, and the row does not say as which file. {_KEPT}"
        missing = ReadBack(unread.job_id, found=False, code=ErrorCode.NOT_READ_BACK, error=why)
        return replace(state, fresh=False), [missing]
    if state.courier is not None:
        return state, []
    state, action = send(state, Send(Task.READ_BACK, unread.job_id, unread=unread), now)
    return state, [action]


def _found(unread: UnreadDocument, report: wire.Report) -> ReadBack:
    """What looking for it means for the row. While the NAS is away, nothing is looked for in vain."""
    if isinstance(report, wire.Found):
        return ReadBack(unread.job_id, found=True)
    failed = report if isinstance(report, wire.Failed) else None
    if failed is None or nas_is_away(failed.code):
        seconds = check_interval(failed)
        return ReadBack(unread.job_id, found=False, attempts=unread.attempts, seconds=seconds)
    tries = unread.attempts + 1
    if tries < READ_BACK_TRIES:
        return ReadBack(unread.job_id, found=False, attempts=tries, seconds=backoff(unread.attempts))
    why = f"{failed.sentence} {_KEPT}"
    return ReadBack(unread.job_id, found=False, attempts=tries, code=ErrorCode.NOT_READ_BACK, error=why)


def sweep(state: State, now: float) -> Decided:
    """Remove local files of finished jobs once `staging.keep` is over: first in the rows, then on disk."""
    keep = state.limits.keep
    pause = max(SWEEP_PAUSE, min(SWEEP_EVERY, keep)) if keep is not None else 0.0
    if keep is None or state.courier is not None or now - state.swept < pause:
        return state, []
    state, action = send(replace(state, swept=now), Send(Task.SWEEP, 0), now)
    return replace(state, fresh=False), [Expire(keep), action]


def check_scanner_and_nas(state: State, now: float) -> Decided:
    """Check now and then whether scanner and NAS are there; more often while one is not."""
    state, actions = check_nas(state, now, check_interval(state.nas_trouble))
    if state.feeder is None and now - state.scanner_checked >= check_interval(state.scanner_trouble):
        state = replace(state, scanner_checked=now, feeder=FeederChild(heard=now, finding=True))
        actions += [StartFeeder(), FindScanner()]
    return state, actions
