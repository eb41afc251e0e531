"""A real PostgreSQL for the tests: one server a session, one database a test.

`SCAND_TEST_DATABASE_URL` (a superuser's URL) chooses a server that runs already; else one of the
tests' own is started, a server for each pytest-xdist worker.
"""

from __future__ import annotations

import os
import shutil
import signal
import time
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest
from hypothesis import settings as hypothesis_settings
from psycopg import sql

from scand.queue.schema import migrate
from tests.postgres import private_postgres
from tests.support.rude import build

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Connection = psycopg.Connection[Any]
    Connect = Callable[..., Connection]


# `make test` tries the same values each time, so that green stays green; `make soak` tries others, and more.
hypothesis_settings.register_profile("test", derandomize=True, database=None)
hypothesis_settings.register_profile("soak", max_examples=10_000)
hypothesis_settings.load_profile("soak" if os.environ.get("SCAND_SOAK") else "test")

# Some machines have Python write no bytecode: each of a thousand processes would compile scand anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# A shell's background job ignores Ctrl-C, and so would every process that a test starts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


_LONGEST_FIRST = (
    "systemd/test_deb.py", "systemd/test_everybody.py",
    "model", "systemd", "acceptance", "crash", "integration", "unit",
)  # fmt: skip
"""Modules and directories of tests in the order in which pytest-xdist begins them: all workers end together then.

The first two need different fixtures that take long, so neither waits for the other's.
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort the tests as `_LONGEST_FIRST` says; within a module they keep their order."""

    def turn(item: pytest.Item) -> int:
        place = item.path.relative_to(Path(__file__).parent).as_posix()
        return next(
            (turn for turn, part in enumerate(_LONGEST_FIRST) if place.startswith(part)), len(_LONGEST_FIRST)
        )

    items.sort(key=turn)


@pytest.fixture(scope="session")
def postgres_servers() -> Iterator[Callable[[int | None], str]]:
    """A function that starts the server of a major version once: its URL, as `server_url`. None: the newest."""
    with ExitStack() as running:

        @cache
        def start(version: int | None) -> str:
            return running.enter_context(server(version))

        yield start


@pytest.fixture(scope="session")
def server_url(postgres_servers: Callable[[int | None], str], request: pytest.FixtureRequest) -> str:
    """The URL of a PostgreSQL server, as a superuser, with a database that is not for tests to write in."""
    return postgres_servers(getattr(request, "param", None))


@contextmanager
def server(version: int | None = None) -> Iterator[str]:
    """The server that is given, or one of that major version that ends with the block."""
    given = os.environ.get("SCAND_TEST_DATABASE_URL")
    if given and version is None:
        yield given
        return
    config = "synchronous_commit = off\n"
    with private_postgres(fast_directory(), config, version=version) as postgres:
        yield postgres.url


def fast_directory() -> str:
    """Where a server's files go: into memory where there is room (a test then waits for no disk).

    Both paths are short, since that of a unix socket has 107 bytes at most.
    """
    memory = "/dev/shm"
    roomy = os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 2 * 1024**3
    return memory if roomy else "/tmp"


@contextmanager
def database(server_url: str, template: str) -> Iterator[str]:
    """A database of its own, dropped at the end even while sessions are open."""
    name = f"scand_test_{uuid4().hex}"
    create = sql.SQL("CREATE DATABASE {} TEMPLATE {} ENCODING 'UTF8'")
    drop = sql.SQL("DROP DATABASE {} WITH (FORCE)")
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(create.format(sql.Identifier(name), sql.Identifier(template)))
    try:
        yield urlsplit(server_url)._replace(path=f"/{name}").geturl()
    finally:
        with psycopg.connect(server_url, autocommit=True) as connection:
            _wait_until_left(connection, name)
            connection.execute(drop.format(sql.Identifier(name)))


def _wait_until_left(connection: Connection, database: str) -> None:
    """Give sessions that were just closed 50 ms to end: DROP DATABASE would sleep 100 ms to see it."""
    sessions = "SELECT FROM pg_stat_activity WHERE datname = %s"
    for _ in range(25):
        if connection.execute(sessions, (database,)).rowcount == 0:
            return
        time.sleep(0.002)


@pytest.fixture
def database_url(server_url: str) -> Iterator[str]:
    """The URL of an empty database, as a superuser."""
    with database(server_url, "template0") as url:
        yield url


@pytest.fixture(scope="session")
def migrated_template(server_url: str) -> Iterator[str]:
    """The name of a database with scand's schema, to copy and not to connect to."""
    with database(server_url, "template0") as url:
        with psycopg.connect(url, autocommit=True) as connection:
            migrate(connection)
        yield urlsplit(url).path.lstrip("/")


@pytest.fixture
def migrated_url(server_url: str, migrated_template: str) -> Iterator[str]:
    """The URL of a database with scand's schema and nothing in it, as a superuser."""
    with database(server_url, migrated_template) as url:
        yield url


@pytest.fixture
def connect() -> Iterator[Connect]:
    """A function that opens an autocommit connection: `connect(url, **libpq_options)`. All are closed."""
    connections: list[Connection] = []

    def open_connection(url: str, **options: Any) -> Connection:
        connections.append(psycopg.connect(url, autocommit=True, **options))
        return connections[-1]

    yield open_connection
    for connection in connections:
        connection.close()


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the rude backend is, compiled (`tests.support.rude`)."""
    return build(tmp_path_factory.mktemp("library"))


@pytest.fixture(scope="session")
def login_names(server_url: str) -> Iterator[list[str]]:
    """The logins made in this session; dropped at its end, when no database grants them a right any more."""
    names: list[str] = []
    yield names
    with psycopg.connect(server_url, autocommit=True) as connection:
        for name in names:
            connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


@pytest.fixture
def login(login_names: list[str], connect: Connect) -> Connect:
    """A function that makes a login of its own, member of the roles named, and opens a session as it.

    `login(url, "scand_client")`. The roles must exist: run `sql/roles.sql` first. The session is a
    superuser's with SET SESSION AUTHORIZATION: it has the login's rights, whatever pg_hba.conf says.
    """

    def open_session(url: str, *roles: str) -> Connection:
        connection = connect(url)
        login_names.append(f"scand_test_{uuid4().hex}")
        name = sql.Identifier(login_names[-1])
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(name))
        for role in roles:
            connection.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(role), name))
        connection.execute(sql.SQL("SET SESSION AUTHORIZATION {}").format(name))
        return connection

    return open_session
