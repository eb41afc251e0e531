"""Batches of a job in PostgreSQL: counted, discarded and restored, and gone with their job."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from scand.jobs.lifecycle import Status
from tests.integration.queue.rows import add_batch, make_job, one, put, refusal, step

if TYPE_CHECKING:
    from tests.conftest import Connect
    from tests.integration.queue.rows import Connection


def test_batch_count_is_the_number_of_kept_batches(client: Connection, agent: Connection) -> None:
    """Recording, discarding, restoring and deleting batches are all counted."""
    job = make_job(client, "ready")
    make_job(client, "draft")

    def counts() -> list[Any]:
        return [row[0] for row in client.execute("SELECT batch_count FROM scan_jobs ORDER BY id").fetchall()]

    for seq in (1, 2, 3):
        add_batch(agent, job, seq)
    add_batch(agent, job, 4, "discarded")
    assert counts() == [3, 0]
    client.execute("UPDATE scan_job_batches SET status = 'discarded' WHERE batch_seq < 3")
    assert counts() == [1, 0]
    client.execute("UPDATE scan_job_batches SET status = 'scanned' WHERE batch_seq IN (1, 4)")
    assert counts() == [3, 0]
    agent.execute("DELETE FROM scan_job_batches WHERE batch_seq = 1")
    assert counts() == [2, 0]


def test_a_batch_and_the_step_it_ends_can_be_one_statement(client: Connection, agent: Connection) -> None:
    """The count is right also where one statement writes the batch and the job."""
    job = make_job(client, "scanning")
    agent.execute(
        "WITH batch AS (INSERT INTO scan_job_batches (job_id, batch_seq) VALUES (%s, 1)) "
        "UPDATE scan_jobs SET status = 'ready', pages_scanned = 2",
        (job,),
    )
    assert client.execute("SELECT status, batch_count FROM scan_jobs").fetchone() == ("ready", 1)


def test_two_sessions_that_change_two_batches_are_both_counted(
    client: Connection, agent: Connection, migrated_url: str, connect: Connect
) -> None:
    """The second waits for the first and then counts what the first has done."""
    job = make_job(client, "ready")
    for seq in (1, 2, 3):
        add_batch(agent, job, seq)
    other = connect(migrated_url)
    discard = "UPDATE scan_job_batches SET status = 'discarded' WHERE batch_seq = %s"
    with client.transaction():
        client.execute(discard, (1,))
        waiting = threading.Thread(target=other.execute, args=(discard, (2,)))
        waiting.start()
        wait_until_blocked(client, other)
    waiting.join(10)
    assert one(client, "SELECT batch_count FROM scan_jobs") == 1


def wait_until_blocked(connection: Connection, other: Connection) -> None:
    """Return when `other` waits for a lock that `connection` holds."""
    for _ in range(1000):
        if one(connection, "SELECT pg_backend_pid() = ANY (pg_blocking_pids(%s))", other.info.backend_pid):
            return
        connection.execute("SELECT pg_sleep(0.005)")
    pytest.fail("the other session was not blocked")


def test_a_client_discards_and_restores_while_the_job_is_ready(client: Connection, agent: Connection) -> None:
    """In any other status the client is refused with a sentence; the agent never is."""
    job = make_job(client, "ready")
    add_batch(agent, job, 2)
    for status in Status:
        put(client, job, status)
        for batch_status in ("discarded", "scanned"):
            change = "UPDATE scan_job_batches SET status = %s"
            if status is not Status.READY:
                said = refusal(client, change, batch_status)
                assert said.sqlstate == "SD002"
                assert said.message_primary == (
                    f"batch 2 of job {job}: can be discarded or restored only while the job is ready; "
                    f"it is {status}"
                )
                agent.execute(change, (batch_status,))
            else:
                client.execute(change, (batch_status,))
            assert one(client, "SELECT status FROM scan_job_batches") == batch_status
        client.execute("UPDATE scan_job_batches SET page_count = 2, status = status")


def test_a_merge_waits_for_a_batch_that_is_being_discarded(client: Connection, agent: Connection) -> None:
    """The job cannot go on between a client's discard and its commit."""
    job = make_job(client, "ready")
    add_batch(agent, job, 1)
    with client.transaction():
        client.execute("UPDATE scan_job_batches SET status = 'discarded'")
        waiting = threading.Thread(target=step, args=(agent, job, "assembling"))
        waiting.start()
        wait_until_blocked(client, agent)
        assert one(client, "SELECT status FROM scan_jobs") == "ready"
    waiting.join(10)
    assert one(client, "SELECT status FROM scan_jobs") == "assembling"


def test_a_batch_is_not_discarded_from_a_merge_that_is_being_started(
    client: Connection, agent: Connection
) -> None:
    """A client that comes between the agent's step and its commit waits, and is then refused."""
    job = make_job(client, "ready")
    add_batch(agent, job, 1)
    refusals: list[str | None] = []

    def discard() -> None:
        refusals.append(refusal(client, "UPDATE scan_job_batches SET status = 'discarded'").sqlstate)

    with agent.transaction():
        step(agent, job, "assembling")
        waiting = threading.Thread(target=discard)
        waiting.start()
        wait_until_blocked(agent, client)
    waiting.join(10)
    assert refusals == ["SD002"]


# Deleting


def test_a_job_goes_with_all_that_hangs_on_it(client: Connection, agent: Connection) -> None:
    """DELETE FROM scan_jobs takes batches and events along, whatever the status."""
    for status in Status:
        job = make_job(client, status)
        for seq in (1, 2):
            add_batch(agent, job, seq)
        client.execute(
            "INSERT INTO scan_job_events (job_id, actor, to_status) VALUES (%s, 'client', 'x')", (job,)
        )
        agent.execute("UPDATE scan_agent_status SET current_job_id = %s", (job,))
        client.execute("DELETE FROM scan_jobs")
        for table in ("scan_jobs", "scan_job_batches", "scan_job_events"):
            assert one(client, f"SELECT count(*) FROM {table}") == 0  # noqa: S608
        assert one(client, "SELECT current_job_id FROM scan_agent_status") is None
