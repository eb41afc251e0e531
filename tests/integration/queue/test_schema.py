"""The schema in a real PostgreSQL: steps, events, clocks and counts, as every program meets them."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from scand.jobs import lifecycle
from scand.jobs.lifecycle import STEPS, Actor, Status
from scand.jobs.rows import BatchStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    Connection = psycopg.Connection[Any]
    Connect = Callable[..., Connection]


@pytest.fixture
def client(migrated_url: str, connect: Connect) -> Connection:
    """A session that is a client because nothing says that it is the agent."""
    return connect(migrated_url)


@pytest.fixture
def agent(migrated_url: str, connect: Connect) -> Connection:
    """A session that has said, as the daemon does, that it is the agent."""
    session = connect(migrated_url)
    session.execute("SET scand.actor = 'agent'")
    return session


def one(connection: Connection, query: Any, *values: Any) -> Any:
    """The only column of the only row."""
    rows = connection.execute(query, values or None).fetchall()
    assert len(rows) == 1
    assert len(rows[0]) == 1
    return rows[0][0]


def make_job(connection: Connection, status: str = "draft", title: str = "Letters") -> int:
    """A job in any status, put there with the triggers off."""
    with connection.transaction():
        connection.execute("SET LOCAL session_replication_role = replica")
        job = one(
            connection, "INSERT INTO scan_jobs (title, status) VALUES (%s, %s) RETURNING id", title, status
        )
    return int(job)


def put(connection: Connection, job: int, status: str) -> None:
    """Take the job to any status, with the triggers off."""
    with connection.transaction():
        connection.execute("SET LOCAL session_replication_role = replica")
        connection.execute(
            "UPDATE scan_jobs SET status = %s, inbox_path = NULL, file_hash = repeat('a', 64) WHERE id = %s",
            (status, job),
        )


def step(connection: Connection, job: int, status: str) -> None:
    """Take the job to `status` as anybody would; to committed with the path that it needs."""
    path = "Inbox/a.pdf" if status == Status.COMMITTED else None
    connection.execute(
        "UPDATE scan_jobs SET status = %s, inbox_path = coalesce(%s, inbox_path) WHERE id = %s",
        (status, path, job),
    )


def add_batch(connection: Connection, job: int, seq: int, status: str = "scanned") -> None:
    """Record a batch."""
    connection.execute(
        "INSERT INTO scan_job_batches (job_id, batch_seq, status) VALUES (%s, %s, %s)", (job, seq, status)
    )


def refusal(connection: Connection, query: Any, *values: Any) -> psycopg.errors.Diagnostic:
    """What the database says as it refuses."""
    with pytest.raises(psycopg.Error) as caught:
        connection.execute(query, values or None)
    return caught.value.diag


# Steps


def test_the_table_of_steps_is_the_one_of_lifecycle(client: Connection) -> None:
    """Rows of scan_job_transitions and STEPS are the same, those for new rows included."""
    rows = client.execute("SELECT from_status, to_status, actor FROM scan_job_transitions").fetchall()
    assert len(rows) == len(STEPS)
    assert set(rows) == {tuple(step) for step in STEPS}


def test_a_step_is_in_the_table_once(client: Connection) -> None:
    """The uniqueness holds also where from_status is NULL."""
    with pytest.raises(psycopg.errors.UniqueViolation):
        client.execute("INSERT INTO scan_job_transitions VALUES (NULL, 'draft', 'client')")


def test_the_statuses_are_those_of_the_enums(client: Connection) -> None:
    """Both lists of statuses, in their order, are those of scand.jobs.rows."""
    assert one(client, "SELECT scand_job_statuses()") == list(Status)
    assert one(client, "SELECT scand_batch_statuses()") == list(BatchStatus)


def test_every_step_of_the_table_and_no_other(client: Connection, agent: Connection) -> None:
    """Without roles, anybody takes any step of the table; the refusal of any other names the actor's own.

    A client's commit needs more than the step: test_client_commits.
    """
    anybodys = {(from_status, to_status) for from_status, to_status, _ in STEPS}
    job = make_job(client)
    for actor, session in ((Actor.CLIENT, client), (Actor.AGENT, agent)):
        for from_status in Status:
            for to_status in Status:
                if from_status is to_status:
                    continue
                put(client, job, from_status)
                if (actor, from_status, to_status) == (Actor.CLIENT, Status.COMMITTING, Status.COMMITTED):
                    assert refusal(session, "UPDATE scan_jobs SET status = %s", to_status).sqlstate == "SD006"
                    continue
                if (from_status, to_status) in anybodys:
                    step(session, job, to_status)
                    assert one(client, "SELECT status FROM scan_jobs") == to_status
                    continue
                said = refusal(session, "UPDATE scan_jobs SET status = %s", to_status)
                legal = ", ".join(lifecycle.legal(from_status, actor)) or "none"
                assert said.sqlstate == "SD001"
                assert said.message_primary == (
                    f"job {job}: {from_status} → {to_status} is not a step; from {from_status}: {legal}"
                )
                assert one(client, "SELECT status FROM scan_jobs") == from_status


def test_the_sentence_of_a_refusal(client: Connection) -> None:
    """The sentence is the one of the contract, word for word, with a hint where there is more to say."""
    job = make_job(client, "ready")
    said = refusal(client, "UPDATE scan_jobs SET status = 'committed'")
    assert said.message_primary == (
        f"job {job}: ready → committed is not a step; from ready: scanning, assembling, canceled"
    )
    assert said.message_hint == "Every legal step is a row of scan_job_transitions."
    said = refusal(client, "UPDATE scan_jobs SET status = 'scaning'")
    assert said.message_primary == (
        f"job {job}: ready → scaning is not a step; from ready: scanning, assembling, canceled"
    )
    assert said.message_hint == f"A job's status is one of: {', '.join(Status)}."
    put(client, job, "committed")
    said = refusal(client, "UPDATE scan_jobs SET status = 'queued'")
    assert said.message_primary == f"job {job}: committed → queued is not a step; from committed: none"
    assert said.message_hint == "A committed job is in the Inbox and never changes again."


def test_a_new_job_starts_as_draft_or_queued(client: Connection) -> None:
    """A new row has one of two statuses; draft is the default."""
    assert one(client, "INSERT INTO scan_jobs (title) VALUES ('a') RETURNING status") == "draft"
    for status in Status:
        insert = "INSERT INTO scan_jobs (title, status) VALUES ('b', %s)"
        if status in lifecycle.legal(None):
            client.execute(insert, (status,))
            continue
        said = refusal(client, insert, status)
        assert said.sqlstate == "SD001"
        assert said.message_primary == f'a new job starts as draft or queued, not as "{status}"'


def test_an_update_that_leaves_the_status_alone_is_never_refused(client: Connection) -> None:
    """Titles change and statuses are written back as they were, whatever the status is."""
    job = make_job(client)
    for status in Status:
        put(client, job, status)
        client.execute("UPDATE scan_jobs SET title = 'new', settings = '{}', status = status")
        step(client, job, status)
    assert one(client, "SELECT count(*) FROM scan_job_events") == 0


def test_one_job_at_most_is_active(client: Connection, agent: Connection) -> None:
    """The second claim meets the unique index."""
    make_job(client, "preview")
    make_job(client, "queued")
    with pytest.raises(psycopg.errors.UniqueViolation) as caught:
        agent.execute("UPDATE scan_jobs SET status = 'ready' WHERE status = 'queued'")
    assert caught.value.diag.constraint_name == "uq_scan_jobs_single_active"


def test_the_check_holds_even_with_triggers_off(client: Connection, agent: Connection) -> None:
    """No way round the triggers brings an unknown status in."""
    with pytest.raises(psycopg.errors.CheckViolation):
        make_job(client, "scaning")
    job = make_job(client, "ready")
    with pytest.raises(psycopg.errors.CheckViolation):
        add_batch(agent, job, 1, "scaned")


# What a step resets


def test_a_step_forgets_the_attempts_of_the_step_before(client: Connection, agent: Connection) -> None:
    """Attempts and the next attempt's time belong to the step under way; results stay."""
    job = make_job(client, "assembling")
    agent.execute(
        "UPDATE scan_jobs SET attempts = 3, next_attempt_at = now(), pages_scanned = 7, page_count = 7, "
        "error = 'NAS away', error_code = 'nas_unavailable', last_progress_at = '2020-01-01'"
    )
    step(agent, job, "preview")
    row = agent.execute(
        "SELECT attempts, next_attempt_at, pages_scanned, page_count, error, error_code, "
        "last_progress_at > now() - interval '1 min' FROM scan_jobs"
    ).fetchone()
    assert row == (0, None, 7, 7, "NAS away", "nas_unavailable", True)


