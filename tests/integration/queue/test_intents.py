"""The queue as a client sees it, on a real PostgreSQL."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg.rows import dict_row

from scand.errors import BadData, ConfigError, Unavailable
from scand.jobs.lifecycle import Status
from scand.queue.intents import ClientQueue, Unfinished, Which
from scand.queue.statements import read_sql

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Connection = psycopg.Connection[Any]
    Connect = Callable[..., Connection]


@pytest.fixture
def queue(migrated_url: str) -> Iterator[ClientQueue]:
    """A queue in a fresh database."""
    with ClientQueue.open(migrated_url) as opened:
        yield opened


@pytest.fixture
def agent(migrated_url: str, connect: Connect) -> Connection:
    """A session that takes the agent's steps."""
    connection = connect(migrated_url)
    connection.execute("SET scand.actor = 'agent'")
    return connection


def advance(agent: Connection, job: int, *statuses: str) -> None:
    """Take a job through some statuses."""
    for status in statuses:
        agent.execute("UPDATE scan_jobs SET status = %s WHERE id = %s", (status, job))


def record(agent: Connection, job: int, seq: int, pages: int = 4) -> None:
    """Record a batch."""
    agent.execute(
        "INSERT INTO scan_job_batches (job_id, batch_seq, page_count) VALUES (%s, %s, %s)", (job, seq, pages)
    )


@pytest.mark.parametrize(("draft", "status"), [(True, "draft"), (False, "queued")])
def test_a_submitted_job_is_a_row(queue: ClientQueue, *, draft: bool, status: str) -> None:
    """Title and settings are stored as given, whatever is in them, and the step is a client's."""
    title, settings = "Été/2026 \x1b[31m 🖨 " + "x" * 300, {"resolution": 300, "x_ref": ["a", None, 1.5]}
    job, batches, events, edits = queue.view(queue.submit(title, settings, draft=draft))
    assert (job.title, job.settings, job.status) == (title, settings, status)
    assert (batches, str(edits)) == ([], "")
    assert [(event.actor, event.from_status, event.to_status) for event in events] == [
        ("client", None, status)
    ]


def test_a_step_is_taken_from_the_expected_status_only(queue: ClientQueue) -> None:
    """Where somebody was faster, nothing is done and that is said."""
    job = queue.submit("a", {}, draft=True)
    assert not queue.step(job, Status.READY, Status.SCANNING)
    assert queue.step(job, Status.DRAFT, Status.QUEUED)
    assert not queue.step(job, Status.DRAFT, Status.QUEUED)
    assert queue.job(job).status == "queued"
    assert not queue.step(job + 1, Status.DRAFT, Status.QUEUED)


def test_a_refused_step_is_told_in_the_databases_words(queue: ClientQueue, agent: Connection) -> None:
    """What would be legal, and why not, in whole sentences."""
    job = queue.submit("a", {})
    with pytest.raises(
        BadData, match=rf"job {job}: queued → committing is not a step; from queued: draft"
    ) as no:
        queue.step(job, Status.QUEUED, Status.COMMITTING)
    assert no.value.sentence.endswith(".")
    advance(agent, job, "ready", "assembling", "preview", "committing", "committed")
    with pytest.raises(BadData, match="in the Inbox and never changes again"):
        queue.step(job, Status.COMMITTED, Status.CANCELED)
    assert queue.job(job).status == "committed"


def test_a_batch_is_discarded_and_restored_while_the_job_is_ready(
    queue: ClientQueue, agent: Connection
) -> None:
    """The count of kept batches follows; elsewhere the database refuses, and a batch that is not there is told."""
    job = queue.submit("a", {})
    advance(agent, job, "ready")
    record(agent, job, 1)
    record(agent, job, 2)
    assert queue.discard(job, 2)
    assert [batch.status for batch in queue.view(job).batches] == ["scanned", "discarded"]
    assert queue.job(job).batch_count == 1
    assert queue.restore(job, 2)
    assert queue.job(job).batch_count == 2
    assert not queue.discard(job, 3)
    assert not queue.discard(job + 1, 1)
    advance(agent, job, "assembling")
    with pytest.raises(BadData, match=r"batch 1 of job \d+: can be discarded or restored only while"):
        queue.discard(job, 1)


def test_jobs_come_newest_first(queue: ClientQueue) -> None:
    """All, or those in some statuses, and no more than asked for."""
    first, second, third = (queue.submit(title, {}, draft=title == "b") for title in "abc")
    assert [job.id for job in queue.jobs()] == [third, second, first]
    assert [job.id for job in queue.jobs(Which(["queued"]))] == [third, first]
    assert [job.id for job in queue.jobs(Which(["draft", "failed"]))] == [second]
    assert queue.jobs(Which([])) == []
    assert [job.id for job in queue.jobs(limit=2)] == [third, second]


def test_a_job_that_is_not_there_is_refused(queue: ClientQueue) -> None:
    """Also the largest id that a row could have."""
    for job in (1, 2**63 - 1):
        with pytest.raises(BadData, match=f"no job {job}"):
            queue.job(job)
        with pytest.raises(BadData, match=f"no job {job}"):
            queue.view(job)


