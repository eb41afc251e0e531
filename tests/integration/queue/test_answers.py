"""A batch that ended in a fault waits for an answer, and until then nobody merges its job."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg.rows import dict_row

from scand.decide.actions import Claim, Record
from scand.errors import BadData
from scand.faults import ErrorCode
from scand.jobs.answers import question
from scand.jobs.lifecycle import Status
from scand.queue.connection import connect as connect_as_scand
from scand.queue.connection import take_role
from scand.queue.intents import ClientQueue
from scand.queue.results import AgentQueue
from scand.queue.schema import migrate
from scand.queue.statements import load, read_sql
from scand.spool.records import BatchPdf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Connection = psycopg.Connection[Any]
    Connect = Callable[..., Connection]

PDF = BatchPdf(path="/spool/batch.pdf", pages=8, sha256="0" * 64)
JAM = ErrorCode.FEEDER_JAMMED


@pytest.fixture(params=["without roles", "with roles"])
def client(request: pytest.FixtureRequest, migrated_url: str, connect: Connect) -> Connection:
    """A web application's session, as the owner or with the rights of scand_client alone."""
    connection = connect(migrated_url, row_factory=dict_row)
    if request.param == "with roles":
        connection.execute(read_sql("roles.sql").encode())
        connection.execute("SET ROLE scand_client")
    return connection


@pytest.fixture
def daemon(client: Connection, migrated_url: str) -> Iterator[AgentQueue]:
    """The agent's queue, elected; in the role of the agent where there are roles."""
    with connect_as_scand(migrated_url, name="scand-test") as connection:
        take_role(connection, "scand_agent")
        queue = AgentQueue(connection, load())
        assert queue.elect()
        yield queue


def scanned(client: Connection, daemon: AgentQueue, *batches: Record) -> int:
    """A ready job with these batches, each recorded as the daemon does."""
    (row,) = client.execute("INSERT INTO scan_jobs (title, status) VALUES ('a', 'queued') RETURNING id")
    assert daemon.claim("/spool/jobs", Claim())
    for batch in batches:
        scan(client, daemon, row["id"], batch)
    return int(row["id"])


def scan(client: Connection, daemon: AgentQueue, job: int, batch: Record) -> None:
    """Record one more batch of a job."""
    client.execute("UPDATE scan_jobs SET status = 'scanning' WHERE id = %s", (job,))
    values = {name: getattr(batch, name) for name in batch.__slots__} | {"job_id": job}
    assert daemon.record(Record(**values))


def fault(seq: int, *, kept: bool) -> Record:
    """A batch of 8 pages that ended in a jam."""
    return Record(0, Status.SCANNING, seq, PDF, kept, JAM, "jam", fault="jam", answered=False)


def whole(seq: int, *, halves: bool = False) -> Record:
    """A batch that ended well."""
    return Record(0, Status.SCANNING, seq, PDF, True, None, None, answers=True, halves=halves)


def answered(client: Connection, job: int) -> list[bool]:
    """Of each batch of a job whether it is answered."""
    rows = client.execute(
        "SELECT answered FROM scan_job_batches WHERE job_id = %s ORDER BY batch_seq", (job,)
    )
    return [row["answered"] for row in rows]


def finish(connection: Connection, job: int) -> str:
    """What the database says to finishing; "" where it does it."""
    try:
        connection.execute("UPDATE scan_jobs SET status = 'assembling' WHERE id = %s", (job,))
    except psycopg.Error as error:
        if error.sqlstate != "SD004":
            raise
        return str(error.diag.message_primary)
    return ""


@pytest.mark.parametrize("kept", [True, False])
def test_nobody_merges_beside_an_unanswered_batch(client: Connection, daemon: AgentQueue, kept: bool) -> None:
    """Neither the client nor the agent; the message has the batch, its pages and every command that answers."""
    job = scanned(client, daemon, fault(1, kept=kept))
    said = finish(client, job)
    assert said == finish(daemon.connection, job)
    (row,) = ClientQueue(daemon.connection).view(job).batches
    words = question(job, row).partition(": ")[2]
    assert said == f"job {job}: batch 1 ended in a fault (feeder_jammed); {words}"
    assert {verb for verb, _ in re.findall(r"scand (\w+) (\d+)", said)} >= {"restore", "discard"}


@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize("to", ["scanned", "discarded"])
def test_both_answers_open_the_way(client: Connection, daemon: AgentQueue, kept: bool, to: str) -> None:
    """`scand restore` and `scand discard`, also where the batch has that status already; each raises steps."""
    job = scanned(client, daemon, fault(1, kept=kept))
    seen = "SELECT steps FROM scan_jobs WHERE id = %s"
    (before,) = client.execute(seen, (job,))
    queue = ClientQueue(client)  # type: ignore[arg-type]
    assert queue.restore(job, 1) if to == "scanned" else queue.discard(job, 1)
    (after,) = client.execute(seen, (job,))
    assert (answered(client, job), after["steps"]) == ([True], before["steps"] + 1)
    assert finish(client, job) == ""


