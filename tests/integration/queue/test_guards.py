"""Clients that write what is not theirs, or what is not so any more: mappers that save whole rows, above all."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from scand.queue import leftovers
from scand.queue.connection import connect as connect_as_scand
from scand.queue.connection import take_role
from scand.queue.intents import ClientQueue
from scand.queue.results import AgentQueue
from scand.queue.statements import load, read_sql

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Connection = psycopg.Connection[Any]
    Connect = Callable[..., Connection]
    Row = dict[str, Any]


@pytest.fixture(params=["without roles", "as scand_client"])
def client(request: pytest.FixtureRequest, migrated_url: str, connect: Connect) -> Connection:
    """A web application's session: of the owner without roles; of scand_client, with more rights than it needs."""
    connection = connect(migrated_url, row_factory=dict_row)
    if request.param == "as scand_client":
        connection.execute(read_sql("roles.sql").encode())
        # All rights, so that it is the guards which hold and not the grants.
        connection.execute("GRANT ALL ON scan_jobs, scan_job_batches TO scand_client")
        connection.execute("GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO scand_client")
        connection.execute("SET ROLE scand_client")
    return connection


@pytest.fixture
def agent(migrated_url: str, connect: Connect) -> Connection:
    """A session that has said, as the daemon does, that it is the agent."""
    session = connect(migrated_url, row_factory=dict_row)
    session.execute("SET scand.actor = 'agent'")
    return session


@pytest.fixture
def daemon(migrated_url: str) -> Iterator[AgentQueue]:
    """The agent's queue, elected."""
    connection = connect_as_scand(migrated_url, name="scand-test")
    take_role(connection, "scand_agent")
    queue = AgentQueue(connection, load())
    assert queue.elect()
    yield queue
    connection.close()


def a_job(client: Connection, agent: Connection, *statuses: str) -> int:
    """A job that was taken through some statuses, with a batch that the agent recorded."""
    (row,) = client.execute("INSERT INTO scan_jobs (title, status) VALUES ('Letters', 'queued') RETURNING id")
    job = int(row["id"])
    agent.execute("UPDATE scan_jobs SET status = 'ready', staging_path = '/spool/jobs/' || id")
    agent.execute("INSERT INTO scan_job_batches (job_id, batch_seq, page_count) VALUES (%s, 1, 6)", (job,))
    for status in statuses:
        agent.execute("UPDATE scan_jobs SET status = %s, last_progress_at = clock_timestamp()", (status,))
    return job


def read(connection: Connection, table: str = "scan_jobs") -> Row:
    """The only row of a table, as a mapper loads it."""
    (row,) = connection.execute(f"SELECT * FROM {table}".encode()).fetchall()  # noqa: S608
    return dict(row)


def save(connection: Connection, row: Row, table: str = "scan_jobs", where: str = "TRUE") -> int:
    """How many rows are changed by saving a whole row, as Django, Hibernate and Prisma do."""
    columns = [name for name in row if name != "id"]
    assigned = ", ".join(f"{name} = %({name})s" for name in columns)
    values = {name: Jsonb(value) if isinstance(value, dict) else value for name, value in row.items()}
    statement = f"UPDATE {table} SET {assigned} WHERE id = %(id)s AND {where}"  # noqa: S608
    return connection.execute(statement.encode(), values).rowcount


def refused(state: str, connection: Connection, query: str, *values: Any) -> psycopg.errors.Diagnostic:
    """What the database says as it refuses."""
    with pytest.raises(psycopg.Error) as caught:
        connection.execute(query.encode(), values or None)
    assert caught.value.sqlstate == state, caught.value
    return caught.value.diag


# Whole rows


def test_a_whole_row_can_be_saved_and_results_stay(client: Connection, agent: Connection) -> None:
    """Read, change the title, save: what the agent wrote in between is still there."""
    job = a_job(client, agent)
    old = read(client)
    agent.execute(
        "UPDATE scan_jobs SET page_count = 4, error = 'jam', error_code = 'feeder_jammed', attempts = 2"
    )
    assert save(client, old | {"title": "Bills", "settings": {"mode": "gray"}}) == 1
    row = read(client)
    assert (row["title"], row["settings"]) == ("Bills", {"mode": "gray"})
    assert (row["page_count"], row["error_code"], row["attempts"]) == (4, "feeder_jammed", 2)
    assert save(client, row | {"status": "scanning"}) == 1
    row = read(client)
    assert (row["id"], row["status"], row["steps"]) == (job, "scanning", 3)


