"""sql/roles.sql and sql/client-commits.sql: who may write what, asked of PostgreSQL itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from scand.jobs.lifecycle import Actor, Status, is_step, legal
from scand.queue.schema import check, migrate
from scand.queue.statements import read_sql
from tests.integration.queue.rows import OF_PARKED

if TYPE_CHECKING:
    from collections.abc import Callable

    Connection = psycopg.Connection[Any]
    Connect = Callable[..., Connection]


@pytest.fixture
def owner(migrated_url: str, connect: Connect) -> Connection:
    """A superuser's session in a database whose roles are made."""
    connection = connect(migrated_url)
    connection.execute(read_sql("roles.sql").encode())
    return connection


@pytest.fixture
def client(owner: Connection, migrated_url: str, login: Connect) -> Connection:
    """A session of a login that is a scand_client and nothing else."""
    return login(migrated_url, "scand_client")


@pytest.fixture
def agent(owner: Connection, migrated_url: str, login: Connect) -> Connection:
    """A session of a login that is a scand_agent and nothing else, and has not said SET scand.actor."""
    return login(migrated_url, "scand_agent")


def one(connection: Connection, query: Any, *values: Any) -> Any:
    """The only column of the only row."""
    rows = connection.execute(query, values or None).fetchall()
    assert len(rows) == 1
    assert len(rows[0]) == 1
    return rows[0][0]


def make_job(owner: Connection, status: str) -> int:
    """A job in any status with one batch, put there with the triggers off."""
    with owner.transaction():
        owner.execute("SET LOCAL session_replication_role = replica")
        job = one(
            owner,
            "INSERT INTO scan_jobs (title, status, batch_count) VALUES ('a', %s, 1) RETURNING id",
            status,
        )
        owner.execute("INSERT INTO scan_job_batches (job_id, batch_seq) VALUES (%s, 1)", (job,))
    return int(job)


def put(owner: Connection, job: int, status: str) -> None:
    """Take the job to any status, with the triggers off."""
    with owner.transaction():
        owner.execute("SET LOCAL session_replication_role = replica")
        owner.execute("UPDATE scan_jobs SET status = %s, resumes_in = NULL WHERE id = %s", (status, job))


# What each may do


def test_each_role_takes_its_own_steps_and_no_other(
    owner: Connection, client: Connection, agent: Connection
) -> None:
    """A member of one role is held to that role's rows; the refusal lists them, and says whose step it is."""
    job = make_job(owner, "draft")
    for actor, session, other in ((Actor.CLIENT, client, "agent"), (Actor.AGENT, agent, "client")):
        for from_status in Status:
            for to_status in Status:
                if from_status is to_status:
                    continue
                put(owner, job, from_status)
                change = "UPDATE scan_jobs SET status = %s"
                if is_step(from_status, to_status, actor) and (from_status, to_status) not in OF_PARKED:
                    session.execute(change, (to_status,))
                    assert one(owner, "SELECT status FROM scan_jobs") == to_status
                    continue
                with pytest.raises(psycopg.Error) as caught:
                    session.execute(change, (to_status,))
                said = caught.value.diag
                assert said.sqlstate == "SD001"
                assert said.message_primary == (
                    f"job {job}: {from_status} → {to_status} is not a step; "
                    f"from {from_status}: {', '.join(legal(from_status, actor)) or 'none'}"
                )
                if is_step(from_status, to_status, Actor(other)) and from_status is not Status.COMMITTED:
                    assert said.message_hint == f"That step is the {other}'s; this session is the {actor}'s."
                assert one(owner, "SELECT status FROM scan_jobs") == from_status


