"""`scand migrate` in a real PostgreSQL: fresh databases, a document server's own, what may be in the way."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row

from scand.errors import ConfigError, TryAgain
from scand.queue.schema import check, migrate
from scand.queue.statements import AGENT_LOCK, MIGRATION_LOCK, read_sql, sql_directory

if TYPE_CHECKING:
    from collections.abc import Callable

    Connection = psycopg.Connection[Any]
    Connect = Callable[..., Connection]

NAMES = sorted(path.stem for path in (sql_directory() / "migrations").iterdir())

# What a document server's own migration made before scand came, and what people had in it.
SERVERS_OWN = """
    CREATE TABLE schema_migrations (version TEXT PRIMARY KEY);
    INSERT INTO schema_migrations VALUES ('2019_scans');
    CREATE TABLE documents (
        id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, slug TEXT NOT NULL UNIQUE, body TSVECTOR
    );
    COMMENT ON TABLE documents IS 'everything we know';
    CREATE TABLE scan_jobs (
        id BIGSERIAL PRIMARY KEY, title TEXT NOT NULL, settings JSONB NOT NULL DEFAULT '{}',
        status TEXT NOT NULL DEFAULT 'draft', batch_count INTEGER NOT NULL DEFAULT 0, page_count INTEGER,
        last_activity_at TIMESTAMPTZ, last_progress_at TIMESTAMPTZ, staging_path TEXT, nas_staging_path TEXT,
        inbox_path TEXT, file_hash CHAR(64), doc_id BIGINT REFERENCES documents(id) ON DELETE SET NULL,
        error TEXT, created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
        updated_at TIMESTAMPTZ NOT NULL DEFAULT now(), shelf TEXT DEFAULT 'top'  -- the server's own
    );
    CREATE TABLE scan_job_batches (
        id BIGSERIAL PRIMARY KEY, job_id BIGINT NOT NULL REFERENCES scan_jobs ON DELETE CASCADE,
        batch_seq INTEGER NOT NULL, staging_path TEXT, page_count INTEGER,
        status TEXT NOT NULL DEFAULT 'scanned', created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
        UNIQUE (job_id, batch_seq)
    );
    CREATE TABLE scan_agent_status (
        id INTEGER PRIMARY KEY CHECK (id = 1), last_heartbeat TIMESTAMPTZ, agent_version TEXT,
        current_job_id BIGINT REFERENCES scan_jobs ON DELETE SET NULL,
        updated_at TIMESTAMPTZ NOT NULL DEFAULT now()
    );
    INSERT INTO scan_agent_status (id, agent_version) VALUES (1, '0.0.9');
    CREATE UNIQUE INDEX uq_scan_jobs_single_active ON scan_jobs ((TRUE))
        WHERE status IN ('ready', 'scanning', 'assembling', 'preview', 'committing');
    CREATE INDEX idx_scan_jobs_queued ON scan_jobs (created_at) WHERE status = 'queued';
    CREATE INDEX idx_scan_jobs_file_hash ON scan_jobs (file_hash) WHERE file_hash IS NOT NULL;
    CREATE INDEX idx_scan_job_batches_job ON scan_job_batches (job_id, batch_seq);

    INSERT INTO documents (slug) VALUES ('letter');
    INSERT INTO scan_jobs (title, status, doc_id, batch_count) VALUES
        ('old', 'archived', 1, 9), ('good', 'committed', 1, 1), ('older', 'done', NULL, 0),
        ('new', 'draft', NULL, 0);
    INSERT INTO scan_job_batches (job_id, batch_seq, status) VALUES
        (1, 1, 'ok'), (1, 2, 'scanned'), (2, 1, 'scanned'), (2, 2, 'discarded'), (2, 3, 'ok');
"""


@pytest.fixture
def database(database_url: str, connect: Connect) -> Connection:
    """A superuser's session in an empty database."""
    return connect(database_url)


@pytest.fixture
def servers(database: Connection) -> Connection:
    """A superuser's session in a document server's database, as it was before scand came."""
    database.execute(SERVERS_OWN.encode())
    return database


def rows(connection: Connection, query: Any) -> list[tuple[Any, ...]]:
    """All rows."""
    return connection.execute(query).fetchall()


