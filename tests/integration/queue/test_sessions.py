"""What a session inherits makes no difference, and what scand cannot work with is told: by all who open one."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from scand.agent.service import Database
from scand.cli.checks.database import check_database
from scand.config import Config
from scand.decide.actions import Claim
from scand.errors import ConfigError, ScandError, Unavailable
from scand.queue.connection import connect as open_session
from scand.queue.intents import ClientQueue
from scand.queue.refusals import told as told_by_postgres
from scand.queue.results import AgentQueue
from scand.queue.schema import migrate
from scand.queue.session import SETTINGS
from scand.queue.statements import load, read_sql
from tests.postgres import PrivatePostgres, private_postgres
from tests.support.pgbouncer import pgbouncer
from tests.support.plain_login import plain_login
from tests.support.site import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.conftest import Connect

OTHERWISE = {
    "client_encoding": "LATIN1", "DateStyle": "German, DMY", "IntervalStyle": "iso_8601", "TimeZone": "Asia/Aden",
    "bytea_output": "escape", "extra_float_digits": "-15", "standard_conforming_strings": "off",
    "backslash_quote": "off", "array_nulls": "off", "quote_all_identifiers": "on", "transform_null_equals": "on",
    "row_security": "on", "restrict_nonsystem_relation_kind": "view",
    "default_transaction_isolation": "serializable", "default_transaction_read_only": "on",
    "default_transaction_deferrable": "on", "check_function_bodies": "off", "statement_timeout": "1ms",
    "lock_timeout": "1ms", "transaction_timeout": "1s", "idle_in_transaction_session_timeout": "1s",
    "idle_session_timeout": "1s", "exit_on_error": "on", "client_min_messages": "debug5", "jit": "on",
    "session_replication_role": "replica", "search_path": "public, pg_catalog", "default_statistics_target": "1",
}  # fmt: skip
"""For each setting that scand sets, the value that does the most harm; and some more."""


def name_of(url: str) -> str:
    """The database's name in a URL."""
    return urlsplit(url).path.lstrip("/")


def live(url: str) -> None:
    """A job from its submission to ready and back, through the sessions of a client and of the daemon."""
    with ClientQueue.open(url) as client:
        job = client.submit("Été", {"resolution": 300})
        with open_session(url, name="scand") as connection:
            connection.execute("SET scand.actor = 'agent'")
            agent = AgentQueue(connection, load())
            assert agent.elect()
            assert agent.claim("/spool/jobs", Claim()) is not None
            assert agent.look().job is not None
        view = client.view(job)
        assert view.job.status == "ready"
        assert [event.actor for event in view.events] == ["client", "agent"]
        assert view.job.created_at.tzinfo is not None


def test_every_setting_is_tried() -> None:
    """None was added without its worst value here."""
    assert {one.name for one in SETTINGS} <= set(OTHERWISE)


@pytest.mark.parametrize("scope", ["database", "role in database", "options of the URL"])
def test_what_a_session_inherits_makes_no_difference(migrated_url: str, connect: Connect, scope: str) -> None:
    """Whatever the database, the login or the URL says: a job lives, and each setting is scand's."""
    owner = connect(migrated_url)
    known = {name.lower() for (name,) in owner.execute("SELECT name FROM pg_settings")}
    hostile = {name: value for name, value in OTHERWISE.items() if name.lower() in known}
    # A statement that takes too long is tried again; not where each error ends the session. So never both.
    hostile.pop("statement_timeout" if scope == "database" else "exit_on_error")
    url = migrated_url
    if scope == "options of the URL":
        options = " ".join(
            f"-c {name}={value.replace(' ', chr(92) + ' ')}" for name, value in hostile.items()
        )
        url = psycopg.conninfo.make_conninfo(url, options=options)
    else:
        whose = {"database": "DATABASE {}", "role in database": "ROLE postgres IN DATABASE {}"}[scope]
        for name, value in hostile.items():
            values = sql.SQL(", ").join(value.split(", ") if name == "search_path" else [value])
            statement = sql.SQL("ALTER " + whose + " SET {} = {}")
            owner.execute(statement.format(sql.Identifier(name_of(url)), sql.Identifier(name), values))
    live(url)
    with open_session(url, name="test") as session:
        found = {
            row["name"].lower(): row["setting"]
            for row in session.execute("SELECT name, setting FROM pg_settings")
        }
        path = session.execute("SHOW search_path").fetchone()
    for setting in SETTINGS:
        if setting.name.lower() in known:
            assert found[setting.name.lower()] == setting.value
    assert path == {"search_path": "public, pg_temp"}
    assert found["session_replication_role"] == "origin"


def test_a_commit_is_on_the_servers_disk(migrated_url: str, connect: Connect) -> None:
    """synchronous_commit = off would lose committed rows in a power cut; a safer value is kept."""
    for said, used in {"off": "local", "remote_apply": "remote_apply", "on": "on"}.items():
        statement = sql.SQL("ALTER DATABASE {} SET synchronous_commit = {}")
        connect(migrated_url).execute(statement.format(sql.Identifier(name_of(migrated_url)), said))
        with open_session(migrated_url, name="test") as session:
            assert session.execute("SHOW synchronous_commit").fetchone() == {"synchronous_commit": used}