def test_a_row_that_was_read_while_scanning_does_not_start_the_scanner(
    client: Connection, agent: Connection
) -> None:
    """Its status is not taken, the sentence says what to do, and that can be done."""
    job = a_job(client, agent, "scanning")
    old = read(client)
    agent.execute("UPDATE scan_jobs SET status = 'ready'")
    for lost in ({}, {"title": "Bills"}):
        with pytest.raises(psycopg.Error) as caught:
            save(client, old | lost)
        assert caught.value.sqlstate == "SD003"
        assert caught.value.diag.message_primary == (
            f"job {job}: it has changed since this row was read, so it does not go from ready to scanning"
        )
    hint = str(caught.value.diag.message_hint)
    assert read(client)["status"] == "ready"
    statement = hint.partition(": ")[2].removesuffix(".")
    assert client.execute(statement.encode()).rowcount == 1
    assert read(client)["status"] == "scanning"


@pytest.mark.parametrize(
    ("presents", "unknown"),
    [
        ((), ()),
        (("updated_at",), ()),
        ((), ("steps",)),
        (("updated_at",), ("steps",)),
        (("updated_at", "last_progress_at"), ()),
        ((), ("steps", "updated_at")),
    ],
)
def test_an_old_row_is_known_by_each_of_its_marks(
    presents: tuple[str, ...], unknown: tuple[str, ...], client: Connection, agent: Connection
) -> None:
    """Also of a mapper that sets times to the present by itself, or that does not know some columns."""
    a_job(client, agent, "scanning")
    old = read(client)
    agent.execute("UPDATE scan_jobs SET status = 'ready'")
    (clock,) = client.execute("SELECT clock_timestamp() AS now").fetchall()
    saved = {name: value for name, value in old.items() if name not in unknown}
    with pytest.raises(psycopg.Error) as caught:
        save(client, saved | dict.fromkeys(presents, clock["now"]))
    assert caught.value.sqlstate == "SD003"
    assert read(client)["status"] == "ready"


