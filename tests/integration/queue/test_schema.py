"""The schema in a real PostgreSQL: its clocks, views and small things, as every program meets them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from scand.jobs.lifecycle import Status
from tests.integration.queue.rows import add_batch, make_job, one, put

if TYPE_CHECKING:
    from tests.integration.queue.rows import Connection


# The clocks


def idle_clock_moves(connection: Connection, observer: Connection, query: Any) -> bool:
    """Whether `query` sets last_activity_at."""
    with observer.transaction():
        observer.execute("SET LOCAL session_replication_role = replica")
        observer.execute("UPDATE scan_jobs SET last_activity_at = '2020-01-01'")
    connection.execute(query)
    return bool(one(observer, "SELECT last_activity_at > '2020-01-01' FROM scan_jobs"))


@pytest.mark.parametrize(
    "query",
    [
        "UPDATE scan_jobs SET title = 'b'",
        "UPDATE scan_jobs SET status = 'scanning'",
        "UPDATE scan_job_batches SET status = 'discarded'",
        "UPDATE scan_job_batches SET page_count = 3",
    ],
)
def test_what_a_client_writes_moves_the_idle_clock_and_what_the_agent_writes_does_not(
    query: str, client: Connection, agent: Connection
) -> None:
    """A person at work keeps the job from its timeout; the agent alone does not."""
    job = make_job(client, "ready")
    add_batch(agent, job, 1)
    assert not idle_clock_moves(agent, client, query)
    put(client, job, "ready")
    agent.execute("DELETE FROM scan_job_batches")
    add_batch(agent, job, 1)
    assert idle_clock_moves(client, client, query)


def test_a_new_job_of_a_client_starts_its_idle_clock(client: Connection, agent: Connection) -> None:
    """The INSERT counts as a client's write; the agent sets the clock itself, where it means to."""
    assert one(client, "INSERT INTO scan_jobs (title) VALUES ('a') RETURNING last_activity_at IS NOT NULL")
    agent.execute("UPDATE scan_jobs SET last_activity_at = '2020-01-01'")
    assert one(client, "SELECT last_activity_at = '2020-01-01' FROM scan_jobs")


def test_a_deleted_document_is_nobodys_activity(client: Connection, agent: Connection) -> None:
    """The foreign key empties doc_id and leaves the idle clock alone."""
    make_job(client, "preview")
    client.execute("INSERT INTO documents (title) VALUES ('a')")
    agent.execute("UPDATE scan_jobs SET doc_id = (SELECT id FROM documents)")
    assert not idle_clock_moves(client, client, "DELETE FROM documents")
    assert one(client, "SELECT doc_id FROM scan_jobs") is None


def test_updated_at_follows_unless_it_is_set(client: Connection, agent: Connection) -> None:
    """Every UPDATE moves updated_at, and one of the agent that sets it has its way."""
    make_job(client)
    agent.execute("UPDATE scan_jobs SET updated_at = '2020-01-01'")
    assert one(client, "SELECT updated_at = '2020-01-01' FROM scan_jobs")
    agent.execute("UPDATE scan_jobs SET pages_scanned = 1")
    assert one(client, "SELECT updated_at > now() - interval '1 min' FROM scan_jobs")


# Views and the small things


def test_the_queue_lag_has_a_row_for_every_status_a_job_can_wait_in(client: Connection) -> None:
    """Jobs and the seconds since the oldest moved, also where there are none; what is over is not counted."""
    for status in ("queued", "queued", "scanning", "committed", "canceled"):
        make_job(client, status)
    with client.transaction():
        client.execute("SET LOCAL session_replication_role = replica")
        client.execute("UPDATE scan_jobs SET created_at = now() - interval '1 h' WHERE id = 1")
        client.execute(
            "UPDATE scan_jobs SET created_at = now() - interval '1 day', "
            "last_progress_at = now() - interval '5 s' WHERE status = 'scanning'"
        )
    rows = client.execute("SELECT status, jobs, round(oldest_seconds) FROM scan_queue_lag").fetchall()
    assert [row[0] for row in rows] == [s for s in Status if s not in {Status.COMMITTED, Status.CANCELED}]
    assert [row for row in rows if row[1]] == [("queued", 2, 3600), ("scanning", 1, 5)]