def shape(connection: Connection) -> set[tuple[Any, ...]]:
    """Every column, index, constraint, comment and trigger of the public schema."""
    return set(
        rows(
            connection,
            """
            SELECT 'column', c.relname, a.attname, a.attnum::TEXT, format_type(a.atttypid, a.atttypmod),
                   a.attnotnull::TEXT, a.attidentity::TEXT, pg_get_expr(d.adbin, d.adrelid)
            FROM pg_attribute a
            JOIN pg_class c ON c.oid = a.attrelid AND c.relkind = 'r'
            LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
            WHERE a.attnum > 0 AND c.relnamespace = 'public'::REGNAMESPACE
            UNION ALL
            SELECT 'index', tablename, indexname, indexdef, '', '', '', ''
            FROM pg_indexes WHERE schemaname = 'public'
            UNION ALL
            SELECT 'constraint', conrelid::REGCLASS::TEXT, conname, pg_get_constraintdef(oid), '', '', '', ''
            FROM pg_constraint WHERE connamespace = 'public'::REGNAMESPACE
            UNION ALL
            SELECT 'comment', relname, obj_description(oid, 'pg_class'), '', '', '', '', ''
            FROM pg_class WHERE relnamespace = 'public'::REGNAMESPACE
            UNION ALL
            SELECT 'trigger', tgrelid::REGCLASS::TEXT, tgname, pg_get_triggerdef(oid), '', '', '', ''
            FROM pg_trigger WHERE NOT tgisinternal
            """,
        )
    )


# Fresh


def test_a_fresh_database_gets_everything_and_then_nothing(database: Connection) -> None:
    """All migrations run in order, are logged, and a second run finds nothing to do."""
    assert migrate(database) == NAMES
    log = rows(
        database,
        "SELECT name, length(checksum), applied_at IS NOT NULL FROM scand_migrations ORDER BY version",
    )
    assert log == [(name, 64, True) for name in NAMES]
    check(database)
    before = shape(database)
    installation = rows(database, "SELECT * FROM scand_installation")
    assert migrate(database) == []
    assert shape(database) == before
    assert rows(database, "SELECT * FROM scand_installation") == installation


def test_the_files_can_be_run_again_by_hand(database: Connection) -> None:
    """Every migration is idempotent: over a database that has it, it changes nothing."""
    migrate(database)
    before = shape(database)
    installation = rows(database, "SELECT * FROM scand_installation")
    for name in NAMES:
        with database.transaction():
            database.execute(read_sql(f"migrations/{name}.sql").encode())
    assert shape(database) == before
    assert rows(database, "SELECT * FROM scand_installation") == installation


def test_a_connection_of_any_kind_will_do(database_url: str) -> None:
    """Without autocommit, and with rows of another type, the outcome is the same."""
    with psycopg.connect(database_url, row_factory=dict_row) as connection:
        assert migrate(connection) == NAMES
        check(connection)
        connection.rollback()
        check(connection)


def test_tables_live_where_the_search_path_says(
    database: Connection, database_url: str, connect: Connect
) -> None:
    """A schema of its own, also with an odd name, will do, and for sessions that look elsewhere too."""
    database.execute('CREATE SCHEMA "Paper, ""in"""; SET search_path = "Paper, ""in""", public')
    migrate(database)
    check(database)
    database.execute(read_sql("roles.sql").encode())
    assert rows(database, "SELECT scand_owns_documents()") == [(True,)]
    other = connect(database_url)
    jobs = sql.Identifier('Paper, "in"', "scan_jobs")
    other.execute(sql.SQL("INSERT INTO {} (title, status) VALUES ('a', 'queued')").format(jobs))
    other.execute(sql.SQL("UPDATE {} SET status = 'ready'").format(jobs))
    assert rows(database, "SELECT to_status FROM scan_job_events ORDER BY id") == [("queued",), ("ready",)]
    assert rows(other, "SELECT to_regclass('public.scan_jobs')") == [(None,)]


def test_documents_may_live_in_another_schema_than_the_jobs(database: Connection) -> None:
    """A documents table that the search_path finds is the server's; scand makes no other."""
    database.execute("CREATE TABLE documents (id bigint PRIMARY KEY)")
    database.execute("CREATE SCHEMA paper; SET search_path = paper, public")
    migrate(database)
    assert rows(database, "SELECT to_regclass('paper.documents'), scand_owns_documents()") == [(None, False)]
    assert rows(
        database,
        "SELECT confrelid = 'public.documents'::regclass FROM pg_constraint WHERE conname ~ 'doc_id'",
    ) == [(True,)]


# Over a document server's own tables


