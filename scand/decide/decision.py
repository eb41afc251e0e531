"""A decision under way: the state as it changes while actions are formed, so that none is formed twice."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from scand import wire
from scand.decide.actions import Action, Advance, Postpone, Send, StartFeeder
from scand.decide.housekeeping import send
from scand.decide.state import FeederChild, State, Task
from scand.decide.timeouts import COURIER_TRIES, backoff
from scand.faults import FAULTS, ErrorCode, Retry, Then
from scand.jobs.lifecycle import Actor, Status
from scand.jobs.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scand.decide.actions import Decided
    from scand.jobs.rows import Job

_Result = TypeVar("_Result", wire.Staged, wire.Published)


class Decision:
    """What the states share: how a row is written, an task sent, a result taken."""

    def __init__(self, state: State, now: float) -> None:
        self.state, self.now = state, now

    def take(self, decided: Decided) -> list[Action]:
        """What another decider made of the state, and wants."""
        self.state, actions = decided
        return actions

    def stale(self) -> None:
        """What was looked at may be true no more."""
        self.state = replace(self.state, fresh=False)

    def write(self, action: Action) -> Action:
        """An action that changes a row: what was looked at is true no more."""
        self.stale()
        return action

    def advance(
        self,
        job: Job,
        to_status: Status,
        actor: Actor = Actor.AGENT,
        *,
        error: str | None = None,
        code: ErrorCode | None = None,
        staged: wire.Staged | None = None,
    ) -> Action:
        """A step of the job's."""
        if not to_status.active:
            self.state = replace(self.state, closed=job.id)
        return self.write(Advance(job.id, job.status, to_status, actor, job.entered, error, code, staged))

    def postpone(self, job: Job, code: ErrorCode, error: str) -> Action:
        """Stay in the status, say why, and try again after a while; tries are counted for each reason."""
        before = job.attempts if job.error_code == code else 0
        return self.write(Postpone(job.id, job.status, code, error, backoff(before), before + 1))

    def fail(self, job: Job, code: ErrorCode, error: str) -> Action:
        """A person has to mend something, and the scanner must be free meanwhile."""
        return self.advance(job, Status.FAILED, error=error, code=code)

    def warm(self, *, wanted: bool = False) -> Iterator[Action]:
        """The feeder child is there before it is wanted: its start costs more than a scanner's."""
        if self.state.feeder is None and (wanted or self.now >= self.state.feeder_after):
            self.state = replace(self.state, feeder=FeederChild(heard=self.now))
            yield StartFeeder()

    def send(self, task: Send) -> Action:
        """A courier on an task."""
        self.state, sent = send(self.state, task, self.now)
        return sent

    def free_to_send(self, job: Job) -> bool:
        """Whether an task of the job's can be run now."""
        return self.state.courier is None and job.wait <= 0 and not self.state.stopping

    def failed(self, job: Job, task: Task) -> wire.Failed | None:
        """The failure that an task of this stay in the status came back with; it is taken, once."""
        done = self.state.done
        if done and done[:3] == (job.id, job.entered, task) and isinstance(done[3], wire.Failed):
            self.state = replace(self.state, done=None)
            return done[3]
        return None

    def came_back(self, job: Job, kind: type[_Result]) -> _Result | None:
        """The result that an task of this stay in the status came back with; it is taken, once."""
        done = self.state.done
        if done and done[:2] == (job.id, job.entered) and isinstance(done[3], kind):
            self.state = replace(self.state, done=None)
            return done[3]
        return None

    def task_failed(self, job: Job, failed: wire.Failed) -> Action:
        """What a failed task means for the job: again later, back to a person, or failed."""
        code = failed.code or ErrorCode.COURIER_CRASHED
        tries = (job.attempts if job.error_code == code else 0) + 1
        fault = FAULTS[code]
        if fault.retry is Retry.FOR_EVER or (fault.retry is Retry.FIVE and tries < COURIER_TRIES):
            return self.postpone(job, code, failed.sentence)
        if fault.then is Then.READY and job.status is Status.ASSEMBLING:
            return self.advance(job, Status.READY, error=failed.sentence, code=code)
        if fault.then is Then.PREVIEW and job.status is Status.COMMITTING:
            return self.advance(job, Status.PREVIEW, error=failed.sentence, code=code)
        return self.fail(job, code, failed.sentence)

    @property
    def in_halves(self) -> bool:
        """Whether batches are fronts and backs in turn."""
        settings = self.state.look.settings
        return isinstance(settings, Settings) and settings.sides == "manual-duplex"