def test_a_view_has_batches_and_events_in_order(queue: ClientQueue, agent: Connection) -> None:
    """As they are merged and as they happened; other jobs' are not among them."""
    other, job = queue.submit("other", {}), queue.submit("a", {})
    advance(agent, other, "canceled")
    advance(agent, job, "ready")
    record(agent, job, 2)
    record(agent, job, 1)
    queue.step(job, Status.READY, Status.SCANNING)
    view = queue.view(job)
    assert [batch.batch_seq for batch in view.batches] == [1, 2]
    assert [(event.actor, event.to_status) for event in view.events] == [
        ("client", "queued"), ("agent", "ready"), ("client", "scanning"),
    ]  # fmt: skip
    assert view.job.seen_at >= view.events[-1].at


def test_unfinished_jobs_begin_with_the_active_one(queue: ClientQueue, agent: Connection) -> None:
    """Then the longest waiting; what is over is not among them."""
    over, draft, active, queued = (queue.submit("a", {}, draft=number == 1) for number in range(4))
    queue.step(over, Status.QUEUED, Status.CANCELED)
    advance(agent, active, "ready")
    assert queue.unfinished() == [
        Unfinished(active, "ready"),
        Unfinished(draft, "draft"),
        Unfinished(queued, "queued"),
    ]


def test_health_tells_whether_an_agent_lives(queue: ClientQueue, agent: Connection) -> None:
    """None yet, one that has just beaten, one that has not for a minute."""
    assert (queue.health().alive, queue.health().heartbeat_age_seconds) == (False, None)
    agent.execute("UPDATE scan_agent_status SET last_heartbeat = now(), ready = true, pid = 4711")
    health = queue.health()
    assert (health.alive, health.ready, health.pid) == (True, True, 4711)
    assert health.heartbeat_age_seconds == pytest.approx(0, abs=5)
    agent.execute("UPDATE scan_agent_status SET last_heartbeat = now() - INTERVAL '1 min'")
    assert (queue.health().alive, queue.health().ready) == (False, False)


def test_lag_has_a_row_for_every_status_a_job_can_be_stuck_in(queue: ClientQueue) -> None:
    """Also where no job is."""
    queue.submit("a", {})
    lag = {row.status: (row.jobs, row.oldest_seconds) for row in queue.lag()}
    assert set(lag) == set(Status) - {"committed", "canceled"}
    assert lag["failed"] == (0, None)
    jobs, oldest = lag["queued"]
    assert jobs == 1
    assert oldest == pytest.approx(0, abs=5)


def test_waiting_ends_with_a_step(queue: ClientQueue, agent: Connection) -> None:
    """Long before its time is over; without one it ends with its time."""
    job = queue.submit("a", {})
    queue.listen()
    began = time.monotonic()
    queue.wait(0.05)
    assert time.monotonic() - began >= 0.05
    timer = threading.Timer(0.05, advance, (agent, job, "ready"))
    timer.start()
    began = time.monotonic()
    queue.wait(30)
    assert time.monotonic() - began < 10
    timer.join()


def test_roles_tell_what_this_login_may_be(queue: ClientQueue, agent: Connection) -> None:
    """Before sql/roles.sql neither has a right in this database; after it a superuser is both."""
    assert [(role.name, role.granted) for role in queue.roles()] == [
        ("scand_client", False),
        ("scand_agent", False),
    ]
    agent.execute(read_sql("roles.sql").encode())
    assert [(role.granted, role.member, role.direct) for role in queue.roles()] == [(True, True, True)] * 2


def test_a_queue_acts_as_a_client_wherever_it_may(migrated_url: str, connect: Connect) -> None:
    """A superuser's queue cannot write what only the agent may, once the roles are there."""
    connect(migrated_url).execute(read_sql("roles.sql").encode())
    with ClientQueue.open(migrated_url) as queue:
        queue.submit("a", {})
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            queue.connection.execute("UPDATE scan_jobs SET page_count = 3")


def test_a_plain_client_login_can_do_all_of_it(migrated_url: str, connect: Connect, login: Connect) -> None:
    """The rights of scand_client are enough for every statement of the queue."""
    connect(migrated_url).execute(read_sql("roles.sql").encode())
    connection: Any = login(migrated_url, "scand_client")
    connection.row_factory = dict_row
    queue = ClientQueue(connection)
    job = queue.submit("a", {})
    assert queue.step(job, Status.QUEUED, Status.DRAFT)
    assert queue.unfinished() == [Unfinished(job, "draft")]
    assert queue.view(job).job.id == job
    assert not queue.discard(job, 1)
    assert queue.jobs()
    assert queue.lag()
    assert not queue.health().alive
    assert [(role.name, role.member) for role in queue.roles()] == [
        ("scand_client", True),
        ("scand_agent", False),
    ]
    queue.listen()


def test_a_database_that_is_not_there_is_told(migrated_url: str) -> None:
    """A port where nobody listens is away; a database that does not exist is the config's fault."""
    with pytest.raises(Unavailable, match="database is away"):
        ClientQueue.open("postgresql://somebody@127.0.0.1:9/nowhere")
    with pytest.raises(ConfigError, match="refuses the login"):
        ClientQueue.open(migrated_url.replace("scand_test_", "scand_gone_"))
