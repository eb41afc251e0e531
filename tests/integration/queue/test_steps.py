"""The table of steps in PostgreSQL: which are taken, what each resets, and who hears of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from scand.jobs import lifecycle
from scand.jobs.lifecycle import STEPS, Actor, Status
from scand.jobs.rows import BatchStatus
from tests.integration.queue.rows import OF_PARKED, PARKING, add_batch, make_job, one, put, refusal, step

if TYPE_CHECKING:
    from tests.conftest import Connect
    from tests.integration.queue.rows import Connection


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

    A client's commit needs more than the step: test_client_commits. Parking is the agent's alone: test_parking.
    """
    anybodys = {(from_status, to_status) for from_status, to_status, _ in STEPS} - OF_PARKED
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
                if (from_status, to_status) in (anybodys if actor is Actor.AGENT else anybodys - PARKING):
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
