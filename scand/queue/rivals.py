"""Who else uses the database: who led last, who has the daemon's lock, and who has locked the queue's tables."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import psycopg

from scand.errors import Unavailable
from scand.queue.statements import AGENT_LOCK

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scand.queue.results import AgentQueue


def leader(queue: AgentQueue) -> tuple[str, int]:
    """Who led last, for a person ("scanhost, pid 4711"), and with which epoch; 0 where nobody is known."""
    rows = queue.run("leader")
    if not rows:
        return "a session that scan_agent_status does not show", 0
    return f"{rows[0]['hostname'] or 'another host'}, pid {rows[0]['pid']}", rows[0]["epoch"]


def join(queue: AgentQueue) -> None:
    """Write in the name of the daemon that led last; once another does, nothing more is written.

    Raises:
        Unavailable: none has led.
    """
    rows = queue.run("leader")
    if not rows:
        raise Unavailable("No daemon serves this database: start one (systemctl start scand).")
    queue.epoch = rows[0]["epoch"]


def stranger(queue: AgentQueue) -> str:
    """Who has the advisory lock without being a daemon, and what to do; "" if nobody has it, or a daemon."""
    rows = queue.run("lock_holder", lock=AGENT_LOCK)
    if not rows or rows[0]["application_name"] == queue.connection.info.get_parameters()["application_name"]:
        return ""
    return (
        f"{_session(rows[0])} has taken the advisory lock of scand's daemon: end it with "
        f"SELECT pg_terminate_backend({rows[0]['pid']})"
    )


def refusal(queue: AgentQueue, error: psycopg.Error) -> str:
    """Why the database did not run a statement, and for a lock: who has it, and what to do."""
    if isinstance(error, psycopg.errors.LockNotAvailable):
        with suppress(psycopg.Error):
            return _blocker(queue)
    if isinstance(error, psycopg.errors.DeadlockDetected):
        return (
            "another session and this one waited for each other's locks, and PostgreSQL let the other go on"
        )
    return f"the database refuses: {error}"


def _blocker(queue: AgentQueue) -> str:
    rows = queue.run("blocker")
    if not rows:
        return "another session holds a lock on the queue: see pg_locks"
    row = rows[0]
    return (
        f"{row['relation']} is locked ({row['mode']}) by {_session(row)}, since {row['since']}: "
        f"wait for it, or end it with SELECT pg_terminate_backend({row['pid']})"
    )


def _session(row: Mapping[str, Any]) -> str:
    """A session, for a person: 'database session 4711 (login "web", application "psql")'."""
    named = {"login": row["usename"], "application": row["application_name"]}
    about = ", ".join(f'{what} "{name}"' for what, name in named.items() if name)
    return f"database session {row['pid']}" + (f" ({about})" if about else "")
