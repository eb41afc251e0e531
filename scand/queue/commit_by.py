"""Who commits: `[commit] by` of the config and the client's step in the database must say the same.

If the agent and a client both did, there would be two files; if neither did, a job would wait for ever.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from scand.errors import ConfigError
from scand.queue.statements import read_sql

if TYPE_CHECKING:
    from scand.queue.connection import Connection

    Committer = Literal["agent", "client"]

_ASK = """
    SELECT scand_owns_documents() AS ours, EXISTS (
        SELECT FROM scan_job_transitions
         WHERE from_status = 'committing' AND to_status = 'committed' AND actor = 'client') AS clients
"""


def check(connection: Connection, by: Committer | None) -> None:
    """Compare the config with the database.

    Args:
        by: `commit.by`; None: it is not written.

    Raises:
        ConfigError: they disagree, or the database is a document server's and the config does not say.
    """
    row = connection.execute(_ASK).fetchone()
    if row is None:
        return
    if by is None and not row["ours"]:
        raise ConfigError(
            "This database belongs to a document server, which may put documents into the Inbox by itself: if "
            'both did, there would be two files. Write [commit] by = "agent" (scand commits) or by = "client" '
            "(the server does; then run `scand migrate --commit-by client`, too) into the config."
        )
    if by == "client" and not row["clients"]:
        raise ConfigError(
            'The config says [commit] by = "client", but clients cannot commit in this database yet: run '
            "`scand migrate --commit-by client`."
        )
    if by != "client" and row["clients"]:
        raise ConfigError(
            "Clients of this database commit by themselves, and by the config scand does, too: there could be two "
            "files. Run `scand migrate --commit-by agent` so that only scand does, or write [commit] by = "
            '"client" into the config.'
        )


def settle(connection: Connection, by: Committer) -> None:
    """Make the database say so; run as the owner of the tables."""
    connection.execute(read_sql(f"{by}-commits.sql").encode())
