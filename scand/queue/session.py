"""What every session of scand relies on, whatever ALTER ROLE, ALTER DATABASE, postgresql.conf or the URL say.

A session inherits settings from all of these, and some change what a statement means or how its answer is read.
Those are set here. Others change only how fast an answer comes (`enable_*`, `work_mem`, costs), what is logged, or
where new tables lie: they are their operator's choice and are left alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import psycopg
from psycopg import sql

from scand.queue import requirements
from scand.queue.pooler import patiently, refuse_shared_session

if TYPE_CHECKING:
    from scand.queue.connection import Connection


class Setting(NamedTuple):
    """A setting of PostgreSQL, its value in scand's sessions, and what another value would do."""

    name: str
    value: str
    why: str


SETTINGS = (
    # How values are written and read.
    Setting("client_encoding", "UTF8", "titles would come as bytes, or not at all"),
    Setting("DateStyle", "ISO, MDY", "psycopg reads ISO dates only"),
    Setting("IntervalStyle", "postgres", "psycopg reads this style only"),
    Setting("TimeZone", "UTC", "a zone that this host's Python does not know cannot be read"),
    Setting("bytea_output", "hex", "psycopg reads both; one is enough"),
    Setting("extra_float_digits", "1", "seconds and percentages would lose digits"),
    Setting("standard_conforming_strings", "on", "a backslash in a literal of sql/ would be an escape"),
    Setting("backslash_quote", "safe_encoding", r"\' in a literal would be a quote, or an error"),
    Setting("array_nulls", "on", "NULL in an array would be the text NULL"),
    Setting("quote_all_identifiers", "off", "names of tables would come back in quotes"),
    # What a statement means.
    Setting("transform_null_equals", "off", "x = NULL would mean x IS NULL"),
    Setting("row_security", "off", "hidden rows would look like none; with off they are an error"),
    Setting("restrict_nonsystem_relation_kind", "", "scand's views could not be read"),
    Setting("default_transaction_isolation", "read committed", "writes would fail to serialize"),
    Setting("default_transaction_read_only", "off", "nothing could be written"),
    Setting("default_transaction_deferrable", "off", "a transaction might wait before it begins"),
    Setting("check_function_bodies", "on", "a migration with an unusable function would be applied"),
    # How long it may take: each call has its deadline in `connection`; the daemon sets shorter ones of its own.
    Setting("statement_timeout", "0", "a short one cancels what takes longer, such as a migration"),
    Setting("lock_timeout", "0", "as statement_timeout"),
    Setting("transaction_timeout", "0", "as statement_timeout; and it ends the session"),
    Setting("idle_in_transaction_session_timeout", "0", "it ends the session"),
    Setting("idle_session_timeout", "0", "it ends a session that waits for a job's next step"),
    # What a session says and does besides.
    Setting("exit_on_error", "off", "the session would end with the first refused step"),
    Setting("client_min_messages", "warning", "at debug levels each statement brings pages of text"),
    Setting("jit", "off", "compiling takes longer than any of these statements"),
)
"""Names that a server does not have (they came with later versions) are left out there."""

_SET = """
    SELECT pg_catalog.set_config(known.name, wanted.value, false)
      FROM unnest(%(names)s::text[], %(values)s::text[]) AS wanted (name, value)
      JOIN pg_catalog.pg_settings AS known ON lower(known.name) = lower(wanted.name)
"""


def prepare(connection: Connection, url: str) -> None:
    """Make a new session one that scand can rely on.

    Args:
        url: where it was opened; behind a pooler another session is opened there for a moment.

    Raises:
        ConfigError: the server or the login is not what scand needs; the sentence says what mends it.
        Unavailable: the server is a standby.
        psycopg.Error: the session has ended.
    """
    requirements.require_version(connection.info.server_version)
    refuse_shared_session(connection, url)
    patiently(lambda: connection.execute("SET statement_timeout = 0"))
    names, values = [one.name for one in SETTINGS], [one.value for one in SETTINGS]
    connection.execute(_SET, {"names": names, "values": values})
    facts = requirements.Facts.read(connection)
    requirements.require(facts)
    if facts.replication_role != "origin":
        _make_triggers_fire(connection, facts)
    if facts.synchronous_commit == "off":
        # A committed job's pages are removed in the end: its row must outlive a power cut of the server.
        connection.execute("SET synchronous_commit = local")
    # pg_catalog is searched before all that is named here, and what is temporary after it. Where there is no
    # scan_jobs yet, migrations make it in the first schema, and find a document server's tables in the others.
    path = [facts.home] if facts.home else facts.path
    named = sql.SQL(", ").join(map(sql.Identifier, [*path, "pg_temp"]))
    connection.execute(sql.SQL("SET search_path = {}").format(named))


def _make_triggers_fire(connection: Connection, facts: requirements.Facts) -> None:
    try:
        connection.execute("SET session_replication_role = origin")
    except psycopg.errors.InsufficientPrivilege as error:
        raise requirements.silent_triggers(facts) from error
