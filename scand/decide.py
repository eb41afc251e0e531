"""What to do next: pure and level-triggered. (view, occurrence, now) → (view, intents).

The agent does not remember what it was about to do: it looks at the row and at the disk, and does what they
still ask for. So a kill at any instant needs no code of its own: the next start sees the same row and the same
disk, and decides the same. What a view holds beyond them lives and dies with the daemon: its children, and what
they said last. Losing that only means that an errand is run again, and every errand may be.

**The agent goes on by itself only from a clean place**: its own steps need `error_code` NULL. A person's word
(a client's step, the signal) is needed after every fault. Source: DESIGN §1 "States", §3.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from scand import wire
from scand.absorb import absorb
from scand.children import call_back, finish_run, judge
from scand.chores import ask_around, send, sweep, unstage
from scand.collation import unmatched
from scand.errors import (
    DEVICE_RETRIED,
    RETRIED_A_FEW_TIMES,
    RETRIED_FOR_EVER,
    STOPS_THE_JOB,
    ErrorCode,
    ScandError,
)
from scand.jobs import Job, Status
from scand.lifecycle import Actor
from scand.pages import End, SpooledBatch
from scand.patience import COURIER_TRIES, DEVICE_TRIES, PROGRESS_EVERY, SCAN_ASKED_FOR, backoff
from scand.settings import Settings
from scand.verdict import nothing_yet, sentence
from scand.view import (
    Advance,
    Claim,
    Commit,
    DropBatch,
    EndBatch,
    Errand,
    Exit,
    ExpectStaged,
    FeederChild,
    Intent,
    LookAgain,
    MakeManualJob,
    Name,
    Occurrence,
    Postpone,
    Progress,
    Record,
    RefuseScan,
    Run,
    Scan,
    Send,
    StartFeeder,
    Tick,
    View,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scand.view import Decided

_Result = TypeVar("_Result", wire.Staged, wire.Published)

_ON_DISK = frozenset({Status.READY, Status.SCANNING, Status.ASSEMBLING})
"""Where a job needs its directory on local disk."""


def decide(view: View, occurrence: Occurrence, now: float) -> tuple[View, list[Intent]]:
    """The next view, and what is wanted, in order.

    Args:
        view: what was known.
        occurrence: what has happened.
        now: `monotonic()` seconds.
    """
    view, first = absorb(view, occurrence, now)
    if isinstance(occurrence, Tick):
        view, judged = judge(view, min(now, occurrence.listened))
        first += judged
    decision = _Decision(view, now)
    intents = [*first, *decision.intents()]
    return decision.view, intents


class _Decision:
    """One decision under way: a view that changes as intents are formed, so that none is formed twice."""

    def __init__(self, view: View, now: float) -> None:
        self.view, self.now = view, now

    def intents(self) -> Iterator[Intent]:
        if not self.view.serving:
            yield from self._without_database()
        elif not self.view.fresh:
            yield LookAgain()
        else:
            yield from self._with_look()

    def _take(self, decided: Decided) -> list[Intent]:
        self.view, intents = decided
        return intents

    def _without_database(self) -> Iterator[Intent]:
        if self.view.stopping:
            yield from self._take(finish_run(self.view, self.now))
            if not (self.view.feeder and self.view.feeder.run):
                yield Exit()
        elif self.view.scan_asked is not None and self.now - self.view.scan_asked > SCAN_ASKED_FOR:
            self.view = replace(self.view, scan_asked=None)
            yield RefuseScan(None)

    def _with_look(self) -> Iterator[Intent]:
        job = self.view.look.job
        if self.view.scan_asked is not None and job and job.status is not Status.READY:
            self.view = replace(self.view, scan_asked=None)
            yield RefuseScan(job.status)
        yield from self._take(call_back(self.view, self.now))
        if job is None:
            yield from self._idle()
        elif (trouble := self.view.look.trouble) and job.status in _ON_DISK:
            yield from self._disk_trouble(job, trouble)
        elif job.status is Status.READY:
            yield from self._ready(job)
        elif job.status is Status.SCANNING:
            yield from self._scanning(job)
        elif job.status is Status.ASSEMBLING:
            yield from self._assembling(job)
        elif job.status is Status.PREVIEW:
            yield from self._preview(job)
        elif job.status is Status.COMMITTING:
            yield from self._committing(job)
        if self.view.fresh and self.view.stopping:
            yield from self._stop()
        if self.view.fresh:
            yield from self._progress(job)  # last: an intent after a write that fails is not performed

    def _disk_trouble(self, job: Job, trouble: ScandError) -> Iterator[Intent]:
        """What stands in the job's directory cannot be read, or nothing can be written: nothing else is begun."""
        if self.view.feeder and self.view.feeder.run:
            return
        if trouble.code is not ErrorCode.STAGING_FULL:
            yield self._fail(job, ErrorCode.SPOOL_DAMAGED, trouble.sentence)
        elif job.wait <= 0:
            yield self._postpone(job, ErrorCode.STAGING_FULL, trouble.sentence)

    # A job's states, one by one.

    def _idle(self) -> Iterator[Intent]:
        view = self.view
        if view.stopping or (view.feeder and view.feeder.run):
            return
        if view.look.queued:
            yield self._write(Claim())
        elif view.scan_asked is not None:
            self.view = replace(view, scan_asked=None)
            yield self._write(MakeManualJob())
        else:
            yield from self._take(unstage(self.view, self.now))
            yield from self._take(sweep(self.view, self.now))
            yield from self._take(ask_around(self.view, self.now))

    def _ready(self, job: Job) -> Iterator[Intent]:
        view, settings, limits = self.view, self.view.look.settings, self.view.limits
        if view.look.unsettled:
            yield from self._settle(job)
            return
        if isinstance(settings, ScandError):
            yield self._fail(job, ErrorCode.BAD_SETTINGS, settings.sentence)
            return
        if view.stopping or settings is None:
            return
        if view.scan_asked is not None:
            self.view = replace(view, scan_asked=None)
            yield self._advance(job, Status.SCANNING, Actor.CLIENT)
        elif job.error_code == ErrorCode.SPOOL_DAMAGED:
            yield self._fail(job, ErrorCode.SPOOL_DAMAGED, job.error or "")
        elif job.error_code is None and settings.scan == "auto" and job.entered_from == Status.QUEUED:
            yield self._advance(job, Status.SCANNING)
        elif (
            job.clean
            and job.kept
            and settings.finish != "hold"
            and job.entered_from == Status.SCANNING
            and not job.assembled
            and job.page_count is None
            and not (self._in_halves and len(job.kept) % 2)
        ):
            yield self._advance(job, Status.ASSEMBLING)
        elif limits.ready_timeout is not None and (job.idle or 0) >= limits.ready_timeout:
            yield self._idled(job)
        else:
            yield from self._warm()
            yield from self._take(unstage(self.view, self.now))

    def _idled(self, job: Job) -> Intent:
        if job.clean and job.kept:
            return self._advance(job, Status.ASSEMBLING)
        if job.error_code is None and not job.batches:
            why = "Nothing was scanned in time, so the scanner was set free for the next job."
            return self._advance(job, Status.CANCELED, error=why, code=ErrorCode.IDLE_TIMEOUT)
        what = job.error or "batches were discarded that nobody has restored or finished without."
        why = f"Nobody answered in time, and the scanner is needed; no page is lost. Before that: {what}"
        return self._fail(job, ErrorCode.IDLE_TIMEOUT, why)

    def _scanning(self, job: Job) -> Iterator[Intent]:
        view, settings = self.view, self.view.look.settings
        if view.feeder and view.feeder.run:
            return
        if view.look.unsettled:
            yield from self._settle(job)
        elif view.ended and view.ended[0] == job.id and not view.ended[1].end.complete:
            yield self._fault(job, view.ended[1].end)
        elif view.stopping or job.wait > 0:
            return
        elif isinstance(settings, ScandError):
            yield self._fail(job, ErrorCode.BAD_SETTINGS, settings.sentence)
        elif settings is not None:
            yield from self._warm(wanted=True)
            feeder = self.view.feeder
            if feeder and not feeder.killed_for and not feeder.resting:
                run = Run(job.id, view.look.next_seq, started=self.now)
                self.view = replace(
                    self.view, feeder=replace(feeder, heard=self.now, run=run), ended=None, bound=None
                )
                yield Scan(job.id, run.seq, settings, self.view.device)

    def _settle(self, job: Job) -> Iterator[Intent]:
        """The first batch on disk that is not in the database: end it, bind it, record it."""
        batch = self.view.look.unsettled[0]
        if job.wait > 0 and (batch.end is None or batch.captured == 0):
            return  # a disk that has refused is not asked all the time
        if batch.end is None:
            self._stale()
            ended = self.view.ended
            known = ended[1].end if ended and ended[0] == job.id else End(code=ErrorCode.INTERRUPTED)
            yield EndBatch(job.id, batch.seq, known)
            yield LookAgain()
        elif batch.captured == 0:
            if job.status is Status.SCANNING:
                yield self._fault(job, batch.end)
            self.view = replace(self.view, ended=None, fresh=False)
            yield DropBatch(job.id, batch.seq)
            yield LookAgain()
        elif batch.bindable == 0 or (self.view.bound and self.view.bound[:2] == (job.id, batch.seq)):
            yield self._record(job, batch)
        elif (failed := self._failed(job, Errand.BIND)) is not None:
            if failed.code is ErrorCode.SPOOL_DAMAGED:
                # Set aside as a batch of its own, so that the others can still be made into a document.
                code = ErrorCode.SPOOL_DAMAGED
                yield self._write(Record(job.id, job.status, batch.seq, None, False, code, failed.sentence))
            else:
                yield self._errand_failed(job, failed)
        elif self.view.courier is None and job.wait <= 0 and not self._daemon_leaves(job):
            yield self._send(Send(Errand.BIND, job.id, job.entered, seq=batch.seq))

    def _daemon_leaves(self, job: Job) -> bool:
        """A retry of binding is not waited for when the daemon stops: the next start does it."""
        return self.view.stopping and job.attempts > 0

    def _record(self, job: Job, batch: SpooledBatch) -> Intent:
        end = batch.end or End(code=ErrorCode.INTERRUPTED)
        pdf = self.view.bound[2] if self.view.bound and batch.bindable else None
        answered = end.code is None or (job.status is Status.READY and end.code is ErrorCode.CANCELED)
        error = None if answered else sentence(batch, end)
        kept = pdf is not None and (end.complete or batch.keep_on_fault)
        return self._write(Record(job.id, job.status, batch.seq, pdf, kept, end.code, error, batch.blank))

    def _fault(self, job: Job, end: End) -> Intent:
        """A batch that captured nothing."""
        self.view = replace(self.view, ended=None)
        code = end.code or ErrorCode.FEEDER_EMPTY
        error = nothing_yet(end)
        if code in STOPS_THE_JOB:
            return self._fail(job, code, error)
        if code in DEVICE_RETRIED and job.attempts + 1 < DEVICE_TRIES:
            return self._postpone(job, code, error)
        return self._advance(job, Status.READY, error=error, code=code)

    def _assembling(self, job: Job) -> Iterator[Intent]:
        if self.view.look.unsettled:
            yield from self._settle(job)  # a batch that is not recorded yet belongs in, too
        elif (failed := self._failed(job, Errand.ASSEMBLE)) is not None:
            yield self._errand_failed(job, failed)
        elif (staged := self._came_back(job, wire.Staged)) is not None:
            yield self._advance(job, Status.PREVIEW, staged=staged)
        elif not job.merged:
            why = "No page is kept: scan or restore a batch, then finish again."
            yield self._advance(job, Status.READY, error=why, code=ErrorCode.NO_PAGES)
        elif (odd := self._unmatched(job)) is not None:
            yield self._advance(job, Status.READY, error=odd, code=ErrorCode.SIDES_MISMATCH)
        elif self._free_to_send(job):
            if job.nas_staging_path is None:  # whoever cancels the job in mid-copy must find what is there
                yield self._write(ExpectStaged(job.id))
            else:
                yield self._send(Send(Errand.ASSEMBLE, job.id, job.entered, job))

    def _preview(self, job: Job) -> Iterator[Intent]:
        settings, limits = self.view.look.settings, self.view.limits
        if self.view.stopping:
            return
        first_time = job.entered_from == Status.ASSEMBLING and not job.reopened
        wants = settings is not None and not isinstance(settings, ScandError) and settings.finish == "commit"
        if limits.commits and wants and first_time and job.clean:
            yield self._advance(job, Status.COMMITTING)
        elif limits.preview_timeout is not None and (job.idle or 0) >= limits.preview_timeout:
            why = "The preview was not answered in time, and the scanner is needed. Nothing is deleted."
            yield self._fail(job, ErrorCode.IDLE_TIMEOUT, why)

    def _committing(self, job: Job) -> Iterator[Intent]:
        settings, courier = self.view.look.settings, self.view.courier
        if not self.view.limits.commits:
            return
        if (failed := self._failed(job, Errand.PUBLISH)) is not None:
            yield self._errand_failed(job, failed)
        elif (published := self._came_back(job, wire.Published)) is not None:
            self.view = replace(self.view, closed=job.id)
            yield self._write(Commit(job.id, published))
        elif isinstance(settings, ScandError) and job.inbox_path is None and courier is None:
            yield self._fail(job, ErrorCode.BAD_SETTINGS, settings.sentence)
        elif courier and courier.named and not courier.told and not courier.killed_for:
            named = courier.named
            self.view = replace(self.view, courier=replace(courier, told=True, heard=self.now))
            yield self._write(Name(job.id, named))
        elif self._free_to_send(job):
            yield self._send(Send(Errand.PUBLISH, job.id, job.entered, job))

    # What several states share.

    @property
    def _in_halves(self) -> bool:
        settings = self.view.look.settings
        return isinstance(settings, Settings) and settings.sides == "manual-duplex"

    def _unmatched(self, job: Job) -> str | None:
        counts = [(batch.label, batch.page_count) for batch in job.merged]
        return unmatched(counts) if self._in_halves else None

    def _free_to_send(self, job: Job) -> bool:
        return self.view.courier is None and job.wait <= 0 and not self.view.stopping

    def _errand_failed(self, job: Job, failed: wire.Failed) -> Intent:
        code = failed.code or ErrorCode.COURIER_CRASHED
        tries = (job.attempts if job.error_code == code else 0) + 1
        if code in RETRIED_FOR_EVER or (code in RETRIED_A_FEW_TIMES and tries < COURIER_TRIES):
            return self._postpone(job, code, failed.sentence)
        if code in {ErrorCode.NO_PAGES, ErrorCode.SIDES_MISMATCH} and job.status is Status.ASSEMBLING:
            return self._advance(job, Status.READY, error=failed.sentence, code=code)
        if code is ErrorCode.STAGED_FILE_GONE and job.status is Status.COMMITTING:
            return self._advance(job, Status.PREVIEW, error=failed.sentence, code=code)
        return self._fail(job, code, failed.sentence)

    def _failed(self, job: Job, errand: Errand) -> wire.Failed | None:
        done = self.view.done
        if done and done[:3] == (job.id, job.entered, errand) and isinstance(done[3], wire.Failed):
            self.view = replace(self.view, done=None)
            return done[3]
        return None

    def _came_back(self, job: Job, kind: type[_Result]) -> _Result | None:
        done = self.view.done
        if done and done[:2] == (job.id, job.entered) and isinstance(done[3], kind):
            self.view = replace(self.view, done=None)
            return done[3]
        return None

    def _warm(self, *, wanted: bool = False) -> Iterator[Intent]:
        """The feeder child is there before it is wanted: its start costs more than a scanner's."""
        if self.view.feeder is None and (wanted or self.now >= self.view.feeder_after):
            self.view = replace(self.view, feeder=FeederChild(heard=self.now))
            yield StartFeeder()

    def _send(self, errand: Send) -> Intent:
        self.view, sent = send(self.view, errand, self.now)
        return sent

    def _progress(self, job: Job | None) -> Iterator[Intent]:
        feeder, courier, since = self.view.feeder, self.view.courier, self.view.progressed
        if job is None or self.now - since < PROGRESS_EVERY:
            return
        run = feeder and feeder.run
        if feeder and run and run.job_id == job.id and feeder.heard > since and not feeder.killed_for:
            pages = sum(batch.page_count or 0 for batch in job.kept) + run.captured
        elif courier and courier.job_id == job.id and courier.heard > since and not courier.killed_for:
            pages = None
        else:
            return
        self.view = replace(self.view, progressed=self.now)
        yield Progress(job.id, pages, courier.at if courier and pages is None else None)

    def _stop(self) -> Iterator[Intent]:
        """Leave when the sheet under way is safe and its batch recorded; all else the next start does."""
        feeder, courier = self.view.feeder, self.view.courier
        if feeder and feeder.run:
            yield from self._take(finish_run(self.view, self.now))
        elif not (courier and courier.errand is Errand.BIND):
            yield Exit()

    def _stale(self) -> None:
        self.view = replace(self.view, fresh=False)

    def _write(self, intent: Intent) -> Intent:
        """An intent that changes a row: what was looked at is true no more."""
        self._stale()
        return intent

    def _advance(
        self,
        job: Job,
        to_status: Status,
        actor: Actor = Actor.AGENT,
        *,
        error: str | None = None,
        code: ErrorCode | None = None,
        staged: wire.Staged | None = None,
    ) -> Intent:
        if not to_status.active:
            self.view = replace(self.view, closed=job.id)
        return self._write(Advance(job.id, job.status, to_status, actor, job.entered, error, code, staged))

    def _postpone(self, job: Job, code: ErrorCode, error: str) -> Intent:
        before = job.attempts if job.error_code == code else 0
        return self._write(Postpone(job.id, job.status, code, error, backoff(before), before + 1))

    def _fail(self, job: Job, code: ErrorCode, error: str) -> Intent:
        return self._advance(job, Status.FAILED, error=error, code=code)
