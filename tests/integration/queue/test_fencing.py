"""Every write of the agent has its epoch and the status that it expects; the heartbeat needs no other table."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg.types.json import Json, Jsonb

from scand import wire
from scand.decide.actions import Record
from scand.jobs.lifecycle import Status
from scand.queue import rivals, statements
from scand.queue.agent_rows import MOST_BATCHES
from scand.queue.connection import connect
from scand.queue.results import AgentQueue

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from scand.queue.connection import Connection

STATEMENTS = {name: body.decode() for name, body in statements.load().items()}
WRITES = re.compile(r"^\s*(UPDATE|INSERT|DELETE|MERGE)\b|\bFOR (NO KEY )?UPDATE\b", re.MULTILINE)

ALWAYS = {"make_status_row", "elect"}
"""What the session does by which a daemon begins to lead: the advisory lock is its right."""

SHA256 = "0" * 64
JOBS = "/spool/jobs"
EXPIRE = {"keep": 60.0, "jobs": JOBS, "spare": [], "not_read_back": False}
STEP = {
    "entered": 1 << 62,
    "error": None,
    "code": None,
    "page_count": None,
    "staged": None,
    "sha256": None,
    "title": None,
}
PAGE = {
    "batch_seq": 1, "page": 1, "sheet": 1, "side": "front", "width_mm": 210.0, "height_mm": 297.0,
    "blank": False, "sha256": SHA256, "age": 0.0, "picture": "ffd8",
}  # fmt: skip
PAGES = {"pages": Json([PAGE]), "expected": "scanning"}
BATCH = {
    "seq": 2, "path": "/b.pdf", "pages": 1, "blank": 0, "status": "scanned", "sha256": SHA256, "answered": False,
    "fault": "f",
}  # fmt: skip

# Of each write: the status of a job in which it is to be done, its values, and what of the job it does not mind.
CASES: Mapping[str, tuple[Status, Mapping[str, object]]] = {
    "restart_idle_clock": (Status.READY, {"status": "ready"}),
    "claim": (Status.QUEUED, {"jobs": JOBS, "only": None, "delivery": False}),
    "park": (
        Status.ASSEMBLING,
        {"status": "assembling", "entered": 1 << 62, "idle": 60.0, "error": "e", "code": "nas_unavailable"},
    ),
    "give_up": (
        Status.QUEUED,
        {"resumes_in": "preview", "preview_timeout": 60.0, "error": "e", "code": "idle_timeout"},
    ),
    "hold": (Status.QUEUED, {"status": "queued", "error": "e"}),
    "let_wait": (Status.QUEUED, {}),
    "record_canceled": (
        Status.CANCELED,
        {"seq": 2, "pages": 4, "blank": 0, "code": "canceled", "fault": "f"},
    ),
    "advance": (Status.SCANNING, {**STEP, "from_status": "scanning", "to_status": "ready"}),
    "scan_now": (Status.READY, {}),
    "manual_job": (Status.COMMITTED, {"title": "T", "settings": Jsonb({})}),
    "record_batch": (Status.SCANNING, {**BATCH, "expected": "scanning", "code": None}),
    "write_pages": (Status.SCANNING, PAGES),
    "forget_pages": (Status.SCANNING, PAGES),
    "rebound": (Status.ASSEMBLING, {**BATCH, "seq": 1, "expected": "assembling"}),
    "answer_batches": (Status.SCANNING, {"expected": "scanning", "seq": 2, "halves": False}),
    "after_batch": (Status.SCANNING, {"expected": "scanning", "error": None, "error_code": None}),
    "postpone": (
        Status.SCANNING,
        {"status": "scanning", "error": "e", "code": "device_busy", "seconds": 1.0},
    ),
    "progress": (Status.SCANNING, {"pages": 1, "step": None, "done": None, "total": None}),
    "name_publication": (Status.COMMITTING, {"inbox_path": "Inbox/T.pdf", "sha256": SHA256}),
    "link_document": (Status.COMMITTING, {"inbox_path": "Inbox/T.pdf", "sha256": SHA256}),
    "commit": (Status.COMMITTING, {"inbox_path": "Inbox/T.pdf", "sha256": SHA256, "doc_id": None}),
    "expect_staged": (Status.ASSEMBLING, {"staged": "s/merged.pdf"}),
    "forget_staged": (Status.READY, {}),
    "read_back": (
        Status.COMMITTED,
        {"found": True, "error": None, "code": None, "attempts": 1, "seconds": None},
    ),
    "restart_keep": (Status.CANCELED, {"jobs": JOBS}),
    "expire": (Status.CANCELED, EXPIRE),
    "expire_batches": (Status.CANCELED, {}),
    "expire_pages": (Status.CANCELED, {}),
    "let_go": (Status.CANCELED, {}),
    "heartbeat": (Status.READY, {"state": "s", "ready": True, "device": None}),
    "point_at_job": (Status.READY, {"job_id": 1}),
    "sign_off": (Status.READY, {}),
}

OF_NO_JOB = {"manual_job", "heartbeat", "point_at_job", "sign_off"}
"""They write no job's row, so that they expect no status."""