@pytest.mark.parametrize("kept", [True, False])
def test_a_change_of_status_is_an_answer_and_an_answer_stays(
    client: Connection, daemon: AgentQueue, kept: bool
) -> None:
    """By any client's button; no client takes it back, and writing the same status again answers nothing."""
    job = scanned(client, daemon, fault(1, kept=kept))
    statement = "UPDATE scan_job_batches SET status = %s WHERE job_id = %s"
    client.execute(statement, ("scanned" if kept else "discarded", job))
    assert answered(client, job) == [False]
    client.execute(statement, ("discarded" if kept else "scanned", job))
    assert answered(client, job) == [True]
    client.execute("UPDATE scan_job_batches SET answered = false WHERE job_id = %s", (job,))
    assert answered(client, job) == [True]


def test_an_answer_is_given_while_the_job_is_ready(client: Connection, daemon: AgentQueue) -> None:
    """Not under the scanner's hands; NULL is none."""
    job = scanned(client, daemon, fault(1, kept=True))
    client.execute("UPDATE scan_job_batches SET answered = NULL WHERE job_id = %s", (job,))
    client.execute("UPDATE scan_jobs SET status = 'scanning' WHERE id = %s", (job,))
    with pytest.raises(psycopg.Error, match="only while the job is ready; it is scanning") as caught:
        client.execute("UPDATE scan_job_batches SET answered = true WHERE job_id = %s", (job,))
    assert caught.value.sqlstate == "SD002"
    assert answered(client, job) == [False]


def test_a_complete_batch_answers_what_is_kept(client: Connection, daemon: AgentQueue) -> None:
    """All kept ones before it; a discarded one is asked about further on, and a fault answers nothing."""
    job = scanned(client, daemon, fault(1, kept=True), fault(2, kept=False), fault(3, kept=True))
    assert answered(client, job) == [False, False, False]
    scan(client, daemon, job, whole(4))
    assert answered(client, job) == [True, False, True, True]
    assert "batch 2 ended in a fault" in finish(client, job)


def test_a_half_that_was_fed_again_answers_the_one_before(client: Connection, daemon: AgentQueue) -> None:
    """In manual duplex the whole half is fed again, so what was discarded of it is in the new batch."""
    job = scanned(client, daemon, fault(1, kept=False))
    scan(client, daemon, job, whole(2, halves=True))
    assert answered(client, job) == [True, True]
    assert finish(client, job) == ""


def test_a_batch_that_is_recorded_meanwhile_is_not_overlooked(
    client: Connection, daemon: AgentQueue, migrated_url: str, connect: Connect
) -> None:
    """A step that waits for the daemon's transaction sees the batch that this has recorded."""
    job = scanned(client, daemon, whole(1))
    other = connect(migrated_url, options="-c scand.actor=agent")
    with other.transaction():
        other.execute(
            "INSERT INTO scan_job_batches (job_id, batch_seq, page_count, error_code, answered) "
            "VALUES (%s, 2, 4, 'canceled', false)",
            (job,),
        )
        client.execute("SET lock_timeout = '200ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            finish(client, job)
    assert "batch 2 ended in a fault (canceled)" in finish(client, job)


def test_the_command_line_is_told_the_same(client: Connection, daemon: AgentQueue) -> None:
    """`BadData`, with the words of the database."""
    job = scanned(client, daemon, fault(1, kept=True))
    with pytest.raises(BadData, match=f"scand discard {job} 1"):
        ClientQueue(client).step(job, "ready", Status.ASSEMBLING)  # type: ignore[arg-type]


def test_batches_from_before_are_asked_about(database_url: str, connect: Connect) -> None:
    """Of jobs that are not over: with pages, after a fault, still on disk, and without a complete batch behind."""
    owner = connect(database_url)
    migrate(owner)
    for name in ("answered", "error"):
        owner.execute(f"ALTER TABLE scan_job_batches DROP COLUMN {name} CASCADE".encode())
    with owner.transaction():
        owner.execute("SET LOCAL session_replication_role = replica")
        for job, status in enumerate(["ready", "committed", "failed", "canceled", "draft"], 1):
            owner.execute("INSERT INTO scan_jobs (id, title, status) VALUES (%s, 'a', %s)", (job, status))
            for seq, kept, code, pages, path in (
                (1, "discarded", "feeder_jammed", 4, "/x"),
                (2, "scanned", "feeder_jammed", 4, "/x"),
                (3, "scanned", None, 4, "/x"),
                (4, "scanned", "page_limit", 4, "/x"),
                (5, "scanned", "cover_open", 4, "/x"),
                (6, "discarded", "cover_open", 0, "/x"),
                (7, "discarded", "cover_open", 4, None),
            ):
                owner.execute(
                    "INSERT INTO scan_job_batches"
                    " (job_id, batch_seq, status, error_code, page_count, staging_path)"
                    " VALUES (%s, %s, %s, %s, %s, %s)",
                    (job, seq, kept, code, pages, path),
                )
    with owner.transaction():
        owner.execute(read_sql("migrations/0018_answers.sql").encode())
    asked = "SELECT job_id, batch_seq FROM scan_job_batches WHERE NOT answered ORDER BY 1, 2"
    found = owner.execute(asked).fetchall()
    assert found == [(job, seq) for job in (1, 3, 4, 5) for seq in (1, 5)]
