"""A PostgreSQL session in which no call outlives its deadline.

On a stalled connection libpq waits for ever, TCP keepalives or not: a server that was frozen, a firewall that
forgot the connection. So every wait has an end, and a session that met it is closed: what its statement did is
unknown, and the next look at the rows tells.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeVar

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg.rows import DictRow, dict_row
from psycopg.types.json import set_json_loads

from scand.errors import ConfigError, Unavailable
from scand.queue import login, session
from scand.queue.moments import MomentLoader
from scand.queue.refusals import refusal
from scand.queue.tables import require_all_rows

if TYPE_CHECKING:
    from psycopg.abc import PQGen

CONNECT_TIME = 5
"""Seconds to connect, DNS not included."""

_T = TypeVar("_T")


class Connection(psycopg.Connection[DictRow]):
    """A psycopg connection whose every call ends within `deadline` seconds.

    Raises:
        psycopg.OperationalError: from any call, also when the deadline has passed; the session is then closed.
    """

    deadline = 5.0

    def wait(self, gen: PQGen[_T], interval: float = 0.1, timeout: float | None = None) -> _T:
        """Run one exchange with the server to its end, or to the deadline."""
        try:
            return super().wait(gen, interval, self.deadline if timeout is None else timeout)
        except psycopg.errors._WaitTimeout:  # noqa: SLF001 - psycopg has no public name for it
            if timeout is None:
                self.pgconn.finish()
                raise psycopg.OperationalError(
                    f"the database did not answer within {self.deadline:g} s"
                ) from None
            raise


def connect(url: str, *, name: str, deadline: float = Connection.deadline) -> Connection:
    """A new session, autocommit, rows as dicts, with the settings that scand relies on (see `session`).

    Args:
        url: a libpq URL or keyword string.
        name: the application name that `pg_stat_activity` shows.
        deadline: seconds for each call.

    Raises:
        Unavailable: the server is not there or does not answer.
        TryAgain: it takes no more sessions.
        ConfigError: the URL cannot be read, the server refuses this login, or is not what scand needs.
    """
    try:
        conninfo = make_conninfo(
            url,
            connect_timeout=CONNECT_TIME,
            application_name=name,
            keepalives_idle=10,
            keepalives_interval=5,
            keepalives_count=3,
            tcp_user_timeout=20_000,
        )
        connection = Connection.connect(conninfo, autocommit=True, row_factory=dict_row)
    except psycopg.ProgrammingError as error:
        raise ConfigError(f"database.url cannot be read: {error}".strip()) from error
    except psycopg.errors.ConnectionTimeout as error:
        raise Unavailable(f"The database is away: {_without_newlines(error)}") from error
    except psycopg.OperationalError as error:
        raise login.refusal(conninfo, _without_newlines(error), CONNECT_TIME) from error
    connection.deadline = deadline
    try:
        session.prepare(connection, url)
    except psycopg.Error as error:
        connection.close()
        raise refusal(error) from error
    except BaseException:
        connection.close()
        raise
    set_json_loads(_json, connection)
    connection.adapters.register_loader("timestamptz", MomentLoader)
    return connection


_DEEPEST = 100  # levels of JSON that anybody may mean; Python itself stops at a thousand


def _json(data: str | bytes) -> Any:
    """JSON as Python has it; what Python cannot read is a string that says so.

    A client may store whatever PostgreSQL takes: thousands of levels, numbers of thousands of digits.
    """
    try:
        value = json.loads(data)
    except (RecursionError, ValueError):
        return "JSON nested too deep, or with a number too long"
    level = [value]
    for _ in range(_DEEPEST):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
    return "JSON nested too deep" if level else value


def _without_newlines(error: Exception) -> str:
    return "; ".join(line.strip() for line in str(error).splitlines() if line.strip())


def take_role(connection: Connection, role: str, *, local: bool = False) -> None:
    """Act as `scand_agent` or `scand_client` where this login may and the role has rights here.

    In a stand-alone installation there are no such roles, and any login may take any step. The session's
    mark `scand.actor` tells events and the idle clock who it is in either case.

    Args:
        local: only until the end of the transaction.

    Raises:
        ConfigError: rows are hidden from it.
    """
    actor = role.removeprefix("scand_")
    row = connection.execute(
        """SELECT set_config('scand.actor', %(actor)s, %(local)s),
                  EXISTS (SELECT FROM pg_roles
                           WHERE rolname = %(role)s AND pg_has_role(session_user, oid, 'MEMBER')
                             AND has_table_privilege(oid, 'scan_jobs', 'SELECT')) AS taken,
                  session_user AS login""",
        {"actor": actor, "role": role, "local": local},
    ).fetchone()
    if row is None:
        return
    if row["taken"]:
        scope = sql.SQL("LOCAL ") if local else sql.SQL("")
        connection.execute(sql.SQL("SET {}ROLE {}").format(scope, sql.Identifier(role)))
    require_all_rows(connection, role if row["taken"] else row["login"])
