"""The contract in SQL is tested on the oldest PostgreSQL that scand takes, and on the newest."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

import pytest
from psycopg.conninfo import conninfo_to_dict

from tests.support.pgbouncer import pgbouncer
from tests.support.postgres_releases import NEWEST, OLDEST

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.conftest import Connect
    from tests.integration.queue.rows import Connection

    Through = Callable[[str], str]

VERSIONS = [int(version) for version in os.environ.get("SCAND_TEST_VERSIONS", f"{OLDEST} {NEWEST}").split()]
POOLER = bool(os.environ.get("SCAND_TEST_POOLER"))
"""Every test goes through PgBouncer in session mode, but for those of `PAST_THE_POOLER`."""

PAST_THE_POOLER = {
    "test_sessions.py": "poolers themselves, what the options of a URL say, logins that it does not know",
    "test_a_view_reads_what_a_client_wrote": "options in the URL, which PgBouncer refuses before 1.20",
    # They see in pg_locks that another session waits, by the process that libpq knows: it is PgBouncer's number.
    "test_two_sessions_that_change_two_batches_are_both_counted": "blocked sessions",
    "test_a_merge_waits_for_a_batch_that_is_being_discarded": "blocked sessions",
    "test_a_batch_is_not_discarded_from_a_merge_that_is_being_started": "blocked sessions",
}
"""Modules and tests that cannot go through it, and why. Those that use no database of their own do not, either:
test_embedded, test_login, and the modules that share one database (test_plans, test_planted)."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Whatever uses the server runs on one version after another (`make test-postgres` takes all of them)."""
    if "server_url" in metafunc.fixturenames:
        metafunc.parametrize("server_url", VERSIONS, indirect=True, scope="session")


@pytest.fixture(scope="session")
def through(server_url: str) -> Iterator[Through]:
    """A function that leads the URL of a database of the server through PgBouncer in session mode."""
    with pgbouncer(server_url, "session") as url:
        place = {name: value for name, value in conninfo_to_dict(url).items() if name in {"host", "port"}}
        yield lambda url: urlsplit(url)._replace(query=urlencode(place)).geturl()


def _led(url: str, request: pytest.FixtureRequest) -> str:
    through: Through = request.getfixturevalue("through")
    past = {request.node.originalname, request.node.path.name} & PAST_THE_POOLER.keys()
    return url if past else through(url)


@pytest.fixture
def database_url(database_url: str, request: pytest.FixtureRequest) -> str:
    """The URL of an empty database, as a superuser."""
    return _led(database_url, request) if POOLER else database_url


@pytest.fixture
def migrated_url(migrated_url: str, request: pytest.FixtureRequest) -> str:
    """The URL of a database with scand's schema and nothing in it, as a superuser."""
    return _led(migrated_url, request) if POOLER else migrated_url


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
