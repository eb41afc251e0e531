"""The schema: brought up to date by `scand migrate`, compared with the code whenever a daemon starts.

A migration is a file `sql/migrations/NNNN_name.sql`. It runs once, in one transaction with its row in
`scand_migrations`. After a release it changes only so that more servers take it, and then names its former
checksum. What is in the way of one (a role without the rights, tables of another shape) is told in a sentence, and
nothing of that file is applied.
"""

from __future__ import annotations

import hashlib
import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.rows import tuple_row

from scand.errors import ConfigError, TryAgain
from scand.jobs.lifecycle import CLIENT_COMMITS, STEPS, Status
from scand.queue import requirements, tables
from scand.queue.statements import MIGRATION_LOCK, read_sql, sql_directory

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import LiteralString

    Connection = psycopg.Connection[Any]

LONGEST_STATEMENT = 3600.0
"""Seconds for one statement of a migration: on a big table it rewrites or indexes all of it."""

_FORMER = re.compile(r"^-- Former SHA-256: ([0-9a-f]{64})$", re.MULTILINE)

_TOLD = 3
"""Steps that a sentence names; more would hide what to do."""

_STEPS: LiteralString = "SELECT from_status, to_status, actor FROM scan_job_transitions"

_LOG = """
    CREATE TABLE IF NOT EXISTS scand_migrations (
        version    INTEGER     PRIMARY KEY,
        name       TEXT        NOT NULL,
        checksum   CHAR(64)    NOT NULL,
        applied_at TIMESTAMPTZ NOT NULL DEFAULT now()
    )"""


@dataclass(frozen=True, slots=True)
class _Migration:
    """One file. `name` is its name without ".sql"; `checksum` is the SHA-256 of its text, in hex.

    `former` are those of its earlier texts, which did the same on fewer servers; the file names them.
    """

    version: int
    name: str
    checksum: str
    former: frozenset[str]
    sql: str


def migrate(connection: Connection, *, patience: float = 30.0) -> list[str]:
    """Bring the schema up to date, and put back rows of its own that somebody removed; else do nothing.

    Args:
        connection: a session outside any transaction, as the owner of the tables or a superuser.
        patience: seconds to wait for another `scand migrate`, and for each table that is in use.

    Returns:
        The names of the migrations that were applied, in order.

    Raises:
        ConfigError: the database is newer than this scand, a migration was changed after it was applied, or
            one does not fit this database.
        TryAgain: somebody else had a lock for all of `patience`.
    """
    files = _files()
    requirements.require_version(connection.info.server_version)
    with _told(), _alone(connection, patience):
        applied = _applied(connection)
        pending = _pending(files, applied)
        if pending:
            _require_utf8(connection)
            with connection.transaction():
                tables.require_nothing_planted(connection)
        if not applied:
            with connection.transaction():
                tables.require_one_documents(connection)
        for migration in pending:
            with _explained(migration), _transaction(connection, patience):
                connection.execute(_LOG)
                connection.execute(migration.sql.encode())
                connection.execute(
                    "INSERT INTO scand_migrations (version, name, checksum) VALUES (%s, %s, %s)",
                    (migration.version, migration.name, migration.checksum),
                )
        with _transaction(connection, patience):
            tables.require_tables(connection)
            _put_back(connection)
    return [migration.name for migration in pending]


def _put_back(connection: Connection) -> None:
    """The rows without which no daemon works, where they are missing. A comment keeps the id, too."""
    for step in sorted(set(STEPS) - set(_rows(connection, _STEPS)), key=str):
        connection.execute(
            "INSERT INTO scan_job_transitions (from_status, to_status, actor) VALUES (%s, %s, %s)", step
        )
    connection.execute(
        "INSERT INTO scand_installation (id)"
        " SELECT coalesce(obj_description('scand_installation'::regclass)::uuid, gen_random_uuid())"
        " WHERE NOT EXISTS (SELECT FROM scand_installation)"
    )
    connection.execute(
        "INSERT INTO scan_agent_status (id, epoch) SELECT 1, pg_current_xact_id()::text::bigint"
        " WHERE NOT EXISTS (SELECT FROM scan_agent_status)"
    )


def check(connection: Connection) -> None:
    """Compare the schema with what this code was written for.

    Raises:
        ConfigError: the schema is older or newer, holds other steps or statuses than `lifecycle`, or has lost
            its id.
    """
    with connection.transaction():
        pending = _pending(_files(), _applied(connection))
        if pending:
            raise ConfigError(
                f"the database's schema is older than this scand ({pending[0].name} is missing): "
                'run "scand migrate"'
            )
        tables.require_tables(connection)
        steps = _rows(connection, _STEPS)
        installations = _rows(connection, "SELECT id FROM scand_installation")
        statuses = _rows(connection, "SELECT pg_catalog.unnest(scand_job_statuses())")

    if statuses != [(status,) for status in Status]:
        raise ConfigError("scand_job_statuses() of the database has other statuses than this scand knows")
    if not installations:
        raise ConfigError('scand_installation has lost its row, the id of this database: run "scand migrate"')
    _compare_steps(set(steps))


