"""Where every login may make functions and operators in scand's schema, none of them runs in scand's sessions."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from scand.errors import ConfigError
from scand.jobs.lifecycle import Status
from scand.queue import schema, statements
from scand.queue.connection import connect as open_session
from scand.queue.intents import ClientQueue, Which
from scand.queue.results import AgentQueue
from tests.conftest import database
from tests.integration.queue.test_fencing import CASES, job, written

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Connect

PLANTED = Path(__file__).parents[2] / "support/planted.sql"

EXACT = {"count", "lower", "max", "min"}
"""They take any type, but PostgreSQL also has them for the types with which scand calls them."""


@pytest.fixture(scope="module")
def planted_url(server_url: str, migrated_template: str) -> Iterator[str]:
    """A database with scand's schema, and thousands of operators and functions that fit more exactly."""
    with database(server_url, migrated_template) as url:
        with psycopg.connect(url) as stranger:
            stranger.execute(PLANTED.read_text().encode())
        yield url


def test_what_is_planted_does_run(planted_url: str, connect: Connect) -> None:
    """A statement that is not exact runs it: the test can fail."""
    with pytest.raises(psycopg.Error, match="planted"):
        connect(planted_url).execute("SELECT 'job '::text || 7::bigint").fetchone()


def test_none_of_it_runs_as_the_agent(planted_url: str) -> None:
    """Each statement of the agent, with the triggers of a step and without."""
    with open_session(planted_url, name="scand") as connection:
        schema.check(connection)
        connection.execute("SET scand.actor = 'agent'")
        queue = AgentQueue(connection, statements.load())
        assert queue.elect()
        for name, (status, _values) in CASES.items():
            with connection.transaction(force_rollback=True):
                assert written(queue, name, job(connection, status, name)) > 0, name
        with connection.transaction(force_rollback=True):
            job(connection, "ready", "look")
            assert queue.look().job is not None
        for name in (
            "leader",
            "lock_holder",
            "blocker",
            "installation",
            "deleted",
            "same_document",
            "find_document",
        ):
            queue.run(name, id=1, ids=[1], lock=5, keep=1.0, jobs="/spool/jobs", sha256="0" * 64)


def test_none_of_it_runs_as_a_client(planted_url: str) -> None:
    """Each thing that the command line does, and what triggers do then; a refused step, too."""
    with ClientQueue.open(planted_url) as queue:
        number = queue.submit("T", {"resolution": 300})
        assert queue.jobs(Which(statuses=["queued"], title="t", ago=60.0))
        assert queue.rename(number, "U", ["queued"])
        assert queue.step(number, "queued", Status.DRAFT)
        with pytest.raises(Exception, match="is not a step"):
            queue.step(number, "draft", Status.COMMITTED)
        assert len(queue.view(number).events) == 2
        assert queue.more(queue.jobs()) == 0
        assert queue.statuses([number]) == {number: "draft"}
        assert queue.steps_since(queue.mark()) == []
        queue.unfinished(), queue.health(), queue.lag(), queue.roles()


def test_what_takes_any_type_is_called_by_its_schema(migrated_url: str, connect: Connect) -> None:
    """In the statements and in the bodies of functions: a call that no test happens to make is found, too."""
    connection = connect(migrated_url)
    of_any_type = {
        name
        for (name,) in connection.execute(
            "SELECT DISTINCT proname FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace AND"
            " (provariadic <> 0 OR proargtypes::oid[] && ARRAY(SELECT oid FROM pg_type WHERE typname ~ '^any'))"
        )
    }
    texts: dict[str, Any] = {
        f"{file}: {name}": body.decode()
        for file in ("agent.sql", "client.sql")
        for name, body in statements.load(file).items()
    }
    texts |= connection.execute(
        "SELECT proname, prosrc FROM pg_proc JOIN pg_language l ON l.oid = prolang"
        " WHERE pronamespace = 'public'::regnamespace AND lanname = 'plpgsql'"
    ).fetchall()
    called = {
        (where, name)
        for where, text in texts.items()
        for name in re.findall(r"(?<![.\w])([a-z_]+)\(", re.sub(r"--.*|'(?:[^']|'')*'", "", text))
    }
    assert len(called) > 50
    assert {(where, name) for where, name in called if name in of_any_type - EXACT} == set()


def test_migrate_refuses_what_a_stranger_has_planted(
    database_url: str, connect: Connect, login: Connect
) -> None:
    """It would run with the rights of the tables' owner; nothing is made."""
    owner = connect(database_url)
    owner.execute("GRANT CREATE ON SCHEMA public TO PUBLIC")
    stranger = login(database_url)
    stranger.execute(
        "CREATE FUNCTION format(text, VARIADIC text[]) RETURNS text LANGUAGE sql RETURN 'planted'"
    )
    with pytest.raises(ConfigError, match=r"another login has made the function format\(text,text\[\]\)"):
        schema.migrate(owner)
    assert owner.execute("SELECT FROM pg_tables WHERE schemaname = 'public'").rowcount == 0
    owner.execute("DROP FUNCTION public.format(text, text[])")
    schema.migrate(owner)
