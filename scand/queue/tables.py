"""What scand needs of its tables: all of them, every row, the rights, and no stranger's functions among them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psycopg import sql
from psycopg.rows import scalar_row, tuple_row

from scand.errors import ConfigError
from scand.queue.requirements import ROLES, quoted, set_path

if TYPE_CHECKING:
    import psycopg

    from scand.queue.connection import Connection

TABLES = (
    "scan_jobs",
    "scan_job_batches",
    "scan_job_pages",
    "scan_agent_status",
    "scan_job_transitions",
    "scan_job_events",
    "scand_installation",
    "scand_migrations",
)
"""Without these no daemon works. Policies of row-level security on them could hide a job from it."""

_DOCUMENTS = """
    SELECT n.nspname::text, pg_catalog.current_schemas(false)::text[], session_user::text,
           pg_catalog.current_database()::text
      FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relname = 'documents'::name AND c.relkind IN ('r'::"char", 'p'::"char", 'v'::"char")
       AND c.relpersistence <> 't'::"char" AND pg_catalog.to_regclass('documents') IS NULL
     ORDER BY n.nspname LIMIT 1
"""

_ANEW = (
    "DROP TABLE IF EXISTS scan_job_batches, scan_job_pages, scan_job_events, scan_agent_status, "
    "scand_migrations CASCADE"
)

_GONE = """
    SELECT ours.name FROM pg_catalog.unnest(%(tables)s::text[]) AS ours (name)
     WHERE pg_catalog.to_regclass(ours.name) IS NULL
"""

_RIGHTS = """
    SELECT session_user::text AS login,
           pg_catalog.has_column_privilege('scan_jobs', 'status', 'UPDATE')
           AND pg_catalog.has_table_privilege('scan_job_batches', 'INSERT')
           AND pg_catalog.has_table_privilege('scan_agent_status', 'UPDATE') AS all_of_it
"""

_OPEN = """
    SELECT pg_catalog.quote_ident(n.nspname::text)
      FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE c.oid = pg_catalog.to_regclass('scan_jobs')::oid
       AND pg_catalog.has_schema_privilege('public', n.oid, 'CREATE')
"""

_TOLD = 3
"""Functions that a sentence names."""

# Not of a superuser, of this login, or of an extension.
_PLANTED = """
    WITH here AS (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = pg_catalog.current_schema())
    SELECT made.what
      FROM (SELECT 'the function ' || p.oid::regprocedure::text AS what, p.proowner AS owner,
                   p.oid, 'pg_proc'::regclass AS kind
              FROM pg_catalog.pg_proc p
             WHERE p.pronamespace = (SELECT oid FROM here)
               AND EXISTS (SELECT FROM pg_catalog.pg_proc b
                            WHERE b.proname = p.proname AND b.pronamespace = 'pg_catalog'::regnamespace)
            UNION ALL
            SELECT 'the operator ' || o.oid::regoperator::text, o.oprowner, o.oid, 'pg_operator'::regclass
              FROM pg_catalog.pg_operator o
             WHERE o.oprnamespace = (SELECT oid FROM here)) AS made
      JOIN pg_catalog.pg_roles r ON r.oid = made.owner
     WHERE NOT r.rolsuper AND r.rolname <> current_user
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                        WHERE d.classid = made.kind AND d.objid = made.oid AND d.deptype = 'e'::"char")
     ORDER BY made.what
"""

_HIDDEN = """
    SELECT c.relname::text
      FROM pg_catalog.unnest(%(tables)s::text[]) AS ours (name)
      JOIN pg_catalog.pg_class c ON c.oid = pg_catalog.to_regclass(ours.name)::oid
     WHERE pg_catalog.row_security_active(c.oid)
     ORDER BY c.relname
"""


def require_one_documents(connection: psycopg.Connection[Any]) -> None:
    """Before the first migration: refuse to make a `documents` table beside one that this login does not see.

    Raises:
        ConfigError: there is one in a schema that the search_path does not name.
    """
    row = connection.cursor(row_factory=tuple_row).execute(_DOCUMENTS).fetchone()
    if row is None:
        return
    schema, path, login, database = row
    raise ConfigError(
        f"There is a table documents in the schema {schema}, which the search_path of this login ({quoted(path)}) "
        "does not name, and scand would make a second one. If it is the table of your documents, name it: "
        f"{set_path(login, database, [*path, schema])}. If it is another program's, give scand a database of its "
        "own. Nothing was changed in this database."
    )


def require_tables(connection: psycopg.Connection[Any]) -> None:
    """Refuse a database some of whose tables were dropped after they were made.

    Raises:
        ConfigError: which, and how they come back.
    """
    rows = connection.cursor(row_factory=tuple_row).execute(_GONE, {"tables": list(TABLES)}).fetchall()
    if rows:
        gone = " and ".join(name for (name,) in rows)
        # New jobs would have the numbers of old ones: what belonged to those goes, too.
        mend = _ANEW if ("scan_jobs",) in rows else "DELETE FROM scand_migrations"
        raise ConfigError(
            f"The table {gone} was dropped: restore it from a backup. Or have it made anew, empty: say {mend} as "
            'the owner, then run "scand migrate".'
        )


def require_agents_rights(connection: Connection) -> None:
    """Refuse a session that may not write what the agent writes.

    Raises:
        ConfigError: it may not.
    """
    row = connection.execute(_RIGHTS).fetchone()
    if row is not None and not row["all_of_it"]:
        raise ConfigError(f'The login "{row["login"]}" may not write what the daemon has to: {ROLES}.')


def hidden_tables(connection: Connection) -> list[str]:
    """The tables of scand some of whose rows may be hidden from the current role."""
    cursor = connection.cursor(row_factory=scalar_row).execute(_HIDDEN, {"tables": list(TABLES)})
    return cursor.fetchall()


def require_nothing_planted(connection: psycopg.Connection[Any]) -> None:
    """Refuse to migrate where another login's functions might run in the place of PostgreSQL's own.

    Raises:
        ConfigError: it names them; they may be another program's, too.
    """
    rows = connection.cursor(row_factory=tuple_row).execute(_PLANTED).fetchall()
    if rows:
        told = ", ".join(what for (what,) in rows[:_TOLD]) + (", and more" if len(rows) > _TOLD else "")
        raise ConfigError(
            f"In the schema of scand's tables another login has made {told}, with names of PostgreSQL's own: they "
            "might run with the rights of whoever migrates. Remove them, or give scand a schema or a database of "
            "its own. Nothing was changed in this database."
        )


def open_schemas(connection: Connection) -> list[str]:
    """The schema of scan_jobs, quoted, if everybody may make things in it, as before PostgreSQL 15."""
    return connection.cursor(row_factory=scalar_row).execute(_OPEN).fetchall()


def require_all_rows(connection: Connection, role: str) -> None:
    """Refuse to work with tables whose rows are hidden: those look like none.

    Args:
        role: the current role, for the sentence.

    Raises:
        ConfigError: row-level security is on in one of them, and holds for this role.
    """
    if tables := hidden_tables(connection):
        name = sql.Identifier(role).as_string()
        off = "; ".join(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY" for table in tables)
        raise ConfigError(
            f"Row-level security is on for {' and '.join(tables)} and hides rows from {role}; a hidden job is "
            f"never scanned. As a superuser: ALTER ROLE {name} BYPASSRLS. Or as the owner: {off}."
        )