# What scand cannot work with. Each is told by the daemon, by a command and by doctor.


def by_daemon(url: str, directory: Path) -> ScandError:
    """What the daemon says when it opens its session."""
    with pytest.raises(ScandError) as caught:
        Database(config_for(url, directory), os.environ).open()
    return caught.value


def by_command(url: str, _directory: Path) -> ScandError:
    """What `scand list` says."""
    with pytest.raises(ScandError) as caught, told_by_postgres(), ClientQueue.open(url) as queue:
        queue.jobs()
    return caught.value


def by_doctor(url: str, directory: Path) -> ScandError:
    """What doctor says of the first thing that is wrong."""
    checks = check_database(lambda: url, config_for(url, directory), "scand run")
    wrong = next(check for check in checks if not check.ok)
    kind = ConfigError if wrong.exit_status == os.EX_CONFIG else Unavailable
    return kind(wrong.detail)


def config_for(url: str, directory: Path) -> Config:
    """A daemon's config with this database."""
    (directory / "nas").mkdir(exist_ok=True)
    path = directory / "scand.toml"
    path.write_text(
        f'[database]\nurl = "{url}"\n[staging]\ndir = "{directory}/staging"\n[nas]\nroot = "{directory}/nas"\n'
    )
    return Config.load(path, {}, need="daemon")


Teller = pytest.mark.parametrize("told", [by_daemon, by_command, by_doctor])


@Teller
@pytest.mark.parametrize("mode", ["transaction", "statement"])
def test_a_pooler_that_shares_sessions_is_refused(
    migrated_url: str, tmp_path: Path, told: Callable[[str, Path], ScandError], mode: str
) -> None:
    """Two daemons behind it would both lead; and nothing of the session that others get was changed."""
    with pgbouncer(migrated_url, mode) as url:
        error = told(url, tmp_path)
        with psycopg.connect(url, autocommit=True) as other:
            assert other.execute("SHOW row_security").fetchone() == ("on",)
    assert isinstance(error, ConfigError)
    assert "transaction mode" in error.sentence
    assert "pool_mode = session" in error.sentence


def test_a_pooler_that_keeps_sessions_is_fine(migrated_url: str, tmp_path: Path) -> None:
    """In session mode everything goes as without it."""
    with pgbouncer(migrated_url, "session") as url:
        live(url)
        with Database(config_for(url, tmp_path), os.environ).open() as connection:
            queue = AgentQueue(connection, load())
            until(queue.elect, "the pooler has ended the first session, which had the lock")


def test_a_web_may_have_a_pooler_in_transaction_mode(migrated_url: str) -> None:
    """A client's statements are whole by themselves: no session has to be kept between two of them."""
    with pgbouncer(migrated_url, "transaction") as url:
        for status in ("queued", "draft", "canceled"):
            with psycopg.connect(url, autocommit=True, prepare_threshold=None) as web:
                web.execute(
                    "INSERT INTO scan_jobs (title) SELECT 'web' WHERE NOT EXISTS (SELECT FROM scan_jobs)"
                )
                assert (
                    web.execute("UPDATE scan_jobs SET status = %s WHERE title = 'web'", (status,)).rowcount
                    == 1
                )
    with ClientQueue.open(migrated_url) as queue:
        (job,) = queue.jobs()
        assert [event.actor for event in queue.view(job.id).events] == ["client"] * 4


@pytest.fixture(scope="module")
def standby() -> Iterator[PrivatePostgres]:
    """A server that follows another: it can be read, and takes no writes."""
    with private_postgres("/tmp") as postgres:
        with psycopg.connect(postgres.url, autocommit=True) as connection:
            migrate(connection)
        postgres.shut_down()
        (postgres.directory / "standby.signal").touch()
        postgres.start()
        yield postgres


@Teller
def test_a_standby_is_told(
    standby: PrivatePostgres, tmp_path: Path, told: Callable[[str, Path], ScandError]
) -> None:
    """It may be promoted, so that trying again is of use."""
    error = told(standby.url, tmp_path)
    assert isinstance(error, Unavailable)
    assert "standby" in error.sentence
    assert "target_session_attrs=read-write" in error.sentence


@Teller
def test_hidden_rows_are_told(
    migrated_url: str, tmp_path: Path, connect: Connect, told: Callable[[str, Path], ScandError]
) -> None:
    """With row-level security a queue looks empty; both mends that are named work."""
    owner = connect(migrated_url)
    owner.execute(read_sql("roles.sql").encode())
    owner.execute("ALTER TABLE scan_jobs ENABLE ROW LEVEL SECURITY")
    with plain_login(owner, "scand_agent", "scand_client") as login:
        url = psycopg.conninfo.make_conninfo(migrated_url, user=login)
        error = told(url, tmp_path)
        assert isinstance(error, ConfigError)
        assert "Row-level security is on for scan_jobs" in error.sentence
        assert "BYPASSRLS" in error.sentence
        owner.execute("ALTER TABLE scan_jobs DISABLE ROW LEVEL SECURITY")
        live(url)