@pytest.mark.parametrize(
    ("from_status", "to_status", "actor", "cleared"),
    [
        ("ready", "scanning", "client", True),
        ("failed", "queued", "client", True),
        ("canceled", "queued", "client", True),
        ("ready", "scanning", "agent", False),
        ("ready", "assembling", "client", False),
        ("preview", "ready", "client", False),
        ("failed", "canceled", "client", False),
    ],
)
def test_a_client_that_scans_again_has_answered_the_fault(
    from_status: str, to_status: str, actor: str, cleared: bool, client: Connection, agent: Connection
) -> None:
    """Only a client's "scan" and "again" clear the error; everybody else's steps leave it to be written."""
    job = make_job(client, from_status)
    agent.execute(
        "UPDATE scan_jobs SET error = 'sheet 13 jammed', error_code = 'feeder_jammed', page_count = 4"
    )
    step(agent if actor == "agent" else client, job, to_status)
    fault = (None, None) if cleared else ("sheet 13 jammed", "feeder_jammed")
    assert client.execute("SELECT error, error_code, page_count FROM scan_jobs").fetchone() == (*fault, 4)


def test_a_step_and_its_fault_are_one_statement(client: Connection, agent: Connection) -> None:
    """What the agent writes in the same UPDATE as the status is what the row then holds."""
    job = make_job(client, "scanning")
    agent.execute("UPDATE scan_jobs SET status = 'ready', error = 'jam', error_code = 'feeder_jammed'")
    assert client.execute("SELECT id, error, error_code FROM scan_jobs").fetchall() == [
        (job, "jam", "feeder_jammed")
    ]


