"""What an agent does beside jobs: tidy up NAS and local disk, and ask whether scanner and NAS are there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from scand import wire
from scand.decide.actions import Expire, FindScanner, ForgetStaged, Send, StartFeeder
from scand.decide.state import CourierChild, FeederChild, Task
from scand.decide.timeouts import SWEEP_EVERY, UNSTAGE_EVERY, every

if TYPE_CHECKING:
    from scand.decide.actions import Action, Decided
    from scand.decide.state import State


def send(state: State, task: Send, now: float) -> tuple[State, Send]:
    """The state once a courier is under way. What a former one came back with is past."""
    courier = CourierChild(task.task, task.job_id, now, task.entered, task.seq)
    return replace(state, courier=courier, done=None), task


def unstage(state: State, now: float) -> Decided:
    """A file on the NAS that its job does not want any more (reopened, canceled)."""
    stale, done = state.look.stale, state.done
    if stale is None:
        return state, []
    if done and (done[0], done[2]) == (stale.job_id, Task.UNSTAGE):
        gone = isinstance(done[3], wire.Unstaged)
        state = replace(state, done=None, unstage_after=0.0 if gone else now + UNSTAGE_EVERY)
        return (replace(state, fresh=False), [ForgetStaged(stale.job_id)]) if gone else (state, [])
    if state.courier is not None or now < state.unstage_after:
        return state, []
    state, task = send(state, Send(Task.UNSTAGE, stale.job_id, staged=stale.path), now)
    return state, [task]


def sweep(state: State, now: float) -> Decided:
    """Local files of finished jobs, once `staging.keep` is over: the rows first, then the disk."""
    keep = state.limits.keep
    if keep is None or state.courier is not None or now - state.swept_at < min(SWEEP_EVERY, keep):
        return state, []
    state, task = send(replace(state, swept_at=now), Send(Task.SWEEP, 0), now)
    return replace(state, fresh=False), [Expire(keep), task]


def ask_around(state: State, now: float) -> Decided:
    """An idle agent asks now and then whether scanner and NAS are there; more often while one is not."""
    actions: list[Action] = []
    if state.courier is None and now - state.checked_at >= every(state.nas_trouble):
        state, task = send(replace(state, checked_at=now), Send(Task.CHECK, 0), now)
        actions.append(task)
    if state.feeder is None and now - state.found_at >= every(state.scanner_trouble):
        state = replace(state, found_at=now, feeder=FeederChild(heard=now, finding=True))
        actions += [StartFeeder(), FindScanner()]
    return state, actions
