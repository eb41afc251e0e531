"""A decision under way: the state changes with each action that is wanted, so that none is wanted twice."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from scand import wire
from scand.decide.actions import Action, Advance, Postpone, Send, StartFeeder
from scand.decide.housekeeping import send
from scand.decide.state import FeederChild, State, Task
from scand.decide.timeouts import COURIER_TRIES, backoff
from scand.faults import FAULTS, ErrorCode, Retry, Then
from scand.jobs.answers import left_out
from scand.jobs.lifecycle import Actor, Status
from scand.jobs.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scand.decide.actions import Decided
    from scand.jobs.rows import Job
    from scand.spool.leaves import Plan

_Result = TypeVar("_Result", wire.Staged, wire.Published, wire.Withdrawn, wire.Failed)


class Decision:
    """What the statuses have in common: how to write a row, send a task and take its result.

    Args:
        state: what is known.
        now: `monotonic()` seconds.

    Attributes:
        state: what is known, with the consequences of the actions so far.
        now: as given.
    """

    def __init__(self, state: State, now: float) -> None:
        self.state, self.now = state, now

    def take(self, decided: Decided) -> list[Action]:
        """Take over the state of a partial decision, and return its actions."""
        self.state, actions = decided
        return actions

    def invalidate(self) -> None:
        """The snapshot is outdated from here on."""
        self.state = replace(self.state, fresh=False)

    def write(self, action: Action) -> Action:
        """An action that changes a row, and so makes the snapshot outdated."""
        self.invalidate()
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
        plan: Plan | None = None,
    ) -> Action:
        """Take a step of the job; the arguments are those of `Advance`."""
        if not to_status.active:
            self.state = replace(self.state, closed=job.id)
        missing = left_out(job.batches) if staged else ""
        return self.write(
            Advance(job.id, job.status, to_status, actor, job.entered, error, code, staged, plan, missing)
        )

    def postpone(self, job: Job, code: ErrorCode, error: str) -> Action:
        """Keep the status, write why, and try again later. Tries are counted anew for each `code`."""
        before = job.attempts if job.error_code == code else 0
        return self.write(Postpone(job.id, job.status, code, error, backoff(before, code), before + 1))

    def fail(self, job: Job, code: ErrorCode, error: str) -> Action:
        """Fail the job: a person has to put something right, and meanwhile the scanner must be free."""
        return self.advance(job, Status.FAILED, error=error, code=code)

    def start_feeder(self, *, needed: bool = False) -> Iterator[Action]:
        """Start the feeder child if there is none: ahead of need, since its start takes longer than a scanner's.

        Args:
            needed: there is something to scan, so that a feeder which has just ended is replaced at once.
        """
        if self.state.feeder is None and (needed or self.now >= self.state.feeder_after):
            self.state = replace(self.state, feeder=FeederChild(heard=self.now))
            yield StartFeeder()

    def send(self, task: Send) -> Action:
        """Send a courier to do a task."""
        self.state, sent = send(self.state, task, self.now)
        return sent

    def free_to_send(self, job: Job) -> bool:
        """Whether a task of the job can be done now."""
        return self.state.courier is None and job.wait <= 0 and not self.state.stopping

    def failure_of(self, job: Job, task: Task) -> wire.Failed | None:
        """The failure of a task that was sent since the job entered its status; it is returned once."""
        done = self.state.done
        return self.result_of(job, wire.Failed) if done and done.task is task else None

    def result_of(self, job: Job, kind: type[_Result]) -> _Result | None:
        """The result of a task that was sent since the job entered its status; it is returned once."""
        done = self.state.done
        if done and (done.job_id, done.entered) == (job.id, job.entered) and isinstance(done.report, kind):
            self.state = replace(self.state, done=None)
            return done.report
        return None

    def task_failed(self, job: Job, failed: wire.Failed) -> Action:
        """What a failed task means for the job: try again later, return it to a person, or fail it."""
        code = failed.code or ErrorCode.COURIER_CRASHED
        tries = (job.attempts if job.error_code == code else 0) + 1
        fault = FAULTS[code]
        if fault.retry is Retry.FOR_EVER or (fault.retry is Retry.FIVE and tries < COURIER_TRIES):
            return self.postpone(job, code, failed.sentence)
        if fault.then in {Then.READY, Then.PREVIEW} and job.status is Status.ASSEMBLING:
            return self.advance(job, Status.READY, error=failed.sentence, code=code)
        if fault.then is Then.PREVIEW and job.status is Status.COMMITTING:
            return self.advance(job, Status.PREVIEW, error=failed.sentence, code=code)
        return self.fail(job, code, failed.sentence)

    @property
    def in_halves(self) -> bool:
        """Whether the job's batches are fronts and backs in turn (manual duplex)."""
        settings = self.state.snapshot.settings
        return isinstance(settings, Settings) and settings.sides == "manual-duplex"