def test_a_life_with_two_roles(owner: Connection, client: Connection, agent: Connection) -> None:
    """From the wish to the Inbox: each writes what is its own, and the events tell who."""
    job = one(
        client, "INSERT INTO scan_jobs (title, settings, status) VALUES ('a', '{}', 'queued') RETURNING id"
    )
    agent.execute(
        "WITH next AS (SELECT id FROM scan_jobs WHERE status = 'queued' ORDER BY created_at "
        "LIMIT 1 FOR UPDATE SKIP LOCKED) UPDATE scan_jobs SET status = 'ready', last_activity_at = now(), "
        "staging_path = '/spool/1' FROM next WHERE scan_jobs.id = next.id"
    )
    agent.execute("SELECT epoch FROM scan_agent_status FOR SHARE")
    agent.execute(
        "UPDATE scan_agent_status SET epoch = epoch + 1, last_heartbeat = now(), updated_at = now(), "
        "current_job_id = %s, ready = true",
        (job,),
    )
    client.execute("UPDATE scan_jobs SET status = 'scanning', title = 'b'")
    agent.execute("UPDATE scan_jobs SET pages_scanned = 2, last_progress_at = now()")
    agent.execute(
        "INSERT INTO scan_job_batches (job_id, batch_seq, staging_path, page_count, status, file_hash) "
        "VALUES (%s, 1, '/spool/1/batch.pdf', 2, 'discarded', repeat('a', 64))",
        (job,),
    )
    agent.execute("UPDATE scan_jobs SET status = 'ready', error = 'jam', error_code = 'feeder_jammed'")
    client.execute("UPDATE scan_job_batches SET status = 'scanned'")
    client.execute("UPDATE scan_jobs SET status = 'assembling'")
    agent.execute(
        "UPDATE scan_jobs SET status = 'preview', page_count = 2, nas_staging_path = 'x', error = NULL, "
        "error_code = NULL"
    )
    client.execute("UPDATE scan_jobs SET status = 'committing'")
    agent.execute(
        "UPDATE scan_jobs SET inbox_path = 'Inbox/b.pdf', file_hash = repeat('a', 64), attempts = 1"
    )
    with agent.transaction():
        document = one(
            agent,
            "INSERT INTO documents (title, path, file_hash) VALUES ('b', 'Inbox/b.pdf', repeat('a', 64)) "
            "ON CONFLICT (file_hash) DO NOTHING RETURNING id",
        )
        agent.execute("UPDATE scan_jobs SET status = 'committed', doc_id = %s", (document,))
    for session in (client, agent):
        actors = session.execute("SELECT actor, to_status FROM scan_job_events ORDER BY id").fetchall()
        assert actors == [
            ("client", "queued"),
            ("agent", "ready"),
            ("client", "scanning"),
            ("agent", "ready"),
            ("client", "assembling"),
            ("agent", "preview"),
            ("client", "committing"),
            ("agent", "committed"),
        ]
        assert one(session, "SELECT batch_count FROM scan_jobs") == 1
        assert one(session, "SELECT ready FROM scan_agent_health") is True
        assert session.execute("SELECT sum(jobs) FROM scan_queue_lag").fetchone() == (0,)
        assert one(session, "SELECT count(*) FROM scand_installation") == 1
        assert one(session, "SELECT title FROM documents") == "b"
        check(session)


def test_a_client_deletes_a_job_with_all_that_hangs_on_it(
    owner: Connection, client: Connection, agent: Connection
) -> None:
    """DELETE on scan_jobs is enough: batches, events and the agent's pointer follow, whatever the status."""
    for status in Status:
        job = make_job(owner, status)
        owner.execute(
            "INSERT INTO scan_job_events (job_id, actor, to_status) VALUES (%s, 'client', 'x')", (job,)
        )
        agent.execute("UPDATE scan_agent_status SET current_job_id = %s", (job,))
        client.execute("DELETE FROM scan_jobs WHERE id = %s", (job,))
    for table in ("scan_jobs", "scan_job_batches", "scan_job_events"):
        assert one(owner, f"SELECT count(*) FROM {table}") == 0  # noqa: S608
    assert one(owner, "SELECT current_job_id FROM scan_agent_status") is None