@Teller
def test_triggers_that_are_switched_off_are_told(
    migrated_url: str, tmp_path: Path, connect: Connect, told: Callable[[str, Path], ScandError]
) -> None:
    """A login that skips triggers takes any step, and no step is recorded."""
    owner = connect(migrated_url)
    owner.execute(read_sql("roles.sql").encode())
    with plain_login(owner, "scand_agent", "scand_client") as login:
        owner.execute(
            sql.SQL("ALTER ROLE {} SET session_replication_role = replica").format(sql.Identifier(login))
        )
        error = told(psycopg.conninfo.make_conninfo(migrated_url, user=login), tmp_path)
    assert isinstance(error, ConfigError)
    assert f'ALTER ROLE "{login}" RESET session_replication_role' in error.sentence


@Teller
def test_another_search_path_is_told(
    migrated_url: str, tmp_path: Path, connect: Connect, told: Callable[[str, Path], ScandError]
) -> None:
    """Not as a schema that is missing; and what the sentence prints mends it."""
    owner = connect(migrated_url)
    owner.execute("CREATE SCHEMA front")
    owner.execute(
        sql.SQL("ALTER DATABASE {} SET search_path = front").format(sql.Identifier(name_of(migrated_url)))
    )
    error = told(migrated_url, tmp_path)
    assert isinstance(error, ConfigError)
    assert (
        'in the schema "public", which the search_path of this login ("front") does not name'
        in error.sentence
    )
    assert "scand migrate" not in error.sentence
    owner.execute(error.sentence.split("Name it: ")[1].split(". If")[0].encode())
    live(migrated_url)
    owner.execute(
        sql.SQL("ALTER ROLE postgres IN DATABASE {} RESET ALL").format(sql.Identifier(name_of(migrated_url)))
    )


@Teller
def test_missing_rights_are_told(
    migrated_url: str, tmp_path: Path, connect: Connect, told: Callable[[str, Path], ScandError]
) -> None:
    """With the command that makes the roles, and the roles to grant."""
    owner = connect(migrated_url)
    owner.execute(read_sql("roles.sql").encode())
    with plain_login(owner) as login:
        error = told(psycopg.conninfo.make_conninfo(migrated_url, user=login), tmp_path)
    assert isinstance(error, ConfigError)
    assert "scand migrate --roles" in error.sentence
    assert "GRANT scand_client" in error.sentence


@pytest.mark.parametrize("told", [by_daemon, by_doctor])
@pytest.mark.parametrize("table", ["scan_agent_status", "scan_job_events", "scan_jobs"])
def test_a_table_that_was_dropped_is_told(
    migrated_url: str, tmp_path: Path, connect: Connect, told: Callable[[str, Path], ScandError], table: str
) -> None:
    """It is not the schema that is missing; the mend that is named makes it anew and leaves the others."""
    owner = connect(migrated_url)
    owner.execute("INSERT INTO scan_jobs (title) VALUES ('kept')")
    owner.execute(sql.SQL("DROP TABLE {} CASCADE").format(sql.Identifier(table)))
    error = told(migrated_url, tmp_path)
    assert isinstance(error, ConfigError)
    assert table in error.sentence
    owner.execute(error.sentence.split(": say ")[1].split(" as the owner")[0].encode())
    migrate(owner)
    live(migrated_url)


def test_no_second_documents_table_is_made(database_url: str, connect: Connect) -> None:
    """A document server's table in a schema that this login does not name is found before anything is made."""
    owner = connect(database_url)
    owner.execute("CREATE TABLE documents (id BIGINT PRIMARY KEY); CREATE SCHEMA front")
    url = psycopg.conninfo.make_conninfo(database_url, options="-csearch_path=front")
    with open_session(url, name="scand-migrate") as session:
        with pytest.raises(ConfigError, match="would make a second one") as caught:
            migrate(session)
        assert session.execute("SELECT FROM pg_tables WHERE tablename LIKE 'scan%'").rowcount == 0
    owner.execute(caught.value.sentence.split("name it: ")[1].split(". If")[0].encode())
    with open_session(database_url, name="scand-migrate") as session:
        migrate(session)
        assert session.execute("SELECT to_regclass('front.documents') AS made").fetchone() == {"made": None}
    owner.execute(
        sql.SQL("ALTER ROLE postgres IN DATABASE {} RESET ALL").format(sql.Identifier(name_of(database_url)))
    )


def test_doctor_warns_where_everybody_may_make_functions(
    migrated_url: str, tmp_path: Path, connect: Connect
) -> None:
    """In clusters from before PostgreSQL 15 everybody may; the mend is printed."""
    owner = connect(migrated_url)
    owner.execute("GRANT CREATE ON SCHEMA public TO PUBLIC")
    checks = {
        one.name: one for one in check_database(lambda: migrated_url, config_for(migrated_url, tmp_path), "")
    }
    assert not checks["rows"].ok
    owner.execute(checks["rows"].mend.encode())
    checks = {
        one.name: one for one in check_database(lambda: migrated_url, config_for(migrated_url, tmp_path), "")
    }
    assert checks["rows"].ok
