"""A decision under way: the view as it changes while intents are formed, so that none is formed twice."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from scand import wire
from scand.decide.actions import Advance, Intent, Postpone, Send, StartFeeder
from scand.decide.housekeeping import send
from scand.decide.state import Errand, FeederChild, View
from scand.decide.timeouts import COURIER_TRIES, backoff
from scand.errors import (
    RETRIED_A_FEW_TIMES,
    RETRIED_FOR_EVER,
    ErrorCode,
)
from scand.jobs.lifecycle import Actor, Status
from scand.jobs.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scand.decide.actions import Decided
    from scand.jobs.rows import Job

_Result = TypeVar("_Result", wire.Staged, wire.Published)


class Draft:
    """What the states share: how a row is written, an errand sent, a result taken."""

    def __init__(self, view: View, now: float) -> None:
        self.view, self.now = view, now

    def take(self, decided: Decided) -> list[Intent]:
        """What another decider made of the view, and wants."""
        self.view, intents = decided
        return intents

    def stale(self) -> None:
        """What was looked at may be true no more."""
        self.view = replace(self.view, fresh=False)

    def write(self, intent: Intent) -> Intent:
        """An intent that changes a row: what was looked at is true no more."""
        self.stale()
        return intent

    def advance(
        self,
        job: Job,
        to_status: Status,
        actor: Actor = Actor.AGENT,
        *,
        error: str | None = None,
        code: ErrorCode | None = None,
        staged: wire.Staged | None = None,
    ) -> Intent:
        """A step of the job's."""
        if not to_status.active:
            self.view = replace(self.view, closed=job.id)
        return self.write(Advance(job.id, job.status, to_status, actor, job.entered, error, code, staged))

    def postpone(self, job: Job, code: ErrorCode, error: str) -> Intent:
        """Stay in the status, say why, and try again after a while; tries are counted for each reason."""
        before = job.attempts if job.error_code == code else 0
        return self.write(Postpone(job.id, job.status, code, error, backoff(before), before + 1))

    def fail(self, job: Job, code: ErrorCode, error: str) -> Intent:
        """A person has to mend something, and the scanner must be free meanwhile."""
        return self.advance(job, Status.FAILED, error=error, code=code)

    def warm(self, *, wanted: bool = False) -> Iterator[Intent]:
        """The feeder child is there before it is wanted: its start costs more than a scanner's."""
        if self.view.feeder is None and (wanted or self.now >= self.view.feeder_after):
            self.view = replace(self.view, feeder=FeederChild(heard=self.now))
            yield StartFeeder()

    def send(self, errand: Send) -> Intent:
        """A courier on an errand."""
        self.view, sent = send(self.view, errand, self.now)
        return sent

    def free_to_send(self, job: Job) -> bool:
        """Whether an errand of the job's can be run now."""
        return self.view.courier is None and job.wait <= 0 and not self.view.stopping

    def failed(self, job: Job, errand: Errand) -> wire.Failed | None:
        """The failure that an errand of this stay in the status came back with; it is taken, once."""
        done = self.view.done
        if done and done[:3] == (job.id, job.entered, errand) and isinstance(done[3], wire.Failed):
            self.view = replace(self.view, done=None)
            return done[3]
        return None

    def came_back(self, job: Job, kind: type[_Result]) -> _Result | None:
        """The result that an errand of this stay in the status came back with; it is taken, once."""
        done = self.view.done
        if done and done[:2] == (job.id, job.entered) and isinstance(done[3], kind):
            self.view = replace(self.view, done=None)
            return done[3]
        return None

    def errand_failed(self, job: Job, failed: wire.Failed) -> Intent:
        """What a failed errand means for the job: again later, back to a person, or failed."""
        code = failed.code or ErrorCode.COURIER_CRASHED
        tries = (job.attempts if job.error_code == code else 0) + 1
        if code in RETRIED_FOR_EVER or (code in RETRIED_A_FEW_TIMES and tries < COURIER_TRIES):
            return self.postpone(job, code, failed.sentence)
        if code in {ErrorCode.NO_PAGES, ErrorCode.SIDES_MISMATCH} and job.status is Status.ASSEMBLING:
            return self.advance(job, Status.READY, error=failed.sentence, code=code)
        if code is ErrorCode.STAGED_FILE_GONE and job.status is Status.COMMITTING:
            return self.advance(job, Status.PREVIEW, error=failed.sentence, code=code)
        return self.fail(job, code, failed.sentence)

    @property
    def in_halves(self) -> bool:
        """Whether batches are fronts and backs in turn."""
        settings = self.view.look.settings
        return isinstance(settings, Settings) and settings.sides == "manual-duplex"