def test_the_role_counts_and_not_what_the_session_says(
    owner: Connection, client: Connection, agent: Connection
) -> None:
    """scand.actor is for those without a role: a client that says 'agent' is a client all the same."""
    client.execute("SET scand.actor = 'agent'")
    agent.execute("SET scand.actor = 'client'")
    assert [one(session, "SELECT scand_actor()") for session in (client, agent)] == ["client", "agent"]
    make_job(owner, "ready")

    def moves(session: Connection, query: Any) -> Any:
        with owner.transaction():
            owner.execute("SET LOCAL session_replication_role = replica")
            owner.execute("UPDATE scan_jobs SET last_activity_at = NULL")
        session.execute(query)
        return one(owner, "SELECT last_activity_at IS NOT NULL FROM scan_jobs")

    # The second of each pair is written by a definer's function, whose own role is the owner's.
    assert moves(client, "UPDATE scan_jobs SET title = 'b'")
    assert moves(client, "UPDATE scan_job_batches SET status = 'discarded'")
    assert not moves(agent, "UPDATE scan_jobs SET pages_scanned = 1")
    assert not moves(agent, "UPDATE scan_job_batches SET status = 'scanned'")
    client.execute(
        "UPDATE scan_jobs SET status = 'canceled' RETURNING set_config('scand.actor', 'agent', true)"
    )
    assert one(owner, "SELECT actor FROM scan_job_events") == "client"


# Who is who


def test_who_is_who(
    owner: Connection, client: Connection, agent: Connection, migrated_url: str, login: Connect
) -> None:
    """Exactly one role: that. Both or neither: any step of the table, and the session says who it is."""
    both, neither = login(migrated_url, "scand_client", "scand_agent"), login(migrated_url)
    asked = """
        SELECT scand_actor(), scand_may_take('queued', 'ready'), scand_may_take('ready', 'canceled'),
               scand_may_take(NULL, 'draft'), scand_may_take('ready', 'committed'),
               scand_may_take(NULL, 'ready')
    """

    def answers(session: Connection) -> Any:
        return session.execute(asked).fetchone()

    assert answers(client) == ("client", False, True, True, False, False)
    assert answers(agent) == ("agent", True, True, False, False, False)
    for session in (owner, both, neither):
        assert answers(session) == ("client", True, True, True, False, False)
        session.execute("SET scand.actor = 'agent'")
        assert answers(session) == ("agent", True, True, True, False, False)
        session.execute("SET scand.actor = 'somebody'")
        assert answers(session) == ("client", True, True, True, False, False)
    for session in (owner, both):
        session.execute("SET ROLE scand_agent")
        assert answers(session) == ("agent", True, True, False, False, False)
        session.execute("SET ROLE scand_client")
        assert answers(session) == ("client", False, True, True, False, False)


def test_a_member_of_a_member_is_a_member(owner: Connection, migrated_url: str, login: Connect) -> None:
    """A site's own group between the login and the role makes no difference."""
    group = login(migrated_url, "scand_agent")
    member = login(migrated_url, one(group, "SELECT session_user"))
    assert one(member, "SELECT scand_role()") == "agent"


def test_without_the_roles_everybody_may_take_any_step(owner: Connection) -> None:
    """Where roles.sql was never run, nothing fails for want of it."""
    with owner.transaction(force_rollback=True):
        # Renamed, and back at the rollback: other databases of this server need them.
        owner.execute("ALTER ROLE scand_client RENAME TO scand_client_away")
        owner.execute("ALTER ROLE scand_agent RENAME TO scand_agent_away")
        assert one(owner, "SELECT scand_role()") is None
        assert one(owner, "SELECT scand_actor()") == "client"
        assert one(owner, "SELECT scand_may_take('queued', 'ready')") is True
        owner.execute(read_sql("client-commits.sql").encode())


def test_a_web_that_was_there_before_scand_goes_on(
    owner: Connection, migrated_url: str, login: Connect
) -> None:
    """A login of neither role, with the rights it always had on the shared tables, needs no new ones."""
    web = login(migrated_url)
    owner.execute(
        f"GRANT ALL ON scan_jobs, scan_jobs_id_seq, scan_job_batches TO {one(web, 'SELECT session_user')}"
    )
    web.execute("INSERT INTO scan_jobs (title, status) VALUES ('a', 'queued')")
    owner.execute("UPDATE scan_jobs SET status = 'ready'")
    owner.execute("SET scand.actor = 'agent'")
    owner.execute("INSERT INTO scan_job_batches (job_id, batch_seq) SELECT id, 1 FROM scan_jobs")
    web.execute("UPDATE scan_job_batches SET status = 'discarded'")
    web.execute("UPDATE scan_jobs SET status = 'assembling'")
    with pytest.raises(psycopg.Error, match="assembling → draft is not a step"):
        web.execute("UPDATE scan_jobs SET status = 'draft'")
    web.execute("DELETE FROM scan_jobs")