def test_a_servers_tables_keep_all_they_had(servers: Connection) -> None:
    """Nothing that was there is changed or gone, least of all in documents and schema_migrations."""
    before = shape(servers)
    data = "SELECT id, title, status, doc_id, shelf FROM scan_jobs ORDER BY id"
    jobs, batches = rows(servers, data), rows(servers, "SELECT * FROM scan_job_batches ORDER BY id")
    assert migrate(servers) == NAMES
    check(servers)
    after = shape(servers)
    assert before <= after
    foreign = {item for item in after - before if item[1] in {"documents", "schema_migrations"}}
    assert foreign == set()
    assert rows(servers, data) == jobs
    assert [row[:7] for row in rows(servers, "SELECT * FROM scan_job_batches ORDER BY id")] == batches
    assert rows(servers, "SELECT * FROM schema_migrations") == [("2019_scans",)]
    assert rows(servers, "SELECT id, agent_version FROM scan_agent_status") == [(1, "0.0.9")]
    assert rows(servers, "SELECT scand_owns_documents()") == [(False,)]


def test_a_servers_tables_and_fresh_ones_end_up_alike(
    servers: Connection, migrated_url: str, connect: Connect
) -> None:
    """Columns, indexes and triggers of the shared tables are the same, but for the server's own additions."""

    def of_ours(connection: Connection) -> set[tuple[Any, ...]]:
        return {
            (kind, table, name, definition if kind in {"index", "trigger"} else "")
            for kind, table, name, definition, *_ in shape(connection)
            if kind != "comment" and table not in {"documents", "schema_migrations"} and name != "shelf"
        }

    migrate(servers)
    assert of_ours(servers) == of_ours(connect(migrated_url))


def test_rows_from_before_scand_live_on(servers: Connection) -> None:
    """A job with an old status can be updated, go on among such statuses, or come in as a new job does."""
    migrate(servers)
    servers.execute("UPDATE scan_jobs SET title = 'still', page_count = 3 WHERE id = 1")
    servers.execute("UPDATE scan_jobs SET status = 'put away' WHERE id = 1")
    with pytest.raises(psycopg.Error) as caught:
        servers.execute("UPDATE scan_jobs SET status = 'ready' WHERE id = 1")
    assert caught.value.sqlstate == "SD001"
    assert caught.value.diag.message_primary == (
        "job 1: put away → ready is not a step; from put away: draft, queued"
    )
    servers.execute("UPDATE scan_jobs SET status = 'queued' WHERE id = 1")
    servers.execute("UPDATE scan_jobs SET status = 'draft' WHERE id = 3")
    with pytest.raises(psycopg.Error) as caught:
        servers.execute("UPDATE scan_jobs SET status = 'archived' WHERE id = 1")
    assert caught.value.sqlstate == "SD001"


def test_batches_from_before_scand_live_on(servers: Connection) -> None:
    """A batch with an old status, or of a job with one, changes as before; one of ours obeys the rule."""
    migrate(servers)
    servers.execute("UPDATE scan_job_batches SET status = 'very ok' WHERE id IN (1, 5)")
    servers.execute("UPDATE scan_job_batches SET status = 'discarded' WHERE id = 2")
    with pytest.raises(psycopg.Error) as caught:
        servers.execute("UPDATE scan_job_batches SET status = 'discarded' WHERE id = 3")
    assert caught.value.sqlstate == "SD002"
    servers.execute("DELETE FROM scan_job_batches WHERE id = 1")
    servers.execute("DELETE FROM scan_jobs")
    assert rows(servers, "SELECT * FROM scan_job_batches") == []


def test_new_rows_obey_the_checks_also_beside_old_ones(servers: Connection) -> None:
    """The CHECK spares the ids up to the last old status and nobody after."""
    migrate(servers)
    servers.execute("SET session_replication_role = replica")  # the CHECK alone, without the triggers
    servers.execute("UPDATE scan_jobs SET status = 'whatever' WHERE id = 3")
    with pytest.raises(psycopg.errors.CheckViolation):
        servers.execute("UPDATE scan_jobs SET status = 'whatever' WHERE id = 4")
    with pytest.raises(psycopg.errors.CheckViolation):
        servers.execute("INSERT INTO scan_job_batches (job_id, batch_seq, status) VALUES (4, 1, 'ok')")


def test_the_count_of_batches_starts_right(servers: Connection) -> None:
    """batch_count is the number of kept batches from the first day on, also of old jobs."""
    migrate(servers)
    assert rows(servers, "SELECT batch_count FROM scan_jobs ORDER BY id") == [(1,), (1,), (0,), (0,)]


