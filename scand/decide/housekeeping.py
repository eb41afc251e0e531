"""What an agent does besides jobs: tidy up NAS and local disk, and check whether scanner and NAS are there.

(state, now) → (state, actions).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from scand import wire
from scand.decide.actions import Expire, FindScanner, ForgetStaged, Send, StartFeeder
from scand.decide.state import CourierChild, FeederChild, Task
from scand.decide.timeouts import SWEEP_EVERY, SWEEP_PAUSE, UNSTAGE_EVERY, check_interval

if TYPE_CHECKING:
    from scand.decide.actions import Action, Decided
    from scand.decide.state import State


def send(state: State, action: Send, now: float) -> tuple[State, Send]:
    """The state once a courier is on its way; the result of the task before is dropped."""
    courier = CourierChild(action.task, action.job_id, now, action.entered, action.seq)
    return replace(state, courier=courier, done=None), action


def unstage(state: State, now: float) -> Decided:
    """Remove a staged file that its job does not need any more, since it was reopened or canceled."""
    stale, done = state.snapshot.stale, state.done
    if stale is None:
        return state, []
    if done and done.job_id == stale.job_id and done.task is Task.UNSTAGE:
        gone = isinstance(done.report, wire.Unstaged)
        state = replace(state, done=None, unstage_after=0.0 if gone else now + UNSTAGE_EVERY)
        return (replace(state, fresh=False), [ForgetStaged(stale.job_id)]) if gone else (state, [])
    if state.courier is not None or now < state.unstage_after:
        return state, []
    state, action = send(state, Send(Task.UNSTAGE, stale.job_id, staged=stale.path), now)
    return state, [action]


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
    actions: list[Action] = []
    if state.courier is None and now - state.nas_checked >= check_interval(state.nas_trouble):
        state, action = send(replace(state, nas_checked=now), Send(Task.CHECK, 0), now)
        actions.append(action)
    if state.feeder is None and now - state.scanner_checked >= check_interval(state.scanner_trouble):
        state = replace(state, scanner_checked=now, feeder=FeederChild(heard=now, finding=True))
        actions += [StartFeeder(), FindScanner()]
    return state, actions