# What each may not do

NOT_A_CLIENTS = [
    *(
        f"UPDATE scan_jobs SET {column} = NULL"  # noqa: S608
        for column in (
            "staging_path", "nas_staging_path", "inbox_path", "file_hash", "doc_id", "page_count",
            "batch_count", "pages_scanned", "error", "error_code", "attempts", "next_attempt_at",
            "last_activity_at", "last_progress_at", "created_at", "updated_at", "id",
        )
    ),
    "INSERT INTO scan_jobs (title, file_hash) VALUES ('a', repeat('a', 64))",
    "INSERT INTO scan_jobs (title, id) VALUES ('a', 7)",
    "INSERT INTO scan_job_batches (job_id, batch_seq) SELECT id, 9 FROM scan_jobs",
    "UPDATE scan_job_batches SET staging_path = '/etc/passwd'",
    "UPDATE scan_job_batches SET file_hash = repeat('a', 64)",
    "UPDATE scan_job_batches SET batch_seq = 2",
    "DELETE FROM scan_job_batches",
    "UPDATE scan_agent_status SET last_heartbeat = now()",
    "INSERT INTO scan_job_events (job_id, actor, to_status) SELECT id, 'agent', 'committed' FROM scan_jobs",
    "UPDATE scan_job_events SET actor = 'agent'",
    "DELETE FROM scan_job_events",
    "INSERT INTO scan_job_transitions VALUES ('ready', 'committed', 'client')",
    "DELETE FROM scan_job_transitions",
    "UPDATE scand_installation SET id = gen_random_uuid()",
    "DELETE FROM scand_migrations",
    "INSERT INTO documents (title) VALUES ('a')",
    "TRUNCATE scan_jobs",
    "ALTER TABLE scan_jobs DISABLE TRIGGER ALL",
    "SET session_replication_role = replica",
    "SET ROLE scand_agent",
    "SELECT nextval('scan_job_events_id_seq')",
]  # fmt: skip

NOT_AN_AGENTS = [
    "UPDATE scan_jobs SET title = 'b'",
    "UPDATE scan_jobs SET settings = '{}'",
    "UPDATE scan_jobs SET batch_count = 7",
    "UPDATE scan_jobs SET id = 7",
    "UPDATE scan_jobs SET created_at = now()",
    "INSERT INTO scan_jobs (title) VALUES ('a')",
    "DELETE FROM scan_jobs",
    "DELETE FROM scan_job_batches",
    "DELETE FROM scan_agent_status",
    "INSERT INTO scan_job_events (job_id, actor, to_status) SELECT id, 'client', 'queued' FROM scan_jobs",
    "DELETE FROM scan_job_events",
    "INSERT INTO scan_job_transitions VALUES ('ready', 'committed', 'agent')",
    "UPDATE scand_installation SET id = gen_random_uuid()",
    "DELETE FROM scand_migrations",
    "UPDATE documents SET title = 'b'",
    "DELETE FROM documents",
    "SET ROLE scand_client",
]


def test_what_is_not_a_clients(owner: Connection, client: Connection) -> None:
    """A client writes no result, no history and no rule."""
    make_job(owner, "ready")
    for query in NOT_A_CLIENTS:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            client.execute(query.encode())


def test_what_is_not_an_agents(owner: Connection, agent: Connection) -> None:
    """The agent writes no intent, makes and deletes no job, and rewrites no history."""
    make_job(owner, "ready")
    for query in NOT_AN_AGENTS:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            agent.execute(query.encode())


@pytest.mark.parametrize(
    "function", ["scand_record_step('agent')", "scand_count_batches('agent')", "scand_check_batch()"]
)
def test_a_function_with_its_owners_rights_serves_no_table_but_its_own(
    function: str, client: Connection
) -> None:
    """Hung on a table of the client's own it would write whatever the client likes."""
    client.execute("CREATE TEMP TABLE mine (id bigint, status text, error_code text)")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        client.execute(
            f"CREATE TRIGGER mine AFTER INSERT ON mine FOR EACH ROW EXECUTE FUNCTION {function}".encode()
        )