def _compare_steps(found: set[tuple[Any, ...]]) -> None:
    expected: set[tuple[Any, ...]] = set(STEPS)
    missing, foreign = expected - found, found - expected - {CLIENT_COMMITS}
    differences = [
        *(f"it lacks {_spell(step)}" for step in sorted(missing, key=str)[:_TOLD]),
        *(f"it has {_spell(step)}" for step in sorted(foreign, key=str)[:_TOLD]),
    ]
    if len(missing) > _TOLD or len(foreign) > _TOLD:
        differences.append("and more")
    mends = ['run "scand migrate"'] * bool(missing) + ["remove what scand did not write"] * bool(foreign)
    if differences:
        found_wrong = "; ".join(differences)
        raise ConfigError(f"scan_job_transitions is not this scand's: {found_wrong}: {', and '.join(mends)}")


def _spell(step: tuple[Any, ...]) -> str:
    from_status, to_status, actor = step
    return f"{from_status or '(new row)'} → {to_status} for the {actor}"


def _files() -> list[_Migration]:
    found = []
    for path in sorted((sql_directory() / "migrations").glob("[0-9][0-9][0-9][0-9]_*.sql")):
        sql = read_sql(f"migrations/{path.name}")
        checksum = hashlib.sha256(sql.encode()).hexdigest()
        former = frozenset(_FORMER.findall(sql))
        found.append(_Migration(int(path.stem[:4]), path.stem, checksum, former, sql))
    return found


def _applied(connection: Connection) -> dict[int, tuple[str, str]]:
    """The database's migrations: version → (name, checksum)."""
    with connection.transaction():
        if _rows(connection, "SELECT to_regclass('scand_migrations')") == [(None,)]:
            return {}
        try:
            rows = _rows(connection, "SELECT version, name, checksum FROM scand_migrations")
        except psycopg.errors.InsufficientPrivilege as error:
            raise ConfigError(
                f"{error.diag.message_primary}: {requirements.ROLES} (a client needs scand_client only; this "
                f'login is "{connection.info.user}")'
            ) from error
    return {version: (name, checksum) for version, name, checksum in rows}


def _rows(connection: Connection, query: LiteralString) -> list[tuple[Any, ...]]:
    """All rows as tuples, whatever rows the caller's connection makes."""
    return connection.cursor(row_factory=tuple_row).execute(query).fetchall()


def _pending(files: Sequence[_Migration], applied: dict[int, tuple[str, str]]) -> list[_Migration]:
    """The migrations still to run.

    Raises:
        ConfigError: what was applied is not a part of what is here.
    """
    here = {migration.version: migration for migration in files}
    for version, (name, checksum) in sorted(applied.items()):
        if version not in here:
            raise ConfigError(
                f"this scand is older than the database (which has migration {name}): upgrade scand"
            )
        if checksum not in {here[version].checksum, *here[version].former}:
            raise ConfigError(
                f"migration {name} was changed after it was applied to this database: "
                "install the scand that applied it, or restore its file"
            )
    return [migration for migration in files if migration.version not in applied]


@contextmanager
def _alone(connection: Connection, patience: float) -> Iterator[None]:
    """Hold the migration lock of this database."""
    with _transaction(connection, patience):
        connection.execute("SELECT pg_advisory_lock(%s)", (MIGRATION_LOCK,))
    try:
        yield
    finally:
        # A session that broke has lost its lock already.
        if not connection.broken:
            with connection.transaction():
                connection.execute("SELECT pg_advisory_unlock(%s)", (MIGRATION_LOCK,))


@contextmanager
def _transaction(connection: Connection, patience: float) -> Iterator[None]:
    """A transaction that waits for locks so long and no longer, whatever else this login has set."""
    with connection.transaction():
        connection.execute("SELECT set_config('statement_timeout', '0', true)")
        connection.execute("SELECT set_config('lock_timeout', %s, true)", (f"{round(patience * 1000)}ms",))
        yield


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected) as error:
        raise TryAgain(
            f"another session is in the way ({error.diag.message_primary}): is another "
            '"scand migrate" running, or a transaction that was never ended? Try again'
        ) from error


@contextmanager
def _explained(migration: _Migration) -> Iterator[None]:
    try:
        yield
    except psycopg.OperationalError:
        raise  # the connection, a lock, a full disk: not the migration's fault
    except psycopg.errors.InsufficientPrivilege as error:
        raise ConfigError(
            f"migration {migration.name}: {error.diag.message_primary}: "
            'run "scand migrate" as the owner of the tables or as a superuser'
        ) from error
    except psycopg.DatabaseError as error:
        raise ConfigError(
            f"migration {migration.name} does not fit this database, and nothing of it was applied: "
            f"{error.diag.message_primary}"
        ) from error


def _require_utf8(connection: Connection) -> None:
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise ConfigError(
            f"the database's encoding is {encoding}, in which not every title can be written: use UTF8"
        )