# Events and notifications


def test_events_tell_the_story_of_a_job(client: Connection, agent: Connection) -> None:
    """Every step leaves a row with its actor, in order, and with the fault of the moment."""
    job = one(client, "INSERT INTO scan_jobs (title, status) VALUES ('a', 'queued') RETURNING id")
    with agent.transaction():
        step(agent, job, "ready")
        step(agent, job, "scanning")
    agent.execute("UPDATE scan_jobs SET status = 'ready', error_code = 'feeder_jammed'")
    agent.execute("UPDATE scan_jobs SET pages_scanned = 3, last_progress_at = now()")
    step(client, job, "canceled")
    rows = client.execute(
        "SELECT job_id, actor, from_status, to_status, error_code FROM scan_job_events ORDER BY id"
    ).fetchall()
    assert rows == [
        (job, "client", None, "queued", None),
        (job, "agent", "queued", "ready", None),
        (job, "agent", "ready", "scanning", None),
        (job, "agent", "scanning", "ready", "feeder_jammed"),
        (job, "client", "ready", "canceled", "feeder_jammed"),
    ]
    times = client.execute("SELECT at FROM scan_job_events ORDER BY id").fetchall()
    assert times == sorted(set(times))


def test_a_refused_step_leaves_no_event(client: Connection) -> None:
    """What did not happen is not told."""
    make_job(client, "ready")
    refusal(client, "UPDATE scan_jobs SET status = 'committed'")
    assert one(client, "SELECT count(*) FROM scan_job_events") == 0


def test_a_notification_comes_with_what_a_page_would_show_and_not_with_progress(
    client: Connection, agent: Connection, migrated_url: str, connect: Connect
) -> None:
    """NOTIFY scan_jobs has the job's id when it is new, takes a step, changes otherwise, or is deleted."""
    listener = connect(migrated_url)
    listener.execute("LISTEN scan_jobs")
    job = one(client, "INSERT INTO scan_jobs (title, status) VALUES ('a', 'queued') RETURNING id")

    def notified() -> list[tuple[str, str]]:

        return [(note.channel, note.payload) for note in listener.notifies(timeout=0.2)]

    assert notified() == [("scan_jobs", str(job))]
    silent = (
        "UPDATE scan_jobs SET pages_scanned = 1, last_progress_at = now(), step = 'copying', step_done = 7",
        "UPDATE scan_jobs SET error = 'in other words', attempts = 2",
        "UPDATE scan_job_batches SET staging_path = '/spool'",
    )
    told = (
        (agent, "UPDATE scan_jobs SET status = 'ready'"),
        (client, "UPDATE scan_jobs SET title = 'b'"),
        (agent, "INSERT INTO scan_job_batches (job_id, batch_seq) SELECT id, 1 FROM scan_jobs"),
        (client, "UPDATE scan_job_batches SET status = 'discarded'"),
        (client, "UPDATE scan_job_batches SET status = 'scanned'"),
        (agent, "UPDATE scan_jobs SET error_code = 'nas_unavailable'"),
        (agent, "UPDATE scan_jobs SET error_code = NULL"),
        (client, "DELETE FROM scan_jobs"),
    )
    for session, query in told:
        for nothing in silent:
            agent.execute(nothing.encode())
        assert notified() == [], query
        session.execute(query.encode())
        assert notified() == [("scan_jobs", str(job))], query


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


# Batches


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
