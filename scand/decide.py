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
from scand.absorb import absorb, stopping_run
from scand.errors import (
    DEVICE_RETRIED,
    RETRIED_A_FEW_TIMES,
    RETRIED_FOR_EVER,
    STOPS_THE_JOB,
    ErrorCode,
    ScandError,
)
from scand.jobs import Job, StaleFile, Status
from scand.lifecycle import Actor
from scand.pages import End, SpooledBatch
from scand.verdict import sentence
from scand.view import (
    AbandonCourier,
    AbandonFeeder,
    Advance,
    Claim,
    Commit,
    CourierChild,
    DropBatch,
    EndBatch,
    Errand,
    Exit,
    FeederChild,
    FindScanner,
    ForgetStaged,
    Intent,
    KillCourier,
    KillFeeder,
    LookAgain,
    MakeManualJob,
    Name,
    Occurrence,
    Postpone,
    Progress,
    Record,
    RefuseScan,
    RetireFeeder,
    Run,
    Scan,
    Send,
    StartFeeder,
    TellFeeder,
    View,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

_Result = TypeVar("_Result", wire.Staged, wire.Published)

DEVICE_TRIES = 5
"""Tries of a device that is busy, gone or denied, before a person is asked: 15 s in all, with `backoff`."""

COURIER_TRIES = 5
"""Tries of a merge or copy that fails its proof, or whose courier dies, before the job fails."""

COURIER_SILENCE = 60.0
"""Seconds without a word after which a courier is taken for hung; it speaks at every chunk of a copy."""

ANSWER_TIME = 5.0
"""Seconds that a feeder has to stop within a page when it is canceled."""

DYING_TIME = 5.0
"""Seconds that a killed child has to end; then it is stuck in the kernel, and left behind."""

SCAN_ASKED_FOR = 30.0
"""Seconds for which "scan now" is remembered while it cannot be acted on (the database is away)."""

ASK_EVERY, ASK_AGAIN = 600.0, 60.0
"""Seconds between two questions of an idle agent for scanner and NAS: while all is well, and while not."""

_ON_DISK = frozenset({Status.READY, Status.SCANNING, Status.ASSEMBLING})
"""Where a job needs its directory on local disk."""

PROGRESS_EVERY = 1.0
UNSTAGE_EVERY = 60.0


def backoff(attempts: int) -> float:
    """Seconds to wait after the given number of tries: 1, 2, 4 … 300."""
    return float(min(300, 2 ** min(attempts, 10)))


def _every(trouble: wire.Failed | None) -> float:
    return ASK_AGAIN if trouble else ASK_EVERY


def decide(view: View, occurrence: Occurrence, now: float) -> tuple[View, list[Intent]]:
    """The next view, and what is wanted, in order.

    Args:
        view: what was known.
        occurrence: what has happened.
        now: `monotonic()` seconds.
    """
    view, first = absorb(view, occurrence, now)
    decision = _Decision(view, now)
    intents = [*first, *decision.intents()]
    return decision.view, intents


class _Decision:
    """One decision under way: a view that changes as intents are formed, so that none is formed twice."""

    def __init__(self, view: View, now: float) -> None:
        self.view, self.now = view, now

    def intents(self) -> Iterator[Intent]:
        yield from self._judge()
        if not self.view.serving:
            yield from self._without_database()
        elif not self.view.fresh:
            yield LookAgain()
        else:
            yield from self._with_look()

    def _judge(self) -> Iterator[Intent]:
        """Children that are silent too long, or were told to end and do not."""
        feeder, courier, now = self.view.feeder, self.view.courier, self.now
        if feeder and feeder.killed_for:
            if now - feeder.heard > DYING_TIME:
                yield AbandonFeeder()
        elif feeder and feeder.finding and now - feeder.heard > self.view.limits.page_timeout:
            yield self._kill_feeder(ErrorCode.DRIVER_HUNG)
        elif feeder and feeder.run:
            silent = now - feeder.heard > self.view.limits.page_timeout
            run = feeder.run
            if run.stop is ErrorCode.CANCELED and (silent or now - run.stop_at > ANSWER_TIME):
                yield self._kill_feeder(ErrorCode.CANCELED)
            elif silent:
                yield self._kill_feeder(ErrorCode.DRIVER_HUNG)
        if courier and courier.killed_for:
            if now - courier.heard > DYING_TIME:
                yield AbandonCourier()
        elif courier and now - courier.heard > COURIER_SILENCE:
            yield self._kill_courier(
                ErrorCode.COURIER_CRASHED if courier.errand.local else ErrorCode.NAS_HUNG
            )

    def _kill_feeder(self, code: ErrorCode) -> Intent:
        assert self.view.feeder  # noqa: S101
        self.view = replace(self.view, feeder=replace(self.view.feeder, killed_for=code, heard=self.now))
        return KillFeeder(code)

    def _kill_courier(self, code: ErrorCode) -> Intent:
        assert self.view.courier  # noqa: S101
        self.view = replace(self.view, courier=replace(self.view.courier, killed_for=code, heard=self.now))
        return KillCourier(code)

    def _finish_run(self) -> Iterator[Intent]:
        feeder = self.view.feeder
        if feeder and feeder.run and not feeder.run.stop and not feeder.killed_for:
            self.view = stopping_run(self.view, ErrorCode.INTERRUPTED, self.now)
            yield TellFeeder(wire.Finish())

    def _without_database(self) -> Iterator[Intent]:
        if self.view.stopping:
            yield from self._finish_run()
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
        yield from self._call_back(job)
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

    def _call_back(self, job: Job | None) -> Iterator[Intent]:
        """Children whose work the rows do not ask for any more."""
        feeder, courier = self.view.feeder, self.view.courier
        run = feeder and feeder.run
        scanning = job is not None and job.status is Status.SCANNING
        if run and not (scanning and job and job.id == run.job_id) and run.stop is not ErrorCode.CANCELED:
            self.view = stopping_run(self.view, ErrorCode.CANCELED, self.now)
            yield TellFeeder(wire.Cancel())
        at_the_scanner = job is not None and job.status in {Status.READY, Status.SCANNING}
        if feeder and not run and not feeder.finding and not feeder.killed_for and not at_the_scanner:
            self.view = replace(self.view, feeder=None)
            yield RetireFeeder()
        if courier and not courier.killed_for and not self._wanted(courier, job):
            yield self._kill_courier(ErrorCode.INTERRUPTED)

    def _wanted(self, courier: CourierChild, job: Job | None) -> bool:
        """Whether an errand is still to be run. Tidying and asking must never hold up a job's own errand."""
        match courier.errand:
            case Errand.CHECK:
                return job is None
            case Errand.UNSTAGE:
                return job is None or job.status is Status.READY
            case errand:
                wants = {
                    Status.READY: Errand.BIND,
                    Status.SCANNING: Errand.BIND,
                    Status.ASSEMBLING: Errand.BIND if self.view.look.unsettled else Errand.ASSEMBLE,
                    Status.COMMITTING: Errand.PUBLISH,
                }
                mine = job is not None and (job.id, job.entered) == (courier.job_id, courier.entered)
                return mine and job is not None and wants.get(job.status) is errand

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
            yield from self._unstage(view.look.stale)
            yield from self._ask_around()

    def _ask_around(self) -> Iterator[Intent]:
        """An idle agent asks now and then whether scanner and NAS are there; more often while one is not."""
        view, now = self.view, self.now
        if view.courier is None and now - view.checked_at >= _every(view.nas_trouble):
            self.view = replace(view, checked_at=now)
            yield self._send(Send(Errand.CHECK, 0))
        if view.feeder is None and now - view.found_at >= _every(view.scanner_trouble):
            self.view = replace(self.view, found_at=now, feeder=FeederChild(heard=now, finding=True))
            yield from (StartFeeder(), FindScanner())

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
        ):
            yield self._advance(job, Status.ASSEMBLING)
        elif limits.ready_timeout is not None and (job.idle or 0) >= limits.ready_timeout:
            yield self._idled(job)
        else:
            yield from self._warm()
            yield from self._unstage(view.look.stale)

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
            yield self._fault(job, view.look.next_seq, view.ended[1].end)
        elif view.stopping or job.wait > 0:
            return
        elif isinstance(settings, ScandError):
            yield self._fail(job, ErrorCode.BAD_SETTINGS, settings.sentence)
        elif settings is not None:
            yield from self._warm()
            feeder = self.view.feeder
            if feeder and not feeder.killed_for:
                run = Run(job.id, view.look.next_seq, started=self.now)
                self.view = replace(
                    self.view, feeder=replace(feeder, heard=self.now, run=run), ended=None, bound=None
                )
                yield Scan(job.id, run.seq, settings, self.view.device)

    def _settle(self, job: Job) -> Iterator[Intent]:
        """The first batch on disk that is not in the database: end it, bind it, record it."""
        batch = self.view.look.unsettled[0]
        if batch.end is None:
            self._stale()
            yield EndBatch(job.id, batch.seq, End(code=ErrorCode.INTERRUPTED))
            yield LookAgain()
        elif batch.captured == 0:
            if job.status is Status.SCANNING:
                yield self._fault(job, batch.seq, batch.end)
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
        error = None if answered else sentence(batch.seq, end, captured=batch.captured, duplex=batch.duplex)
        kept = pdf is not None and (end.complete or batch.keep_on_fault)
        return self._write(Record(job.id, job.status, batch.seq, pdf, kept, end.code, error))

    def _fault(self, job: Job, seq: int, end: End) -> Intent:
        """A batch that captured nothing."""
        self.view = replace(self.view, ended=None)
        code = end.code or ErrorCode.FEEDER_EMPTY
        error = sentence(seq, end, captured=0, duplex=False)
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
        elif not any(batch.page_count != 0 for batch in job.kept):
            why = "No page is kept: scan or restore a batch, then finish again."
            yield self._advance(job, Status.READY, error=why, code=ErrorCode.NO_PAGES)
        elif self._free_to_send(job):
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

    def _unstage(self, stale: StaleFile | None) -> Iterator[Intent]:
        """A file on the NAS that its job does not want any more (reopened, canceled): one errand a minute."""
        view, done = self.view, self.view.done
        if stale is None:
            return
        if done and (done[0], done[2]) == (stale.job_id, Errand.UNSTAGE):
            self.view = replace(view, done=None, unstage_after=self.now + UNSTAGE_EVERY)
            if isinstance(done[3], wire.Unstaged):
                self.view = replace(self.view, unstage_after=0.0)
                yield self._write(ForgetStaged(stale.job_id))
        elif view.courier is None and self.now >= view.unstage_after:
            yield self._send(Send(Errand.UNSTAGE, stale.job_id, staged=stale.path))

    def _warm(self) -> Iterator[Intent]:
        """The feeder child is there before it is wanted: its start costs more than a scanner's."""
        if self.view.feeder is None and self.now >= self.view.feeder_after:
            self.view = replace(self.view, feeder=FeederChild(heard=self.now))
            yield StartFeeder()

    def _send(self, errand: Send) -> Intent:
        courier = CourierChild(errand.errand, errand.job_id, self.now, errand.entered, errand.seq)
        self.view = replace(self.view, courier=courier, done=None)
        return errand

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
        yield Progress(job.id, pages)

    def _stop(self) -> Iterator[Intent]:
        """Leave when the sheet under way is safe and its batch recorded; all else the next start does."""
        feeder, courier = self.view.feeder, self.view.courier
        if feeder and feeder.run:
            yield from self._finish_run()
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