def test_a_database_without_old_statuses_has_plain_checks(database: Connection) -> None:
    """No id is spared where there is nothing to spare."""
    migrate(database)
    checks = rows(
        database,
        "SELECT pg_get_constraintdef(oid), convalidated FROM pg_constraint WHERE conname ~ '_status_known$'",
    )
    assert len(checks) == 2
    assert all("id <=" not in definition and not validated for definition, validated in checks)


# What may be in the way


def test_a_migration_changed_after_it_was_applied_is_refused(database: Connection) -> None:
    """Both migrate and check say which one, and change nothing."""
    migrate(database)
    database.execute("UPDATE scand_migrations SET checksum = repeat('0', 64) WHERE version = 2")
    for refuse in (migrate, check):
        with pytest.raises(ConfigError, match=f"migration {NAMES[1]} was changed after it was applied"):
            refuse(database)


def test_a_database_newer_than_the_code_is_refused(database: Connection) -> None:
    """Both migrate and check ask for a newer scand."""
    migrate(database)
    database.execute("INSERT INTO scand_migrations VALUES (9999, '9999_future', repeat('0', 64))")
    for refuse in (migrate, check):
        with pytest.raises(
            ConfigError, match=r"older than the database \(which has migration 9999_future\): upgrade"
        ):
            refuse(database)


def test_a_database_older_than_the_code_is_refused_by_check(database: Connection) -> None:
    """An empty database and one that lacks the last migration are told to run scand migrate."""
    with pytest.raises(ConfigError, match=f"{NAMES[0]} is missing.*scand migrate"):
        check(database)
    migrate(database)
    database.execute("DELETE FROM scand_migrations WHERE name = %s", (NAMES[-1],))
    with pytest.raises(ConfigError, match=f"{NAMES[-1]} is missing.*scand migrate"):
        check(database)
    assert migrate(database) == NAMES[-1:]
    check(database)


def test_a_table_of_steps_that_drifted_is_refused_by_check(migrated_url: str, connect: Connect) -> None:
    """Steps that lack or are too many are named; the one of client-commits.sql is welcome."""
    database = connect(migrated_url)
    database.execute(read_sql("client-commits.sql").encode())
    check(database)
    database.execute("INSERT INTO scan_job_transitions VALUES ('ready', 'committed', 'client')")
    database.execute("DELETE FROM scan_job_transitions WHERE from_status IS NULL AND to_status = 'draft'")
    with pytest.raises(ConfigError) as caught:
        check(database)
    assert caught.value.sentence == (
        "scan_job_transitions is not this scand's: it lacks (new row) → draft for the client; "
        'it has ready → committed for the client: run "scand migrate", and remove what scand did not write'
    )
    assert migrate(database) == []
    with pytest.raises(ConfigError, match="it has ready → committed for the client: remove"):
        check(database)


def test_statuses_that_drifted_are_refused_by_check(migrated_url: str, connect: Connect) -> None:
    """A status that the code does not know is told before anything is done with it."""
    database = connect(migrated_url)
    database.execute(
        "CREATE OR REPLACE FUNCTION scand_job_statuses() RETURNS TEXT[] LANGUAGE sql RETURN ARRAY['x']"
    )
    with pytest.raises(ConfigError, match="other statuses"):
        check(database)


