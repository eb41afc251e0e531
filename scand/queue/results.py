"""The queue in PostgreSQL, as the agent uses it: a method a query, and none that waits longer than its deadline.

Every write carries the agent's epoch and the status it expects. It answers whether it was done: False means that
somebody was faster (a client, or another daemon), and the next look tells who.
"""

from __future__ import annotations

import os
import socket
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.types.json import Jsonb

from scand import __version__
from scand.decide.occurrences import Claimed
from scand.decide.timeouts import LONGEST_BACKOFF
from scand.jobs.lifecycle import Status
from scand.jobs.rows import BatchStatus, StaleFile
from scand.queue import pages
from scand.queue.agent_rows import MOST_BATCHES, Rows, job_of, parked_job, unread_document
from scand.queue.connection import take_role
from scand.queue.statements import AGENT_LOCK

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from scand import wire
    from scand.decide.actions import Advance, Claim, Postpone, Progress, Record
    from scand.jobs.rows import PageRow
    from scand.queue.connection import Connection
    from scand.spool.records import SpooledPage

_EMPTIED = 5
"""How often the agent's row is made again within one look, while somebody empties its table."""


class AgentQueue:
    """One session's view of the queue.

    Args:
        connection: see `connection.connect`; the caller owns it.
        queries: see `statements.load`.
    """

    def __init__(self, connection: Connection, queries: Mapping[str, bytes]) -> None:
        self.connection = connection
        self._queries = queries
        self.epoch = 0

    def run(self, name: str, **values: object) -> list[dict[str, Any]]:
        """The rows of a statement of sql/agent.sql, by its name."""
        cursor = self.connection.execute(self._queries[name], {**values, "epoch": self.epoch})
        return cursor.fetchall() if cursor.description else []

    def _done(self, name: str, **values: object) -> bool:
        return bool(self.run(name, **values))

    @contextmanager
    def as_client(self) -> Iterator[None]:
        """A person's word through the daemon: a transaction in which it is a client."""
        with self.connection.transaction():
            take_role(self.connection, "scand_client", local=True)
            yield

    # Who leads.

    def elect(self) -> bool:
        """Try to lead: take the session's advisory lock, and a new epoch with it.

        A session that has the lock already gets another epoch. The agent's row is made again if it is missing.
        """
        row = self.connection.execute("SELECT pg_try_advisory_lock(%s) AS mine", (AGENT_LOCK,)).fetchone()
        if row is None or not row["mine"]:
            return False
        me = {"hostname": socket.gethostname(), "pid": os.getpid(), "version": __version__}
        with self.connection.transaction():  # nobody empties the table before the row has its epoch
            found = self.run("elect", **me)
            if not found:
                try:
                    self.run("make_status_row")
                except psycopg.errors.InsufficientPrivilege as error:
                    why = 'scan_agent_status has no row, and this login may not make one: run "scand migrate"'
                    raise psycopg.OperationalError(why) from error
                found = self.run("elect", **me)
        if not found:
            raise psycopg.OperationalError("scan_agent_status shows this login no row: see scand doctor")
        self.epoch = found[0]["epoch"]
        return True

    def installation(self) -> tuple[str, bool]:
        """This database's own id, and whether its documents table is scand's."""
        (row,) = self.run("installation")
        return row["id"], row["owns_documents"]

    def heartbeat(self, *, job_id: int | None, state: str, ready: bool, device: str | None) -> bool:
        """Alive. False: another daemon leads, or the row is missing; the next look tells which."""
        rows = self.run("heartbeat", state=state, ready=ready, device=device)
        if rows and rows[0]["current_job_id"] != job_id:
            # Told when it can be: whoever has locked scan_jobs delays this, and not the heartbeat before it.
            with suppress(psycopg.errors.LockNotAvailable, psycopg.errors.ForeignKeyViolation):
                self.run("point_at_job", job_id=job_id)
        return bool(rows)

    def sign_off(self) -> None:
        """This daemon stops."""
        self.run("sign_off")

    # The queue.

    def look(
        self,
        former: int | None = None,
        after: int = 0,
        *,
        paper: bool = False,
        preview_timeout: float | None = None,
    ) -> Rows:
        """One round trip: the active job with all that deciding needs.

        Where the agent's row is missing, this session leads on under another epoch, if it has the lock.

        Args:
            former: the job that was active at the look before.
            after: of the jobs with stale staged files, those with a higher id come first.
            paper: the feeder may hold a job's paper, so that it matters which job is next.
            preview_timeout: seconds after which an unanswered preview has waited for too long; None: never.
        """
        values = {
            "longest": LONGEST_BACKOFF,
            "batches": MOST_BATCHES,
            "former": former,
            "after": after,
            "paper": paper,
            "preview_timeout": preview_timeout,
        }
        rows, restored = self.run("look", **values), False
        for _ in range(_EMPTIED):
            if rows or not self.elect():
                break
            rows, restored = self.run("look", **values), True
        if not rows:
            why = "scan_agent_status has no row: another session leads, or the table is emptied all the time"
            raise psycopg.OperationalError(why)
        row = rows[0]
        if row["ahead"]:
            self.run("restart_idle_clock", id=row["id"], status=row["status"])
        stale, unread, waiting = row["stale"], row["unread"], row["waiting"]
        return Rows(
            epoch=row["epoch"],
            job=job_of(row) if row["id"] is not None else None,
            queued=row["queued"],
            stale=stale and StaleFile(stale["id"], stale["nas_staging_path"]),
            unread=unread and unread_document(unread),
            former=row["former_status"],
            former_path=row["former_path"],
            restored=restored,
            held=row["held"],
            waiting=waiting and (waiting["id"], waiting["settings"]),
            delivery=parked_job(row["delivery"]),
            overdue=parked_job(row["overdue"]),
        )

    def claim(self, jobs: str, claim: Claim) -> Claimed | None:
        """Take the oldest queued job; None when there is nothing to claim.

        Args:
            jobs: the absolute directory below which each job has one of its own.
            claim: which.
        """
        try:
            rows = self.run("claim", jobs=jobs, only=claim.only, delivery=claim.delivery)
        except psycopg.errors.UniqueViolation:
            return None  # another became active in the same moment
        return Claimed(rows[0]["id"], rows[0]["title"], Status(rows[0]["status"])) if rows else None

    def manual_job(self, title: str, settings: Mapping[str, object]) -> int | None:
        """A new queued job, made as a client; None: another daemon leads."""
        with self.as_client():
            rows = self.run("manual_job", title=title, settings=Jsonb(dict(settings)))
        return int(rows[0]["id"]) if rows else None

    def scan_now(self, job_id: int) -> bool:
        """ready → scanning on a person's word, as a client."""
        with self.as_client():
            return self._done("scan_now", id=job_id)

    def advance(self, step: Advance) -> bool:
        """One step of the agent."""
        staged = step.staged
        return self._done(
            "advance",
            id=step.job_id,
            from_status=step.from_status,
            to_status=step.to_status,
            entered=step.entered,
            error=step.error,
            code=step.code,
            page_count=staged and staged.document.pages,
            staged=staged and staged.staged,
            sha256=staged and staged.document.sha256,
            title=staged and staged.title,
        )

    def pages(self, job_id: int) -> tuple[PageRow, ...]:
        """The rows of a job's pages as fed; `agent.pages` compares them with the disk."""
        return pages.pages(self, job_id)

    def record(self, batch: Record, found: Iterable[SpooledPage] = ()) -> bool:
        """A batch, and what it means for the job, in one transaction.

        Args:
            found: those of its pages that may have no row yet.
        """
        pdf = batch.pdf
        status = BatchStatus.SCANNED if batch.kept else BatchStatus.DISCARDED
        with self.connection.transaction():
            self.run(
                "record_batch",
                id=batch.job_id,
                expected=batch.status,
                seq=batch.seq,
                path=pdf and pdf.path,
                pages=pdf.pages if pdf else 0,
                blank=batch.blank,
                sha256=pdf and pdf.sha256,
                status=status,
                code=batch.code,
                answered=batch.answered,
                fault=batch.fault,
            )
            pages.write(self, batch.job_id, batch.status, found)
            if batch.answers:
                self.run(
                    "answer_batches",
                    id=batch.job_id,
                    expected=batch.status,
                    seq=batch.seq,
                    halves=batch.halves,
                )
            done = self._done(
                "after_batch",
                id=batch.job_id,
                expected=batch.status,
                error=batch.error,
                error_code=batch.code if batch.error else None,
            )
            if not done:
                raise psycopg.Rollback
        return done

    def postpone(self, step: Postpone) -> bool:
        """Try the step again later, and say why."""
        values = {"status": step.status, "code": step.code, "error": step.error, "seconds": step.seconds}
        return self._done("postpone", id=step.job_id, **values)

    def progress(self, progress: Progress) -> bool:
        """The job moves."""
        at = progress.step
        return self._done(
            "progress",
            id=progress.job_id,
            pages=progress.pages,
            step=at and at.step,
            done=at and at.done,
            total=at and at.total,
        )

    def same_document(self, job_id: int, sha256: str) -> str | None:
        """Where a committed job has put these very bytes, if one has."""
        rows = self.run("same_document", id=job_id, sha256=sha256)
        return rows[0]["inbox_path"] if rows else None

    def name_publication(self, job_id: int, inbox_path: str, sha256: str) -> bool:
        """Before the rename that publishes."""
        return self._done("name_publication", id=job_id, inbox_path=inbox_path, sha256=sha256)

    def commit(self, job_id: int, published: wire.Published, *, link: bool) -> bool:
        """Committed; with `link`, its row in documents in the same transaction."""
        values = {"id": job_id, "inbox_path": published.inbox_path, "sha256": published.sha256}
        with self.connection.transaction():
            doc_id = None
            if link:
                self.run("link_document", **values)
                found = self.run("find_document", sha256=published.sha256)
                doc_id = found[0]["id"] if found else None  # none: nothing was written, nor will commit be
            done = self._done("commit", **values, doc_id=doc_id)
            if not done:
                raise psycopg.Rollback
        return done

    def expect_staged(self, job_id: int, staged: str) -> bool:
        """Before a copy is made: where it is going to be, relative to the NAS root."""
        return self._done("expect_staged", id=job_id, staged=staged)

    def forget_staged(self, job_id: int) -> bool:
        """Nothing of the job is on the NAS any more."""
        return self._done("forget_staged", id=job_id) or self._done("forget_staged_of_deleted", id=job_id)