OF_A_DELETED_JOB = {"forget_deleted", "forget_staged_of_deleted"}
"""They have a test of their own below."""

IN_THE_FUTURE = {"restart_idle_clock", "restart_keep"}
LET_GO = {"expire_batches", "expire_pages", "let_go"}
"""They come after `expire`."""


@pytest.fixture
def queue(migrated_url: str) -> Iterator[AgentQueue]:
    """A queue that leads, as superuser: only the statements themselves stop a write."""
    with connect(migrated_url, name="scand") as connection:
        connection.execute("SET scand.actor = 'agent'")
        queue = AgentQueue(connection, statements.load())
        assert queue.elect()
        yield queue


def job(connection: Connection, status: str, name: str) -> int:
    """A job with a batch of a page, in a status that no step has led to, as the statement wants it."""
    path = "NULL" if name in LET_GO else "'/spool/jobs/' || id::text"
    when = "now() + interval '1 year'" if name in IN_THE_FUTURE else "now() - interval '1 year'"
    with connection.transaction():
        connection.execute("SET LOCAL session_replication_role = replica")
        row = connection.execute(
            "INSERT INTO scan_jobs (title, status, nas_staging_path, read_back)"
            " VALUES ('T', %s, 's', CASE %s WHEN 'committed' THEN false END) RETURNING id",
            (status, status),
        ).fetchone()
        assert row
        ages = f"updated_at = {when}, last_activity_at = {when}"
        connection.execute(f"UPDATE scan_jobs SET staging_path = {path}, {ages}".encode())  # noqa: S608
        if name == "give_up" and status == Status.QUEUED:
            connection.execute("UPDATE scan_jobs SET resumes_in = 'preview'")
        if name == "let_wait":
            connection.execute("UPDATE scan_jobs SET error_code = 'paper_left'")
        connection.execute(
            "INSERT INTO scan_job_batches (job_id, batch_seq, page_count, answered) VALUES (%s, 1, 1, false)",
            (row["id"],),
        )
        connection.execute(
            "INSERT INTO scan_job_pages"
            " (job_id, batch_seq, page, sheet, side, width_mm, height_mm, sha256, picture)"
            " VALUES (%s, 1, 1, 1, 'front', 210, 297, %s, 'jpeg')",
            (row["id"], SHA256),
        )
    return int(row["id"])


def written(queue: AgentQueue, name: str, job_id: int, **values: Any) -> int:
    """How many rows a statement writes, or locks."""
    usual = CASES[name][1] if name in CASES else {}
    given = {"id": job_id, "ids": [job_id], "epoch": queue.epoch, **usual, **values}
    with queue.connection.transaction(force_rollback=True):
        queue.connection.execute("SET LOCAL session_replication_role = replica")
        # With the triggers off nothing clears the column as a parked job ends.
        queue.connection.execute("ALTER TABLE scan_jobs DROP CONSTRAINT scan_jobs_resumes_in")
        return queue.connection.execute(STATEMENTS[name].encode(), given).rowcount


def test_every_write_has_a_case() -> None:
    """A statement that is added without one fails here."""
    writes = {name for name, body in STATEMENTS.items() if WRITES.search(re.sub("--.*", "", body))}
    assert writes - ALWAYS == set(CASES) | OF_A_DELETED_JOB


@pytest.mark.parametrize("name", CASES)
def test_a_write_needs_its_epoch_and_its_status(queue: AgentQueue, name: str) -> None:
    """With both it writes; under another epoch, or with the job in another status, it writes nothing."""
    wanted = CASES[name][0]
    right = job(queue.connection, wanted, name)
    assert written(queue, name, right) > 0
    for epoch in (queue.epoch - 1, queue.epoch + 1):
        assert written(queue, name, right, epoch=epoch) == 0
    if name in OF_NO_JOB:
        return
    same = {
        "progress": {Status.READY, Status.ASSEMBLING, Status.COMMITTING},
        "expect_staged": {Status.COMMITTING},
        "forget_staged": {Status.DRAFT, Status.QUEUED, Status.CANCELED},
    }.get(name, {Status.COMMITTED} if wanted is Status.CANCELED else set())
    for other in set(Status) - same - {wanted}:
        with queue.connection.transaction(force_rollback=True):
            queue.connection.execute("DELETE FROM scan_jobs")
            assert written(queue, name, job(queue.connection, other, name)) == 0, other


@pytest.mark.parametrize("name", sorted(OF_A_DELETED_JOB))
def test_what_a_deleted_job_left_needs_its_epoch(queue: AgentQueue, name: str) -> None:
    """It is written with it, once the job is gone; not under another epoch, nor while a job has that id."""
    job_id = job(queue.connection, "ready", name)
    queue.connection.execute(
        "INSERT INTO scand_deleted_jobs (job_id, status, created_at, nas_staging_path)"
        " VALUES (%s, 'ready', now(), %s)",
        (job_id, "s" if name == "forget_staged_of_deleted" else None),
    )
    assert written(queue, name, job_id) == 0
    with queue.connection.transaction():
        queue.connection.execute("SET LOCAL session_replication_role = replica")
        queue.connection.execute("DELETE FROM scan_jobs")
    assert written(queue, name, job_id) == 1
    for epoch in (queue.epoch - 1, queue.epoch + 1):
        assert written(queue, name, job_id, epoch=epoch) == 0


