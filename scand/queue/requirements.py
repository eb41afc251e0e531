"""What scand needs of a database and its login: one sentence for each that is missing, with what mends it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg import sql
from psycopg.rows import class_row

from scand.errors import ConfigError, ScandError, Unavailable

if TYPE_CHECKING:
    from scand.queue.connection import Connection

OLDEST = 14
"""PostgreSQL's major version: functions whose body is a RETURN, and CREATE OR REPLACE TRIGGER, came with it."""

ROLES = (
    "run `scand migrate --roles` as the owner of the tables, and GRANT scand_client, scand_agent TO the login"
)
"""What gives a daemon's login its rights."""

_FACTS = """
    SELECT pg_catalog.current_database()::text AS database, session_user::text AS login,
           pg_catalog.pg_is_in_recovery() AS standby,
           pg_catalog.current_setting('server_encoding') AS encoding,
           pg_catalog.current_setting('session_replication_role') AS replication_role,
           pg_catalog.current_setting('synchronous_commit') AS synchronous_commit,
           pg_catalog.current_schemas(false)::text[] AS path,
           (SELECT n.nspname::text
              FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
             WHERE c.oid = pg_catalog.to_regclass('scan_jobs')::oid) AS home,
           ARRAY(SELECT n.nspname::text
                   FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                  WHERE c.relname = 'scan_jobs'::name AND c.relkind = 'r'::"char"
                    AND c.relpersistence <> 't'::"char"
                  ORDER BY n.nspname) AS homes,
           ARRAY(SELECT n.nspname::text
                   FROM pg_catalog.pg_namespace n
                  WHERE pg_catalog.has_schema_privilege(n.oid, 'USAGE')) AS usable
"""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a session is like.

    Attributes:
        database: its name.
        login: the session's, whatever role it has taken since.
        standby: the server takes no writes.
        encoding: the database's.
        replication_role: "origin", or triggers do not fire.
        synchronous_commit: as PostgreSQL has it.
        path: schemas in the search_path that there are and that this login may use.
        home: the schema in which it finds scan_jobs; None: in none of them.
        homes: every schema with a scan_jobs.
        usable: every schema that this login may use.
    """

    database: str
    login: str
    standby: bool
    encoding: str
    replication_role: str
    synchronous_commit: str
    path: list[str]
    home: str | None
    homes: list[str]
    usable: list[str]

    @classmethod
    def read(cls, connection: Connection) -> Facts:
        """Ask the server.

        Raises:
            psycopg.Error: the session has ended.
        """
        with connection.cursor(row_factory=class_row(cls)) as cursor:
            found = cursor.execute(_FACTS).fetchone()
        assert found is not None  # noqa: S101 - a SELECT without FROM has one row
        return found


def require_version(version: int) -> None:
    """Refuse a server that is too old, before anything is asked of it.

    Args:
        version: as libpq has it: 140023 for 14.23.

    Raises:
        ConfigError: it is.
    """
    major, minor = divmod(version, 10_000)
    if major < OLDEST:
        raise ConfigError(
            f"The database's server is PostgreSQL {major}.{minor}: scand needs {OLDEST} or later. Upgrade the "
            "server, or set database.url to another."
        )


def require(facts: Facts) -> None:
    """Refuse a session with which no work can be done.

    Raises:
        ConfigError, Unavailable: the first thing that is wrong.
    """
    if (error := _missing(facts)) is not None:
        raise error


def _missing(facts: Facts) -> ScandError | None:
    if facts.standby:
        return Unavailable(
            "The database is a standby, which takes no writes: point database.url at the primary server. With "
            "several hosts in the URL, target_session_attrs=read-write finds it."
        )
    if facts.encoding != "UTF8":
        return ConfigError(
            f"The encoding of the database {facts.database} is {facts.encoding}, in which not every title can be "
            "written: make one with CREATE DATABASE documents ENCODING 'UTF8' TEMPLATE template0, and set "
            "database.url to it."
        )
    if facts.home is not None or not facts.homes:
        return None
    where = quoted(facts.homes)
    if not set(facts.homes).intersection(facts.usable):
        return ConfigError(
            f"The login {facts.login} may not use the schema {where}, in which scan_jobs is: {ROLES} "
            "(a client needs scand_client only)."
        )
    return ConfigError(
        f"scan_jobs is in the schema {where}, which the search_path of this login ({quoted(facts.path)}) does not "
        f"name. Name it: {set_path(facts.login, facts.database, facts.homes[:1])}. If the URL has a search_path "
        "in its options, mend it there."
    )


def silent_triggers(facts: Facts) -> ConfigError:
    """For a login that is made to skip all triggers, and may not change it."""
    role = sql.Identifier(facts.login).as_string()
    return ConfigError(
        f"session_replication_role is {facts.replication_role} for the login {facts.login}: no trigger fires, and "
        f"steps would be neither checked nor recorded. Mend it: ALTER ROLE {role} RESET session_replication_role."
    )


def set_path(login: str, database: str, path: list[str]) -> str:
    """The statement that makes a login look in these schemas."""
    statement = sql.SQL("ALTER ROLE {} IN DATABASE {} SET search_path = {}")
    names = sql.SQL(", ").join(map(sql.Identifier, path))
    return statement.format(sql.Identifier(login), sql.Identifier(database), names).as_string()


def quoted(names: list[str]) -> str:
    """Names of schemas, for a sentence."""
    return " and ".join(f'"{name}"' for name in names) or "none that there is"
