"""The effects: one short function an action. What follows from an effect comes back as occurrences.

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
    Action,
    Advance,
    Claim,
    Commit,
    DropBatch,
    EndBatch,
    ExpectStaged,
    Expire,
    FindScanner,
    ForgetStaged,
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
from scand.decide.state import Snapshot
from scand.errors import ScandError
from scand.faults import ErrorCode
from scand.jobs.lifecycle import Actor
from scand.jobs.settings import Settings
from scand.wire.child import COURIER, FEEDER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scand.agent.children import Children
    from scand.agent.log.reporter import Reporter
    from scand.agent.reload import LiveConfig
    from scand.jobs.rows import Job
    from scand.queue.results import AgentQueue
    from scand.spool.directories import JobDirectory, Spool
    from scand.spool.records import SpooledBatch


class Performer:
    """Performs actions, in order."""

    def __init__(self, config: LiveConfig, spool: Spool, children: Children, reporter: Reporter) -> None:
        self._config = config
        self._spool, self._children, self._reporter = spool, children, reporter
        self._installation = ("", False)
        self._refused: tuple[int, OSError | ValidationError] | None = None

    def elected(self, queue: AgentQueue) -> None:
        """A new session: what is known of the database is asked again."""
        self._installation = queue.installation()

    def perform(self, action: Action, queue: AgentQueue | None) -> Iterator[Occurrence]:
        """Do what is wanted.

        Args:
            queue: None while the database is away: then only what needs no database is wanted.

        Raises:
            psycopg.Error: the database did not do it, or did not answer.
        """
        if queue is not None:
            yield from self._write_rows(action, queue)
        yield from self._tell_children(action)
        if isinstance(action, EndBatch | DropBatch):
            self._disk(action)

    # Rows.

    def _write_rows(self, action: Action, queue: AgentQueue) -> Iterator[Occurrence]:
        match action:
            case LookAgain():
                yield self._look(queue)
                return
            case Progress():
                queue.progress(action)
                return
            case Claim():
                claimed = queue.claim(str(self._spool.jobs))
                if claimed is None:
                    return  # a client holds the row, or was faster: the poll tries again
                self._reporter.say(Event.JOB_CLAIMED, job=claimed[0], title=claimed[1])
                self._children.prepare()
            case MakeManualJob():
                manual = self._config.now.manual
                settings = {"profile": manual.profile, "scan": "auto", "finish": manual.finish}
                title = self._config.now.manual_title(datetime.now().astimezone())
                job_id = queue.manual_job(title, settings)
                self._reporter.say(Event.MANUAL_JOB_MADE, job=job_id, title=title)
            case Advance(actor=Actor.CLIENT, job_id=job_id):
                queue.scan_now(job_id)
            case Advance():
                if queue.advance(action):
                    self._tell(action)
                else:
                    self._reporter.say(Event.STEP_REFUSED, job=action.job_id, wanted=action.to_status)
            case Record():
                if queue.record(action):
                    self._tell(action)
            case Postpone():
                if queue.postpone(action):
                    self._tell(action)
            case Name(job_id, named):
                self._name(queue, job_id, named)
            case Commit(job_id, published):
                link = self._config.now.documents.link == "auto" and self._installation[1]
                if queue.commit(job_id, published, link=link):
                    self._reporter.say(
                        Event.COMMITTED, job=job_id, path=published.inbox_path, sha256=published.sha256
                    )
            case ExpectStaged() | ForgetStaged() | Expire():
                self._belongings(action, queue)
            case _:
                return
        yield LookDue()

    def _look(self, queue: AgentQueue) -> Occurrence:
        rows = queue.look()
        if rows.epoch != queue.epoch:
            return Displaced()
        if rows.job is None:
            return Looked(Snapshot(queued=rows.queued, stale=rows.stale))
        unrecorded, last, trouble = self._spooled(rows.job)
        return Looked(
            Snapshot(
                job=rows.job,
                queued=rows.queued,
                settings=self._settings(rows.job),
                unrecorded=tuple(unrecorded),
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
            self._reporter.say(Event.SPOOL_PUT_ASIDE, job=job.id, path=str(aside))
        return directory

    def _settings(self, job: Job) -> Settings | ScandError:
        try:
            return self._config.now.settings(job.settings)
        except ScandError as error:
            return error

    def _name(self, queue: AgentQueue, job_id: int, named: wire.Named) -> None:
        """The word to publish is given only once the row has the name."""
        same = queue.same_document(job_id, named.sha256)
        if queue.name_publication(job_id, same or named.inbox_path, named.sha256):
            self._children.tell(COURIER, wire.Go(inbox_path=named.inbox_path, same_as=same))

    def _belongings(self, action: ExpectStaged | ForgetStaged | Expire, queue: AgentQueue) -> None:
        """What a job has on the NAS and on local disk: its row says so before there is anything.

        The rows let go first; what then lies on disk belongs to nobody, also after a kill between the two.
        """
        if isinstance(action, ExpectStaged):
            queue.expect_staged(action.job_id, staged_path(action.job_id, self._config.now))
            return
        if isinstance(action, ForgetStaged):
            queue.forget_staged(action.job_id)
            return
        retention.let_go(queue, self._spool, action.keep)
        try:
            for job_id in retention.put_out_of_the_way(queue, self._spool, self._installation[0]):
                self._reporter.say(Event.FILES_EXPIRED, job=job_id)
        except OSError as error:
            self._reporter.say(Event.UNEXPECTED, why=f"the staging disk: {error}")

    # Children.

    def _tell_children(self, action: Action) -> Iterator[Occurrence]:
        match action:
            case StartFeeder():
                yield from self._start(FEEDER)
            case Scan(job_id, seq, settings):
                self._children.tell(
                    FEEDER,
                    wire.Scan(
                        directory=str(self._spool.existing(job_id).batch(seq).path),
                        device=action.device,
                        last_device=action.last_device,
                        settings=settings,
                        min_free=self._config.now.staging.min_free,
                    ),
                )
                self._reporter.say(Event.BATCH_STARTED, job=job_id, batch=seq)
                self._children.prepare()
            case TellFeeder(command):
                self._children.tell(FEEDER, command)
            case FindScanner():
                self._children.tell(FEEDER, wire.Find(device=self._config.now.scanner.device))
            case RetireFeeder():
                self._children.retire(FEEDER)
            case KillFeeder(code):
                self._reporter.say(Event.FEEDER_KILLED, code=code, why=code)
                self._children.kill(FEEDER)
            case AbandonFeeder():
                yield from self._children.abandon(FEEDER)
            case Send():
                yield from self._send(action)
            case KillCourier():
                self._children.kill(COURIER)
            case AbandonCourier():
                yield from self._children.abandon(COURIER)
            case RefuseScan(status):
                why = f"a job is {status}" if status else "the database is away"
                self._reporter.say(Event.SCAN_REFUSED, why=why)
            case _:
                pass

    def _start(self, role: str) -> Iterator[Occurrence]:
        try:
            self._children.start(role)
        except OSError as error:
            yield FeederEnded(str(error)) if role == FEEDER else CourierEnded(str(error))

    def _send(self, send: Send) -> Iterator[Occurrence]:
        """A courier for the NAS waits while a former one is stuck there."""
        if not send.task.local and self._children.stuck():
            hung = "The NAS does not answer, and a courier is stuck in it: see whether the share is mounted."
            yield CourierSaid(wire.Failed(code=ErrorCode.NAS_HUNG, sentence=hung))
            yield CourierEnded("not started")
            return
        settings = send.job and self._settings(send.job)
        directory = self._spool.existing(send.job_id)
        chosen = settings if isinstance(settings, Settings) else None
        order = task(send, directory, chosen, self._config.now, self._spool.volume_id())
        self._reporter.say(Event.COURIER_STARTED, job=send.job_id, task=send.task)
        yield from self._start(COURIER)
        self._children.tell(COURIER, order)

    # Local disk.

    def _disk(self, action: EndBatch | DropBatch) -> None:
        """What the disk refuses is the job's trouble: the next look tells of it."""
        batch = self._spool.existing(action.job_id).batch(action.seq)
        try:
            if isinstance(action, DropBatch):
                batch.drop()
            elif batch.begun() and not batch.ended():
                batch.finish(action.end)
        except (OSError, ValidationError) as error:
            self._refused = action.job_id, error
            self._reporter.say(Event.UNEXPECTED, why=f"the staging disk: {error}")

    def _tell(self, done: Advance | Record | Postpone) -> None:
        for event, about in carried_out(done):
            self._reporter.say(event, **about)