def test_the_queue_lag_does_not_read_finished_jobs(client: Connection) -> None:
    """Ten years of committed jobs are not looked at."""
    with client.transaction():
        client.execute("SET LOCAL session_replication_role = replica")
        client.execute(
            "INSERT INTO scan_jobs (title, status) SELECT 'a', 'committed' FROM generate_series(1, 20000)"
        )
    client.execute("ANALYZE scan_jobs")
    plan = "\n".join(row[0] for row in client.execute("EXPLAIN SELECT * FROM scan_queue_lag").fetchall())
    assert "idx_scan_jobs_unfinished" in plan
    assert "Seq Scan on scan_jobs" not in plan


def test_the_agents_health(client: Connection, agent: Connection) -> None:
    """Alive means a heartbeat of the last 15 seconds, and a dead agent is not ready whatever it last said."""
    health = "SELECT round(heartbeat_age_seconds), alive, ready FROM scan_agent_health"
    assert client.execute(health).fetchall() == [(None, False, False)]
    beat = "UPDATE scan_agent_status SET ready = true, last_heartbeat = now() - %s * interval '1 s'"
    agent.execute(beat, (14,))
    assert client.execute(health).fetchall() == [(14, True, True)]
    agent.execute(beat, (16,))
    assert client.execute(health).fetchall() == [(16, False, False)]
    job = make_job(client, "scanning")
    agent.execute(
        "UPDATE scan_agent_status SET state = 'scanning', current_job_id = %s, hostname = 'attic', pid = 7, "
        "device = 'fujitsu:x', epoch = epoch + 1, agent_version = '1', ready = false, last_heartbeat = now()",
        (job,),
    )
    row = client.execute(
        "SELECT alive, ready, state, current_job_id, hostname, pid, device, epoch, agent_version "
        "FROM scan_agent_health"
    ).fetchone()
    assert row == (True, False, "scanning", job, "attic", 7, "fujitsu:x", 1, "1")


def test_there_is_one_agent_and_one_installation(client: Connection) -> None:
    """Neither table takes a second row."""
    with pytest.raises(psycopg.errors.CheckViolation):
        client.execute("INSERT INTO scan_agent_status (id) VALUES (2)")
    with pytest.raises(psycopg.errors.UniqueViolation):
        client.execute("INSERT INTO scand_installation DEFAULT VALUES")
    with pytest.raises(psycopg.errors.CheckViolation):
        client.execute("INSERT INTO scand_installation (only_row) VALUES (false)")


def test_stand_alone_the_documents_are_scands(client: Connection) -> None:
    """The table that the migration made is known by its comment, and holds one row a hash."""
    assert one(client, "SELECT scand_owns_documents()") is True
    insert = "INSERT INTO documents (title, path, file_hash) VALUES ('a', 'Inbox/a.pdf', repeat('a', 64))"
    client.execute(insert)
    with pytest.raises(psycopg.errors.UniqueViolation):
        client.execute(insert)


def test_a_session_with_another_search_path_is_served_all_the_same(client: Connection) -> None:
    """Triggers find their own tables whatever the session's search_path, and no temporary ones instead."""
    client.execute("CREATE TEMP TABLE scan_job_transitions (from_status text, to_status text, actor text)")
    client.execute("SET search_path = pg_temp")
    job = one(client, "INSERT INTO public.scan_jobs (title, status) VALUES ('a', 'queued') RETURNING id")
    client.execute("UPDATE public.scan_jobs SET status = 'ready'")
    client.execute("SET scand.actor = 'agent'")
    client.execute("INSERT INTO public.scan_job_batches (job_id, batch_seq) VALUES (%s, 1)", (job,))
    client.execute("SET scand.actor = 'client'")
    client.execute("UPDATE public.scan_job_batches SET status = 'discarded'")
    assert client.execute("SELECT count(*) FROM public.scan_job_events").fetchone() == (2,)
    client.execute("DELETE FROM public.scan_jobs")
