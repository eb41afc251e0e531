"""Why a server lets nobody in is told by its SQLSTATE, whatever its language."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from scand.errors import ConfigError, ScandError, TryAgain, Unavailable
from scand.queue import login
from scand.queue.connection import connect as open_session
from tests.conftest import fast_directory
from tests.integration.queue.conftest import VERSIONS
from tests.postgres import private_postgres

if TYPE_CHECKING:
    from collections.abc import Iterator

DOOR = """
local all postgres trust
local all web,limited,idle scram-sha-256
local all barred reject
local all all trust
"""


class Case(NamedTuple):
    """Somebody who is not let in.

    Attributes:
        who: keywords of the connection.
        sqlstate: what the server says to that.
        error: what it is for scand.
        said: words of the sentence.
    """

    who: dict[str, str]
    sqlstate: str
    error: type[ScandError]
    said: str


CASES = {
    "a wrong password": Case({"user": "web", "password": "x"}, "28P01", ConfigError, "refuses the login"),
    "an entry that rejects": Case({"user": "barred"}, "28000", ConfigError, "refuses the login"),
    "no such login": Case({"user": "nobody"}, "28000", ConfigError, "refuses the login"),
    "no login at all": Case({"user": "role"}, "28000", ConfigError, "refuses the login"),
    "no such database": Case(
        {"user": "postgres", "dbname": "none"}, "3D000", ConfigError, "refuses the login"
    ),
    "no right to connect": Case(
        {"user": "plain", "dbname": "closed"}, "42501", ConfigError, "refuses the login"
    ),
    "a login at its limit": Case(
        {"user": "limited", "password": "right"}, "53300", TryAgain, "takes no more sessions"
    ),
    "a right password and a closed database": Case(
        {"user": "idle", "password": "right", "dbname": "quiet"}, "55000", Unavailable, "is away"
    ),
    "nobody there": Case({"user": "web", "port": "9"}, "", Unavailable, "is away"),
}


@pytest.fixture(scope="module", params=VERSIONS)
def door(request: pytest.FixtureRequest) -> Iterator[str]:
    """A server that asks some logins for a password, and lets others not in at all: its URL, without a user."""
    with private_postgres(fast_directory(), version=request.param) as postgres:
        (postgres.directory / "pg_hba.conf").write_text(DOOR)
        with psycopg.connect(postgres.url, autocommit=True) as owner:
            owner.execute(
                "CREATE ROLE web LOGIN PASSWORD 'right'; CREATE ROLE idle LOGIN PASSWORD 'right';"
                "CREATE ROLE limited LOGIN PASSWORD 'right' CONNECTION LIMIT 0; CREATE ROLE plain LOGIN;"
                "CREATE ROLE role; CREATE ROLE barred LOGIN"
            )
            owner.execute("CREATE DATABASE closed")
            owner.execute("REVOKE CONNECT ON DATABASE closed FROM PUBLIC")
            owner.execute("CREATE DATABASE quiet ALLOW_CONNECTIONS false")
            owner.execute("SELECT pg_reload_conf()")
        yield make_conninfo(host=str(postgres.directory), dbname="postgres")


@pytest.mark.parametrize("name", CASES)
def test_who_is_not_let_in_is_told_why(door: str, name: str) -> None:
    """By SQLSTATE: what an operator must mend ends the daemon, and what may pass is tried again."""
    case = CASES[name]
    url = make_conninfo(door, **case.who)
    assert login.sqlstate(url, 5) == case.sqlstate
    with pytest.raises(ScandError) as caught:
        open_session(url, name="test")
    assert type(caught.value) is case.error
    assert case.said in caught.value.sentence


@pytest.mark.parametrize("name", CASES)
def test_the_servers_language_makes_no_difference(door: str, name: str) -> None:
    """The same with the sentence of a German server, of which no word is looked at."""
    case = CASES[name]
    said = "FATAL:  Passwort-Authentifizierung für Benutzer »web« fehlgeschlagen"
    told = login.refusal(make_conninfo(door, **case.who), said, 5)
    assert type(told) is case.error
    assert said in told.sentence


def test_who_is_let_in_has_no_sqlstate(door: str) -> None:
    """The second try may succeed: the first one's trouble is then an outage that has passed."""
    url = make_conninfo(door, user="web", password="right")  # noqa: S106
    assert login.sqlstate(url, 5) == ""
    open_session(url, name="test").close()