def test_a_temporary_table_stands_in_for_none_of_ours(owner: Connection, client: Connection) -> None:
    """A client's own scan_job_transitions and scan_job_events are not looked at."""
    make_job(owner, "ready")
    client.execute("CREATE TEMP TABLE scan_job_transitions AS TABLE scan_job_transitions")
    client.execute("INSERT INTO scan_job_transitions VALUES ('ready', 'committed', 'client')")
    client.execute("CREATE TEMP TABLE scan_job_events AS TABLE scan_job_events")
    with pytest.raises(psycopg.Error, match="ready → committed is not a step"):
        client.execute("UPDATE scan_jobs SET status = 'committed'")
    client.execute("UPDATE scan_jobs SET status = 'scanning'")
    assert one(owner, "SELECT count(*) FROM scan_job_events") == 1


def test_an_agent_makes_no_jobs_even_with_the_right_to_insert(owner: Connection, agent: Connection) -> None:
    """Should a site grant too much, the table of steps still holds."""
    with owner.transaction(force_rollback=True):
        owner.execute(
            "GRANT INSERT ON scan_jobs TO scand_agent; GRANT USAGE ON scan_jobs_id_seq TO scand_agent; "
            "SET LOCAL ROLE scand_agent"
        )
        with (
            pytest.raises(psycopg.Error, match=r"^a new job is the client's to make") as caught,
            owner.transaction(),
        ):
            owner.execute("INSERT INTO scan_jobs (title) VALUES ('a')")
        assert caught.value.sqlstate == "SD001"


# The files


def test_roles_can_be_made_again(owner: Connection) -> None:
    """A second run changes no right, and no right given since is taken away."""
    rights = """
        SELECT oid::regclass::text, relacl::text FROM pg_class WHERE relacl IS NOT NULL
        UNION ALL
        SELECT attrelid::regclass || '.' || attname, attacl::text FROM pg_attribute WHERE attacl IS NOT NULL
        ORDER BY 1
    """
    owner.execute(read_sql("client-commits.sql").encode())
    before = owner.execute(rights).fetchall()
    owner.execute(read_sql("roles.sql").encode())
    assert owner.execute(rights).fetchall() == before


def test_a_document_servers_documents_are_not_given_away(
    database_url: str, connect: Connect, login: Connect
) -> None:
    """Where documents is the server's, the roles get no right on it."""
    owner = connect(database_url)
    owner.execute("CREATE TABLE documents (id bigint PRIMARY KEY, slug text)")
    migrate(owner)
    owner.execute(read_sql("roles.sql").encode())
    for role in ("scand_client", "scand_agent"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            login(database_url, role).execute("SELECT * FROM documents")


def test_a_web_that_commits_by_itself(owner: Connection, client: Connection) -> None:
    """client-commits.sql adds one step and its columns, agent-commits.sql takes both away; each can run twice."""
    job = make_job(owner, "committing")
    with owner.transaction():
        owner.execute("SET LOCAL session_replication_role = replica")
        owner.execute(
            "UPDATE scan_jobs SET file_hash = repeat('a', 64), nas_staging_path = 's/job-1/merged.pdf'"
        )
    commit = "UPDATE scan_jobs SET status = 'committed', inbox_path = 'a.pdf'"
    illegal = "committing → committed is not a step; from committing: preview\n"

    def refused() -> None:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            client.execute(commit.encode())
        with pytest.raises(psycopg.Error, match=illegal):
            client.execute("UPDATE scan_jobs SET status = 'committed'")

    refused()
    for script in ("client-commits.sql", "client-commits.sql", "agent-commits.sql", "agent-commits.sql"):
        owner.execute(read_sql(script).encode())
    refused()
    owner.execute(read_sql("client-commits.sql").encode())
    client.execute("UPDATE scan_jobs SET error = 'the shelf is full', error_code = 'nas_full'")
    document = one(owner, "INSERT INTO documents (title) VALUES ('a') RETURNING id")
    client.execute(commit.replace("SET", f"SET doc_id = {document},").encode())
    row = owner.execute(
        "SELECT status, doc_id, error, error_code, read_back FROM scan_jobs WHERE id = %s", (job,)
    )
    assert row.fetchone() == ("committed", document, None, None, False)
    check(client)
