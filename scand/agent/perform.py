"""The effects: one short function an intent. What follows from an effect comes back as occurrences.

A write that was not done means that somebody was faster; the look that follows tells who.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from pydantic import ValidationError

from scand import wire
from scand.agent import retention
from scand.agent.log.events import Event
from scand.agent.log.narrate import carried_out
from scand.agent.tasks import staged_path, task
from scand.decide.actions import (
    AbandonCourier,
    AbandonFeeder,
    Advance,
    Claim,
    Commit,
    DropBatch,
    EndBatch,
    ExpectStaged,
    Expire,
    FindScanner,
    ForgetStaged,
    Intent,
    KillCourier,
    KillFeeder,
    LookAgain,
    MakeManualJob,
    Name,
    Postpone,
    Progress,
    Record,
    RefuseScan,
    RetireFeeder,
    Scan,
    Send,
    StartFeeder,
    TellFeeder,
)
from scand.decide.occurrences import (
    CourierEnded,
    CourierSaid,
    Displaced,
    FeederEnded,
    LookDue,
    Looked,
    Occurrence,
)
from scand.decide.state import Look
from scand.errors import ErrorCode, ScandError
from scand.jobs.lifecycle import Actor
from scand.jobs.settings import Settings
from scand.wire.child import COURIER, FEEDER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scand.agent.children import Crew
    from scand.agent.log.reporter import Teller
    from scand.agent.reload import LiveConfig
    from scand.jobs.rows import Job
    from scand.queue.results import Store
    from scand.spool.directories import JobDirectory, Spool
    from scand.spool.records import SpooledBatch


class Performer:
    """Performs intents, in order."""

    def __init__(self, config: LiveConfig, spool: Spool, crew: Crew, teller: Teller) -> None:
        self._config = config
        self._spool, self._crew, self._teller = spool, crew, teller
        self._installation = ("", False)
        self._refused: tuple[int, OSError | ValidationError] | None = None

    def elected(self, store: Store) -> None:
        """A new session: what is known of the database is asked again."""
        self._installation = store.installation()

    def perform(self, intent: Intent, store: Store | None) -> Iterator[Occurrence]:
        """Do what is wanted.

        Args:
            store: None while the database is away: then only what needs no database is wanted.

        Raises:
            psycopg.Error: the database did not do it, or did not answer.
        """
        if store is not None:
            yield from self._rows(intent, store)
        yield from self._children(intent)
        if isinstance(intent, EndBatch | DropBatch):
            self._disk(intent)

    # Rows.

    def _rows(self, intent: Intent, store: Store) -> Iterator[Occurrence]:
        match intent:
            case LookAgain():
                yield self._look(store)
                return
            case Progress():
                store.progress(intent)
                return
            case Claim():
                claimed = store.claim(str(self._spool.jobs))
                if claimed is None:
                    return  # a client holds the row, or was faster: the poll tries again
                self._teller.say(Event.JOB_CLAIMED, job=claimed[0], title=claimed[1])
                self._crew.prepare()
            case MakeManualJob():
                manual = self._config.now.manual
                settings = {"profile": manual.profile, "scan": "auto", "finish": manual.finish}
                title = self._config.now.manual_title(datetime.now().astimezone())
                job_id = store.manual_job(title, settings)
                self._teller.say(Event.MANUAL_JOB_MADE, job=job_id, title=title)
            case Advance(actor=Actor.CLIENT, job_id=job_id):
                store.scan_now(job_id)
            case Advance():
                if store.advance(intent):
                    self._tell(intent)
                else:
                    self._teller.say(Event.STEP_REFUSED, job=intent.job_id, wanted=intent.to_status)
            case Record():
                if store.record(intent):
                    self._tell(intent)
            case Postpone():
                if store.postpone(intent):
                    self._tell(intent)
            case Name(job_id, named):
                self._name(store, job_id, named)
            case Commit(job_id, published):
                link = self._config.now.documents.link == "auto" and self._installation[1]
                if store.commit(job_id, published, link=link):
                    self._teller.say(
                        Event.COMMITTED, job=job_id, path=published.inbox_path, sha256=published.sha256
                    )
            case ExpectStaged() | ForgetStaged() | Expire():
                self._belongings(intent, store)
            case _:
                return
        yield LookDue()

    def _look(self, store: Store) -> Occurrence:
        rows = store.look()
        if rows.epoch != store.epoch:
            return Displaced()
        if rows.job is None:
            return Looked(Look(queued=rows.queued, stale=rows.stale))
        unsettled, last, trouble = self._spooled(rows.job)
        return Looked(
            Look(
                job=rows.job,
                queued=rows.queued,
                settings=self._settings(rows.job),
                unsettled=tuple(unsettled),
                next_seq=last + 1,
                stale=rows.stale,
                trouble=trouble,
            )
        )

    def _spooled(self, job: Job) -> tuple[list[SpooledBatch], int, ScandError | None]:
        """What the disk holds of a job beyond the rows; what cannot be read or written is the job's trouble."""
        recorded = {batch.seq for batch in job.batches}
        refused, self._refused = self._refused, None
        try:
            if refused and refused[0] == job.id:
                raise refused[1]
            return *self._directory(job).look(recorded), None
        except ValidationError as error:
            code, what = ErrorCode.SPOOL_DAMAGED, f"what scand wrote there is damaged: {error}"
        except OSError as error:
            where = f" ({error.filename})" if error.filename else ""
            code, what = ErrorCode.STAGING_FULL, f"{error.strerror}{where}"
        sentence = f"The job's directory below {self._spool.jobs} cannot be used: {what}. Nothing is deleted."
        return [], max(recorded, default=0), ScandError(sentence, code)

    def _directory(self, job: Job) -> JobDirectory:
        record = retention.record(job.id, job.created_at, self._installation[0])
        directory, aside = self._spool.job(record)
        if aside is not None:
            self._teller.say(Event.SPOOL_PUT_ASIDE, job=job.id, path=str(aside))
        return directory

    def _settings(self, job: Job) -> Settings | ScandError:
        try:
            return self._config.now.settings(job.settings)
        except ScandError as error:
            return error

    def _name(self, store: Store, job_id: int, named: wire.Named) -> None:
        """The word to publish is given only once the row has the name."""
        same = store.same_document(job_id, named.sha256)
        if store.name_publication(job_id, same or named.inbox_path, named.sha256):
            self._crew.tell(COURIER, wire.Go(inbox_path=named.inbox_path, same_as=same))

    def _belongings(self, intent: ExpectStaged | ForgetStaged | Expire, store: Store) -> None:
        """What a job has on the NAS and on local disk: its row says so before there is anything.

        The rows let go first; what then lies on disk belongs to nobody, also after a kill between the two.
        """
        if isinstance(intent, ExpectStaged):
            store.expect_staged(intent.job_id, staged_path(intent.job_id, self._config.now))
            return
        if isinstance(intent, ForgetStaged):
            store.forget_staged(intent.job_id)
            return
        retention.let_go(store, self._spool, intent.keep)
        try:
            for job_id in retention.put_out_of_the_way(store, self._spool, self._installation[0]):
                self._teller.say(Event.FILES_EXPIRED, job=job_id)
        except OSError as error:
            self._teller.say(Event.UNEXPECTED, why=f"the staging disk: {error}")

    # Children.

    def _children(self, intent: Intent) -> Iterator[Occurrence]:
        match intent:
            case StartFeeder():
                yield from self._start(FEEDER)
            case Scan(job_id, seq, settings):
                self._crew.tell(
                    FEEDER,
                    wire.Scan(
                        directory=str(self._spool.existing(job_id).batch(seq).path),
                        device=intent.device,
                        last_device=intent.last_device,
                        settings=settings,
                        min_free=self._config.now.staging.min_free,
                    ),
                )
                self._teller.say(Event.BATCH_STARTED, job=job_id, batch=seq)
                self._crew.prepare()
            case TellFeeder(command):
                self._crew.tell(FEEDER, command)
            case FindScanner():
                self._crew.tell(FEEDER, wire.Find(device=self._config.now.scanner.device))
            case RetireFeeder():
                self._crew.retire(FEEDER)
            case KillFeeder(code):
                self._teller.say(Event.FEEDER_KILLED, code=code, why=code)
                self._crew.kill(FEEDER)
            case AbandonFeeder():
                yield from self._crew.abandon(FEEDER)
            case Send():
                yield from self._send(intent)
            case KillCourier():
                self._crew.kill(COURIER)
            case AbandonCourier():
                yield from self._crew.abandon(COURIER)
            case RefuseScan(status):
                why = f"a job is {status}" if status else "the database is away"
                self._teller.say(Event.SCAN_REFUSED, why=why)
            case _:
                pass

    def _start(self, role: str) -> Iterator[Occurrence]:
        try:
            self._crew.start(role)
        except OSError as error:
            yield FeederEnded(str(error)) if role == FEEDER else CourierEnded(str(error))

    def _send(self, send: Send) -> Iterator[Occurrence]:
        """A courier for the NAS waits while a former one is stuck there."""
        if not send.errand.local and self._crew.stuck():
            hung = "The NAS does not answer, and a courier is stuck in it: see whether the share is mounted."
            yield CourierSaid(wire.Failed(code=ErrorCode.NAS_HUNG, sentence=hung))
            yield CourierEnded("not started")
            return
        settings = send.job and self._settings(send.job)
        directory = self._spool.existing(send.job_id)
        chosen = settings if isinstance(settings, Settings) else None
        order = task(send, directory, chosen, self._config.now, self._spool.volume_id())
        self._teller.say(Event.COURIER_STARTED, job=send.job_id, task=send.errand)
        yield from self._start(COURIER)
        self._crew.tell(COURIER, order)

    # Local disk.

    def _disk(self, intent: EndBatch | DropBatch) -> None:
        """What the disk refuses is the job's trouble: the next look tells of it."""
        batch = self._spool.existing(intent.job_id).batch(intent.seq)
        try:
            if isinstance(intent, DropBatch):
                batch.drop()
            elif batch.begun() and not batch.ended():
                batch.finish(intent.end)
        except (OSError, ValidationError) as error:
            self._refused = intent.job_id, error
            self._teller.say(Event.UNEXPECTED, why=f"the staging disk: {error}")

    def _tell(self, done: Advance | Record | Postpone) -> None:
        for event, about in carried_out(done):
            self._teller.say(event, **about)