def test_two_at_once_apply_everything_once(database_url: str, connect: Connect) -> None:
    """The second waits and finds nothing to do."""
    outcomes: list[list[str]] = []

    def run(session: Connection) -> None:
        outcomes.append(migrate(session))

    threads = [threading.Thread(target=run, args=(connect(database_url),)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(outcomes) == [[], NAMES]


def test_the_wait_for_another_migrate_is_bounded(
    database: Connection, database_url: str, connect: Connect
) -> None:
    """After its patience it says that somebody else has the lock."""
    connect(database_url).execute("SELECT pg_advisory_lock(%s)", (MIGRATION_LOCK,))
    with pytest.raises(TryAgain, match="another session is in the way"):
        migrate(database, patience=0.1)
    assert rows(database, "SELECT to_regclass('scan_jobs')") == [(None,)]


def test_the_wait_for_a_table_in_use_is_bounded(
    servers: Connection, database_url: str, connect: Connect
) -> None:
    """A forgotten transaction does not hold the migration for ever, and the next run finds the lock free."""
    busy = connect(database_url)
    with busy.transaction():
        busy.execute("SELECT * FROM scan_jobs")
        with pytest.raises(TryAgain):
            migrate(servers, patience=0.1)
    assert migrate(connect(database_url), patience=5)[-1] == NAMES[-1]
    assert rows(servers, "SHOW lock_timeout") == [("0",)]


def test_tables_of_another_shape_are_told_and_left(database: Connection) -> None:
    """A migration that does not fit is named, with nothing of it applied."""
    database.execute("CREATE TABLE scan_jobs (id bigint PRIMARY KEY, name text)")
    before = shape(database)
    with pytest.raises(
        ConfigError, match=r'^migration 0001_tables does not fit .*: column "status" does not exist$'
    ):
        migrate(database)
    assert shape(database) == before


def test_a_login_without_the_rights_is_told_so(
    servers: Connection, login: Connect, database_url: str
) -> None:
    """Not the owner: the sentence says who must run it."""
    weak = login(database_url)
    with pytest.raises(ConfigError, match=r"must be owner of|permission denied") as caught:
        migrate(weak)
    assert "as the owner of the tables or as a superuser" in caught.value.sentence
    migrate(servers)
    with pytest.raises(
        ConfigError, match="permission denied for table scand_migrations: run `scand migrate --roles`"
    ):
        check(weak)


def test_tables_in_another_schema_than_new_ones_are_told(database: Connection) -> None:
    """A schema of the login's own before the server's would make a second queue: refused."""
    migrate(database)
    database.execute("CREATE SCHEMA mine; SET search_path = mine, public")
    database.execute("DROP TABLE public.scand_migrations")
    with pytest.raises(
        ConfigError, match="scan_jobs is in schema public, but new tables would be made in schema mine"
    ):
        migrate(database)


def test_an_encoding_that_cannot_write_every_title_is_told(server_url: str, connect: Connect) -> None:
    """Only UTF-8 will do."""
    name = f"scand_test_{uuid4().hex}"
    server = connect(server_url)
    create = sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'")
    server.execute(create.format(sql.Identifier(name)))
    try:
        with pytest.raises(ConfigError, match="encoding is LATIN1"):
            migrate(connect(server_url, dbname=name))
    finally:
        server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def test_the_locks_are_two_bigints(database: Connection) -> None:
    """The migration's and the agent's lock are not the same, and PostgreSQL takes both."""
    assert MIGRATION_LOCK != AGENT_LOCK
    assert rows(database, sql.SQL("SELECT {}::BIGINT, {}::BIGINT").format(MIGRATION_LOCK, AGENT_LOCK)) == [
        (MIGRATION_LOCK, AGENT_LOCK)
    ]


@pytest.mark.parametrize("table", ["scand_installation", "scan_job_transitions", "scand_migrations"])
def test_what_scand_cannot_do_without_is_not_emptied(migrated_url: str, connect: Connect, table: str) -> None:
    """TRUNCATE is refused for everybody; what is removed past the guard is told, and migrate puts it back."""
    database = connect(migrated_url)
    before = rows(database, f"TABLE {table}".encode())
    with pytest.raises(psycopg.errors.RestrictViolation, match=f"{table} is not to be emptied"):
        database.execute(f"TRUNCATE {table}".encode())
    with database.transaction():
        database.execute("SET LOCAL session_replication_role = replica")
        database.execute(f"DELETE FROM {table}".encode())  # noqa: S608
    with pytest.raises(ConfigError, match='run "scand migrate"'):
        check(database)
    migrate(database)
    check(database)
    after = rows(database, f"TABLE {table}".encode())
    assert {row[:3] for row in after} == {row[:3] for row in before}


def test_the_agents_row_is_put_back(migrated_url: str, connect: Connect) -> None:
    """With an epoch that no daemon has had."""
    database = connect(migrated_url)
    database.execute("UPDATE scan_agent_status SET epoch = 7")
    database.execute("TRUNCATE scan_jobs CASCADE")
    assert rows(database, "SELECT * FROM scan_agent_status") == []
    migrate(database)
    ((epoch,),) = rows(database, "SELECT epoch FROM scan_agent_status")
    assert epoch > 7


def test_the_ids_of_steps_never_come_twice(migrated_url: str, connect: Connect) -> None:
    """TRUNCATE … RESTART IDENTITY begins the jobs anew, but not what tells one stay in a status from another."""
    database = connect(migrated_url)
    insert = "INSERT INTO scan_jobs (title) VALUES ('T') RETURNING id"
    first = database.execute(insert).fetchone()
    ((before,),) = rows(database, "SELECT max(id) FROM scan_job_events")
    database.execute("TRUNCATE scan_jobs RESTART IDENTITY CASCADE")
    assert database.execute(insert).fetchone() == first
    ((after,),) = rows(database, "SELECT max(id) FROM scan_job_events")
    assert after > before
