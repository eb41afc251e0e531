"""An operator gives up a job whose document may be in the Inbox, on a NAS that never comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scand.queue import statements

if TYPE_CHECKING:
    from scand.queue.connection import Connection


def give_up(connection: Connection, job_id: int) -> bool:
    """Let a job fail with `publication_unknown`: the agent does it as soon as it finds the row.

    Args:
        connection: as the agent, or as a login that is in neither role; a member of scand_client changes nothing.
        job_id: `scan_jobs.id`.

    Returns:
        False: its document is not on its way into the Inbox, or this login may not.
    """
    rows = connection.execute(statements.load("client.sql")["give_up_unpublished"], {"id": job_id}).fetchall()
    return any(row["withdraw"] == "failed" for row in rows)