def test_a_displaced_daemon_records_nothing(queue: AgentQueue, migrated_url: str) -> None:
    """Neither half of recording a batch is done, nor any half of committing (P13)."""
    job_id = job(queue.connection, "scanning", "record_batch")
    late = AgentQueue(queue.connection, statements.load())
    late.epoch = queue.epoch - 1
    assert late.record(Record(job_id, Status.SCANNING, 2, None, False, None, None)) is False
    committing = "UPDATE scan_jobs SET status = 'committing'"
    queue.connection.execute("SET session_replication_role = replica")
    queue.connection.execute(committing.encode())
    published = wire.Published(inbox_path="Inbox/T.pdf", sha256=SHA256)
    assert late.commit(job_id, published, link=True) is False
    assert late.manual_job("T", {}) is None
    found = queue.connection.execute(
        "SELECT j.status, (SELECT count(*) FROM documents) AS documents, count(b.id) AS batches,"
        " (SELECT count(*) FROM scan_jobs) AS jobs"
        " FROM scan_jobs j JOIN scan_job_batches b ON b.job_id = j.id GROUP BY j.id"
    ).fetchone()
    assert found == {"status": "committing", "documents": 0, "batches": 1, "jobs": 1}


@pytest.mark.parametrize("table", ["scan_jobs", "scan_job_batches", "scan_job_events", "documents"])
def test_the_heartbeat_waits_for_no_other_table(queue: AgentQueue, migrated_url: str, table: str) -> None:
    """With any other table locked it is written; the job that it refers to follows once that is possible (S7)."""
    job_id = job(queue.connection, "ready", "heartbeat")
    queue.connection.execute("SET lock_timeout = '200ms'")
    seen = "SELECT current_job_id, state FROM scan_agent_status"
    with connect(migrated_url, name="psql") as client, client.transaction():
        client.execute(f"LOCK TABLE {table}".encode())
        assert queue.heartbeat(job_id=job_id, state="at it", ready=True, device=None)
        assert queue.connection.execute(seen).fetchone() == {
            "current_job_id": None if table == "scan_jobs" else job_id,
            "state": "at it",
        }
    assert queue.heartbeat(job_id=job_id, state="at it", ready=True, device=None)
    assert queue.connection.execute(seen).fetchone() == {"current_job_id": job_id, "state": "at it"}


def test_a_look_is_bounded_whatever_the_row_holds(queue: AgentQueue) -> None:
    """100,000 batches, an error of 10 MB: what is read stays small, and the number that is too high is noticed."""
    job_id = job(queue.connection, "ready", "heartbeat")
    with queue.connection.transaction():
        queue.connection.execute("SET LOCAL session_replication_role = replica")
        queue.connection.execute(
            "INSERT INTO scan_job_batches (job_id, batch_seq, staging_path)"
            " SELECT %s, n, '/x' FROM generate_series(2, 100000) n",
            (job_id,),
        )
        queue.connection.execute("UPDATE scan_jobs SET error = repeat('x', 10000000), inbox_path = error")
    found = queue.look().job
    assert found
    assert len(found.batches) == MOST_BATCHES + 1
    assert len(found.error or "") == 4000


def test_the_agents_role_makes_its_row_again(migrated_url: str) -> None:
    """After TRUNCATE scan_jobs CASCADE: with the rights of sql/roles.sql and no more, under a higher epoch."""
    with connect(migrated_url, name="scand") as connection:
        connection.execute(statements.read_sql("roles.sql").encode())
        connection.execute("SET ROLE scand_agent")
        queue = AgentQueue(connection, statements.load())
        assert queue.elect()
        before = queue.epoch
        connection.execute("RESET ROLE")
        connection.execute("TRUNCATE scan_jobs CASCADE")
        connection.execute("SET ROLE scand_agent")
        found = queue.look()
        assert found.restored
        assert found.epoch == queue.epoch > before
        assert not queue.look().restored


def test_its_row_may_be_emptied_again_while_it_is_made(migrated_url: str) -> None:
    """Somebody who empties the table between the election and the look has the look elect once more."""
    with connect(migrated_url, name="scand") as connection, connect(migrated_url, name="web") as stranger:
        looks: list[str] = []

        class Raced(AgentQueue):
            def run(self, name: str, **values: object) -> list[dict[str, Any]]:
                if name == "look" and len(looks) < 3:
                    looks.append(name)
                    stranger.execute("TRUNCATE scan_agent_status")
                return super().run(name, **values)

        queue = Raced(connection, statements.load())
        assert queue.elect()
        assert queue.look().restored
        assert len(looks) == 3


def test_a_deadlock_is_told_as_what_it_is(migrated_url: str) -> None:
    """Not as an error that nobody expects: the other session goes on, and this one tries again."""
    with connect(migrated_url, name="scand") as connection:
        told = rivals.refusal(AgentQueue(connection, statements.load()), psycopg.errors.DeadlockDetected("x"))
    assert "waited for each other's locks" in told