def test_times_that_lost_their_microseconds_are_still_the_rows_own(
    client: Connection, agent: Connection
) -> None:
    """JavaScript and Java's Date have milliseconds: such a row is saved, and created_at stays what it was."""
    a_job(client, agent)
    row = read(client)
    cut = {
        name: value.replace(microsecond=value.microsecond // 1000 * 1000)
        for name, value in row.items()
        if hasattr(value, "microsecond")
    }
    assert save(client, row | cut | {"status": "scanning"}) == 1
    assert read(client)["created_at"] == row["created_at"]


def test_an_old_row_with_the_status_that_is_now_writes_no_step(client: Connection, agent: Connection) -> None:
    """ready, scanned, ready again: what is saved is the title, and there is no step to refuse."""
    a_job(client, agent)
    old = read(client)
    for status in ("scanning", "ready"):
        agent.execute("UPDATE scan_jobs SET status = %s", (status,))
    steps = read(client)["steps"]
    assert save(client, old | {"title": "Bills"}) == 1
    assert (read(client)["title"], read(client)["steps"]) == ("Bills", steps)


def test_of_two_transactions_the_later_write_has_the_later_time(
    client: Connection, agent: Connection, migrated_url: str, connect: Connect
) -> None:
    """A row that was read before a long transaction wrote is old, although that transaction began earlier."""
    a_job(client, agent, "scanning")
    other = connect(migrated_url)
    other.execute("SET scand.actor = 'agent'")
    with other.transaction():
        other.execute("SELECT now()")
        time.sleep(0.01)
        agent.execute("UPDATE scan_jobs SET pages_scanned = 1")
        old = read(client)
        other.execute("UPDATE scan_jobs SET pages_scanned = 2")
    assert read(client)["updated_at"] > old["updated_at"]
    with pytest.raises(psycopg.Error) as caught:
        save(client, old | {"status": "canceled"})
    assert caught.value.sqlstate == "SD003"


# steps


def test_steps_go_up_with_steps_and_batches_only(client: Connection, agent: Connection) -> None:
    """By one each; never for progress, a title, an error or a batch that is saved as it is."""
    (row,) = client.execute("INSERT INTO scan_jobs (title, status) VALUES ('a', 'queued') RETURNING steps")
    assert row["steps"] == 0
    for session, query, raised in (
        (agent, "UPDATE scan_jobs SET status = 'ready'", 1),
        (agent, "UPDATE scan_jobs SET pages_scanned = 3, last_progress_at = now(), error = 'x'", 0),
        (client, "UPDATE scan_jobs SET title = 'b', settings = '{}', status = status", 0),
        (
            agent,
            "INSERT INTO scan_job_batches (job_id, batch_seq, status) SELECT id, 1, 'discarded' FROM scan_jobs",
            1,
        ),
        (client, "UPDATE scan_job_batches SET status = 'scanned'", 1),
        (client, "UPDATE scan_job_batches SET status = status", 0),
        (agent, "UPDATE scan_job_batches SET staging_path = NULL", 0),
        (client, "UPDATE scan_jobs SET status = 'assembling', title = 'c'", 1),
    ):
        before = read(client)["steps"]
        session.execute(query.encode())
        assert read(client)["steps"] == before + raised, query


def test_nobody_commits_another_document_than_the_one_that_was_seen(
    client: Connection, agent: Connection
) -> None:
    """Reopened, scanned and finished in between: 0 rows with the count that was seen, one with the new one."""
    job = a_job(client, agent, "assembling", "preview")
    seen = read(client)["steps"]
    commit = b"UPDATE scan_jobs SET status = 'committing' WHERE id = %s AND steps = %s"
    client.execute("UPDATE scan_jobs SET status = 'ready'")
    client.execute("UPDATE scan_job_batches SET status = 'discarded'")
    for status in ("scanning", "ready", "assembling", "preview"):
        agent.execute("UPDATE scan_jobs SET status = %s", (status,))
    assert client.execute(commit, (job, seen)).rowcount == 0
    assert read(client)["status"] == "preview"
    assert client.execute(commit, (job, read(client)["steps"])).rowcount == 1


def test_steps_as_a_mappers_version_column(client: Connection, agent: Connection) -> None:
    """SET steps = 8 WHERE steps = 7: the mapper's count stays right, with a step and without one."""
    a_job(client, agent)
    seen = int(read(client)["steps"])
    for change in ({"title": "Bills"}, {"title": "Mail", "status": "scanning"}):
        row = read(client) | change
        assert save(client, row | {"steps": seen + 1}, where=f"steps = {seen}") == 1
        seen += 1
        assert read(client)["steps"] == seen
    old = read(client)
    agent.execute("UPDATE scan_jobs SET status = 'ready'")
    assert save(client, old | {"title": "Lost", "steps": seen + 1}, where=f"steps = {seen}") == 0
    assert client.execute("UPDATE scan_jobs SET title = 'x', steps = steps + 1").rowcount == 1
    assert read(client)["steps"] == seen + 2


@pytest.mark.parametrize("steps", [-5, 0, 1000, 2**62])
def test_no_other_count_can_be_written(steps: int, client: Connection, agent: Connection) -> None:
    """A count that a client makes up is ignored, so that it never comes round to one that somebody has seen."""
    a_job(client, agent, "scanning", "ready")
    before = read(client)["steps"]
    client.execute("UPDATE scan_jobs SET steps = %s", (steps,))
    assert read(client)["steps"] == before


# Batches


def test_a_batch_stays_where_it_is(client: Connection, agent: Connection) -> None:
    """Nobody moves it, no client makes or deletes it, and of its columns only the status changes."""
    job = a_job(client, agent)
    before = read(client, "scan_job_batches")
    for session in (client, agent):
        for move in ("batch_seq = 3", "job_id = 7", "batch_seq = NULL"):
            said = refused("SD002", session, f"UPDATE scan_job_batches SET {move}")  # noqa: S608
            assert said.message_primary == f"batch 1 of job {job}: a batch keeps its job and its number"
    said = refused("SD002", client, "DELETE FROM scan_job_batches")
    assert str(said.message_hint).endswith(
        f"SET status = 'discarded' WHERE job_id = {job} AND batch_seq = 1."
    )
    refused("SD002", client, "INSERT INTO scan_job_batches (job_id, batch_seq) VALUES (%s, 2)", job)
    assert read(client, "scan_job_batches") == before
    changed = before | {
        "staging_path": "/etc/passwd",
        "page_count": 1,
        "file_hash": "e" * 64,
        "created_at": "epoch",
    }
    assert save(client, changed | {"status": "discarded"}, "scan_job_batches") == 1
    assert read(client, "scan_job_batches") == before | {"status": "discarded"}
    client.execute("DELETE FROM scan_jobs")
    assert client.execute("SELECT FROM scan_job_batches").rowcount == 0


# Bounds

UNREADABLE = {
    "numbers of 131,000 digits": '{"x_": [' + ", ".join(["1e131000"] * 8300) + "]}",
    "a number of 131,000 digits": '{"x_": -1e131000}',
    "zeros of 16,000 digits": '{"x_": [' + ", ".join(["0e-16000"] * 60_000) + "]}",
    "deep": '{"x_": ' + "[" * 5000 + "]" * 5000 + "}",
    "a bit too deep": '{"x_": ' + "[" * 100 + "]" * 100 + "}",
    "one long string": json.dumps({"x_": "0" * (1 << 20)}),
    "many keys": json.dumps({f"x_{number}": number for number in range(80_000)}),
}

READABLE = {
    "the ends of a double": '{"x_": [1.7976931348623157e308, -1.7976931348623157e308, 5e-324]}',
    "many numbers": json.dumps({"x_": list(range(100_000))}),
    "90 levels": '{"x_": ' + "[" * 90 + "]" * 90 + "}",
    "signs": json.dumps({"x_": "\x01\x7f\u202e\ufeff🖨" * 1000}),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_settings_that_nobody_could_read_are_not_taken(
    name: str, client: Connection, agent: Connection
) -> None:
    """In a moment, with a sentence, in a new row and in an old one."""
    a_job(client, agent)
    begun = time.monotonic()
    for query in (
        "INSERT INTO scan_jobs (title, settings) VALUES ('b', %s::jsonb)",
        "UPDATE scan_jobs SET settings = %s::jsonb",
    ):
        said = refused("SD005", client, query, UNREADABLE[name])
        assert str(said.message_primary).startswith("settings cannot be ")
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize("name", READABLE)
def test_settings_up_to_the_bounds_are_taken_and_read(
    name: str, client: Connection, agent: Connection
) -> None:
    """What a program may well write is not refused."""
    a_job(client, agent)
    client.execute("UPDATE scan_jobs SET settings = %s::jsonb", (READABLE[name],))
    (row,) = client.execute("SELECT scand_unreadable(settings) AS why FROM scan_jobs").fetchall()
    assert row["why"] is None


def test_titles_and_ids_have_bounds(client: Connection) -> None:
    """4,000 characters of whatever script; an id of the client's own from 1."""
    client.execute("INSERT INTO scan_jobs (title) VALUES (%s)", ("ß" * 4000,))
    said = refused("SD005", client, "UPDATE scan_jobs SET title = %s", "a" * 4001)
    assert said.message_primary == "a title has at most 4000 characters, and this one has 4001"
    refused("SD005", client, "INSERT INTO scan_jobs (title) VALUES (%s)", "a" * 2_000_000)
    refused("SD005", client, "INSERT INTO scan_jobs (id, title) VALUES (0, 'a')")
    client.execute("INSERT INTO scan_jobs (id, title) VALUES (4711, 'a')")


def test_a_row_from_before_the_guards_can_be_changed_otherwise(
    client: Connection, migrated_url: str, connect: Connect
) -> None:
    """A long title is no obstacle to a step, nor are settings that nobody can read."""
    with connect(migrated_url).transaction() as begun:
        begun.connection.execute("SET LOCAL session_replication_role = replica")
        begun.connection.execute(
            "INSERT INTO scan_jobs (title, settings) VALUES (repeat('a', 5000), %s::jsonb)",
            (UNREADABLE["deep"],),
        )
    client.execute("UPDATE scan_jobs SET status = 'queued'")
    refused("SD005", client, "UPDATE scan_jobs SET title = title || '!'")


@pytest.mark.parametrize("settings", ["{}", *UNREADABLE.values()], ids=["small", *UNREADABLE])
def test_a_row_that_was_written_past_the_guards_is_read(
    settings: str, daemon: AgentQueue, migrated_url: str, connect: Connect
) -> None:
    """Settings without bounds, times without end, an endless title: the agent and a client read what they can."""
    superuser = connect(migrated_url)
    with superuser.transaction():
        superuser.execute("SET LOCAL session_replication_role = replica")
        superuser.execute(
            """INSERT INTO scan_jobs (title, status, settings, created_at, updated_at, last_activity_at,
                                      last_progress_at, next_attempt_at, step_since)
               VALUES (repeat('a', 2000000), 'ready', %s::jsonb, 'infinity', '-infinity', '200000-01-01',
                       'infinity', 'infinity', '4000-01-01 BC')""",
            (settings,),
        )
    begun = time.monotonic()
    with ClientQueue.open(migrated_url) as queue:
        (row,) = queue.jobs()
        assert (row.created_at.year, row.updated_at.year) == (9999, 1)
        job = daemon.look().job
        assert job is not None
        assert job.created_at.year == 9999
        assert len(job.title) == 4000
        assert isinstance(job.settings, dict) == (settings == "{}")
        assert queue.view(row.id).job.settings == job.settings
        assert {lag.status: lag.jobs for lag in queue.lag()}["ready"] == 1
    assert time.monotonic() - begun < 5


# Deleting


def test_a_deleted_job_leaves_its_files_to_the_agent(
    client: Connection, agent: Connection, daemon: AgentQueue
) -> None:
    """First the staged merge, then the files on disk, then the row; not while there is a job with its id."""
    job = a_job(client, agent, "assembling", "preview")
    agent.execute("UPDATE scan_jobs SET nas_staging_path = 'staged/merged.pdf'")
    created = read(client)["created_at"]
    (stay,) = client.execute("SELECT id FROM scan_job_events WHERE to_status = 'assembling'").fetchall()
    client.execute("DELETE FROM scan_jobs")
    (left,) = client.execute("SELECT * FROM scand_deleted_jobs").fetchall()
    assert (left["job_id"], left["created_at"], left["status"]) == (job, created, "preview")
    assert (left["stay"], left["staging_path"]) == (stay["id"], f"/spool/jobs/{job}")

    client.execute("INSERT INTO scan_jobs (id, title) VALUES (%s, 'the same id')", (job,))
    assert daemon.look().stale is None
    assert leftovers.deleted(daemon, "/spool/jobs", 0.0) == []
    client.execute("DELETE FROM scan_jobs")  # a draft leaves nothing

    stale = daemon.look().stale
    assert stale is not None
    assert (stale.job_id, stale.path) == (job, "staged/merged.pdf")
    assert daemon.forget_staged(job)
    assert daemon.look().stale is None
    assert leftovers.deleted(daemon, "/elsewhere/jobs", 0.0) == []
    assert leftovers.deleted(daemon, "/spool/jobs", 3600.0) == []
    assert leftovers.deleted(daemon, "/spool/jobs", 0.0) == [(job, created)]
    leftovers.forget_deleted(daemon, [job])
    assert client.execute("SELECT FROM scand_deleted_jobs").rowcount == 0


def test_truncating_leaves_the_files_to_the_agent_too(client: Connection, agent: Connection) -> None:
    """TRUNCATE fires no trigger of a row; nothing of it is forgotten all the same."""
    a_job(client, agent)
    agent.execute("TRUNCATE documents CASCADE")
    assert client.execute("SELECT FROM scan_jobs").rowcount == 0
    assert client.execute("SELECT FROM scand_deleted_jobs").rowcount == 1


def test_a_job_whose_document_is_on_its_way_is_not_deleted(client: Connection, agent: Connection) -> None:
    """By nobody, in no way, until it is committed; then the document stays where it is."""
    job = a_job(client, agent, "assembling", "preview", "committing")
    agent.execute("UPDATE scan_jobs SET inbox_path = 'Inbox/a.pdf', file_hash = repeat('a', 64)")
    for session, query in ((client, "DELETE FROM scan_jobs"), (agent, "TRUNCATE scan_jobs CASCADE")):
        said = refused("SD001", session, query)
        assert said.message_primary == (
            f"job {job}: its document is on its way into the Inbox (Inbox/a.pdf): delete it once it is committed"
        )
    agent.execute("UPDATE scan_jobs SET status = 'committed'")
    client.execute("DELETE FROM scan_jobs")


def test_another_daemons_agent_forgets_nothing(
    client: Connection, agent: Connection, daemon: AgentQueue
) -> None:
    """With another's epoch the rows of deleted jobs are neither read nor written."""
    job = a_job(client, agent)
    client.execute("DELETE FROM scan_jobs")
    daemon.epoch -= 1
    assert leftovers.deleted(daemon, "/spool/jobs", 0.0) == []
    leftovers.forget_deleted(daemon, [job])
    assert not daemon.forget_staged(job)
    assert client.execute("SELECT FROM scand_deleted_jobs").rowcount == 1
