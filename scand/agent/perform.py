"""Performs actions. What became of an action comes back as an occurrence, or as a note for the log.

Nothing is decided or logged here: `scand.decide` does the one, `log.narrate` chooses the lines of the other.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, assert_never

from scand import wire
from scand.agent import retention
from scand.agent.merging import job_pages
from scand.agent.pages import repair_pages, spooled
from scand.agent.snapshot import (
    Spooled,
    canceled_batches,
    next_delivery,
    read_spool,
    settings_of,
    snapshot,
)
from scand.agent.tasks import task
from scand.agent.writes import write
from scand.decide import actions, occurrences
from scand.decide.job_pages import JobPages
from scand.errors import ScandError
from scand.faults import ErrorCode
from scand.jobs.rows import OF_SIGNAL
from scand.queue import pages, waiting
from scand.spool.disk import disk_errors
from scand.wire.child import COURIER, FEEDER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scand.agent.children import Children
    from scand.agent.reload import LiveConfig
    from scand.decide.actions import DatabaseAction, LocalAction, RowWrite
    from scand.decide.occurrences import Note, Occurrence, Outcome
    from scand.jobs.rows import Job
    from scand.queue.results import AgentQueue
    from scand.spool.directories import Spool


class Performer:
    """Performs actions.

    Args:
        config: as it is now.
        spool: the staging directory.
        children: feeder and courier.
    """

    def __init__(self, config: LiveConfig, spool: Spool, children: Children) -> None:
        self._config, self._spool, self._children = config, spool, children
        self._installation = ("", False)
        self._refused: tuple[int, ScandError] | None = None
        self._active: int | None = None

    def elected(self, queue: AgentQueue) -> None:
        """A new session: what is known of the database is asked again."""
        self._installation = queue.installation()

    def perform(self, action: DatabaseAction | LocalAction, queue: AgentQueue | None) -> Iterator[Outcome]:
        """Perform an action; it is performed while the outcomes are iterated over.

        Args:
            queue: None while the database is away: what needs it is left undone, and decided anew later.

        Yields:
            What became of the action.

        Raises:
            psycopg.Error: the database did not do it, or did not answer.
        """
        if not isinstance(action, actions.DatabaseAction):
            yield from self._perform_locally(action)
        elif queue is not None:
            yield from self._perform_in_database(action, queue)

    def _perform_in_database(self, action: DatabaseAction, queue: AgentQueue) -> Iterator[Outcome]:
        match action:
            case actions.LookAgain(after):
                yield from self._look(queue, after)
            case actions.Progress():
                queue.progress(action)
            case actions.Claim():
                yield from self._claim(queue, action)
            case actions.MakeManualJob():
                yield self._make_manual_job(queue)
            case actions.RecordCanceled(job_id):
                yield from self._record_canceled(queue, job_id)
            case actions.Record() | actions.WritePages():
                yield from self._write_pages(action, queue)
            case actions.RepairPages():
                yield from self._repair_pages(action, queue)
            case actions.ReadPages(job):
                yield occurrences.PagesRead(self._job_pages(job, queue))
            case actions.Name(job_id, named):
                yield _outcome(action, self._name(queue, job_id, named))
            case actions.Commit(job_id, published):
                link = self._config.now.documents.link == "auto" and self._installation[1]
                yield _outcome(action, queue.commit(job_id, published, link=link))
            case actions.Expire(keep):
                yield from self._expire(queue, keep)
                yield occurrences.Written(action)
            case _:
                yield _outcome(action, write(action, queue))

    def _look(self, queue: AgentQueue, after: int) -> Iterator[Outcome]:
        paper = self._spool.paper.left()
        timeout = self._config.now.agent.preview_timeout
        rows = queue.look(self._active, after, paper=paper is not None, preview_timeout=timeout)
        if rows.restored:
            yield occurrences.StatusRowMade(rows.epoch)
        if rows.epoch != queue.epoch:
            yield occurrences.Displaced()
            return
        spooled, self._active = Spooled(), rows.job.id if rows.job else None
        if (job := rows.job) is not None:
            (refused_for, error), self._refused = self._refused or (0, None), None
            refusal = error if refused_for == job.id else None
            spooled = read_spool(job, self._spool, self._installation[0], refusal)
            if spooled.aside is not None:
                yield occurrences.SpoolPutAside(job.id, str(spooled.aside))
        config, delivery = self._config.now, next_delivery(rows, self._spool)
        yield occurrences.Looked(snapshot(rows, spooled, paper, config, self._installation[0], delivery))

    def _claim(self, queue: AgentQueue, claim: actions.Claim) -> Iterator[Occurrence]:
        claimed = queue.claim(str(self._spool.jobs), claim)
        if claimed is not None:  # else a client holds the row, or was faster: the poll tries again
            self._children.prepare()
            yield claimed

    def _make_manual_job(self, queue: AgentQueue) -> Occurrence:
        manual = self._config.now.manual
        settings = {"profile": manual.profile, "scan": "auto", "finish": manual.finish, OF_SIGNAL: True}
        title = self._config.now.manual_title(datetime.now().astimezone())
        job_id = queue.manual_job(title, settings)
        return occurrences.ManualJobMade(job_id, title) if job_id else occurrences.LookDue()

    def _name(self, queue: AgentQueue, job_id: int, named: wire.Named) -> bool:
        """The courier may publish only once the row has the name."""
        same = queue.same_document(job_id, named.sha256)
        done = queue.name_publication(job_id, same or named.inbox_path, named.sha256)
        if done:
            self._children.tell(COURIER, wire.Go(inbox_path=named.inbox_path, same_as=same))
        return done

    def _record_canceled(self, queue: AgentQueue, job_id: int) -> Iterator[Outcome]:
        """What canceled jobs have on disk gets its rows, whatever was killed before it could be written."""
        ids = [job_id] if job_id else self._spool.ids()
        try:
            with disk_errors():
                jobs = waiting.canceled(queue, ids)
                for canceled, batch in canceled_batches(jobs, self._spool, self._installation[0]):
                    found = spooled(self._spool.existing(canceled), batch.seq, 0)
                    if waiting.record_canceled(queue, canceled, batch, found):
                        yield occurrences.CanceledBatchRecorded(canceled, batch.seq, batch.bindable)
        except ScandError as error:
            yield occurrences.DiskRefused(error.sentence)
        yield occurrences.Written(actions.RecordCanceled(job_id))

    def _write_pages(
        self, action: actions.Record | actions.WritePages, queue: AgentQueue
    ) -> Iterator[Outcome]:
        """Write pages that have no row yet; with `Record`, in the transaction of their batch."""
        directory = self._spool.existing(action.job_id)
        try:
            if isinstance(action, actions.Record):
                done = queue.record(action, spooled(directory, action.seq, action.listed))
            else:
                found = spooled(directory, action.seq, action.after, action.upto)
                done = pages.write(queue, action.job_id, action.status, found)
        except ScandError as error:  # the next look tells of it
            self._refused = action.job_id, error
            yield occurrences.DiskRefused(error.sentence)
        else:
            yield _outcome(action, done)

    def _repair_pages(self, action: actions.RepairPages, queue: AgentQueue) -> Iterator[Outcome]:
        """What cannot be read now is the job's trouble only when it is merged."""
        try:
            repair_pages(queue, self._spool.existing(action.job.id), action.job)
        except ScandError as error:
            yield occurrences.DiskRefused(error.sentence)
        yield occurrences.Written(action)

    def _job_pages(self, job: Job, queue: AgentQueue) -> JobPages:
        directory = self._spool.existing(job.id)
        try:
            return job_pages(job, directory, repair_pages(queue, directory, job))
        except ScandError as error:
            return JobPages(job.id, job.entered, job.merged, trouble=error)

    def _expire(self, queue: AgentQueue, keep: float) -> Iterator[Note]:
        """The rows let go first; what then lies on disk belongs to nobody, also after a kill between the two."""
        spool, installation = self._spool, self._installation[0]
        retention.let_go(queue, spool, keep)
        try:
            with disk_errors():
                for job_id in retention.put_out_of_the_way(queue, spool, installation):
                    yield occurrences.FilesExpired(job_id)
                for job_id in retention.put_deleted_out_of_the_way(queue, spool, installation, keep):
                    yield occurrences.FilesExpired(job_id)
        except ScandError as error:
            yield occurrences.DiskRefused(error.sentence)

    def _perform_locally(self, action: LocalAction) -> Iterator[Outcome]:
        match action:
            case actions.StartFeeder():
                yield from self._start(FEEDER)
            case actions.Scan(job_id, seq, settings):
                self._children.tell(
                    FEEDER,
                    wire.Scan(
                        directory=str(self._spool.existing(job_id).batch(seq).path),
                        device=action.device,
                        last_device=action.last_device,
                        settings=settings,
                        min_free=self._config.now.staging.min_free,
                        paper=str(self._spool.paper.path),
                        picture=self._config.now.pictures.size,
                    ),
                )
                self._children.prepare()
            case actions.TellFeeder(command):
                self._children.tell(FEEDER, command)
            case actions.FindScanner():
                self._children.tell(FEEDER, wire.Find(device=self._config.now.scanner.device))
            case actions.RetireFeeder():
                self._children.retire(FEEDER)
            case actions.KillFeeder():
                self._children.kill(FEEDER)
            case actions.AbandonFeeder():
                yield from self._children.abandon(FEEDER)
            case actions.Send():
                yield from self._send(action)
                return
            case actions.KillCourier():
                self._children.kill(COURIER)
            case actions.AbandonCourier():
                yield from self._children.abandon(COURIER)
            case actions.EndBatch() | actions.DropBatch():
                yield from self._write_disk(action)
            case actions.RefuseScan():
                pass  # it has no effect but its log line
            case _:
                assert_never(action)
        yield occurrences.Performed(action)

    def _start(self, role: str) -> Iterator[Occurrence]:
        try:
            self._children.start(role)
        except OSError as error:
            ended = occurrences.FeederEnded if role == FEEDER else occurrences.CourierEnded
            yield ended(str(error))

    def _send(self, send: actions.Send) -> Iterator[Outcome]:
        """A courier for the NAS is not started while an earlier one is stuck there."""
        if not send.task.local and self._children.stuck():
            hung = "The NAS does not answer, and a courier is stuck in it: see whether the share is mounted."
            yield occurrences.CourierSaid(wire.Failed(code=ErrorCode.NAS_HUNG, sentence=hung))
            yield occurrences.CourierEnded("not started")
            return
        config, directory = self._config.now, self._spool.existing(send.job_id)
        settings = settings_of(send.job, config) if send.job else None
        chosen = None if isinstance(settings, ScandError) else settings
        command = task(
            send,
            directory,
            chosen,
            config,
            installation=self._installation[0],
            volume_id=self._spool.volume_id(),
        )
        yield from self._start(COURIER)
        self._children.tell(COURIER, command)
        yield occurrences.Performed(send)

    def _write_disk(self, action: actions.EndBatch | actions.DropBatch) -> Iterator[Note]:
        """What the disk refuses is the job's trouble: the next look tells of it."""
        batch = self._spool.existing(action.job_id).batch(action.seq)
        try:
            with disk_errors():
                if isinstance(action, actions.DropBatch):
                    batch.drop()
                elif batch.begun() and not batch.ended():
                    batch.finish(action.end)
        except ScandError as error:
            self._refused = action.job_id, error
            yield occurrences.DiskRefused(error.sentence)


def _outcome(action: RowWrite, done: bool) -> Occurrence:
    return occurrences.Written(action) if done else occurrences.NotWritten(action)
