"""Who may come in, and as whom.

| login | who | how |
|---|---|---|
| `postgres` | root | by user id (peer): the superuser |
| `scand_admin` | the daemon, for migrations and grants | by secret; acts as postgres |
| `scand` | the daemon at work: scand_agent and scand_client | by secret |
| `household` | whoever can touch the socket: scand_client, and nothing more | by user id (peer) |
| any other that an operator makes | | by its password |

What the daemon may do never goes by its user id alone: drivers run under that, too.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING
from urllib.parse import quote

from scand.durable import write_atomic

if TYPE_CHECKING:
    from pathlib import Path

    from scand.queue.embedded.programs import Programs

ADMIN, DAEMON, HOUSEHOLD = "scand_admin", "scand", "household"
DATABASE = "postgres"

_SECRET = "scand.passfile"  # noqa: S105 - the file's name
"""In the data directory, mode 0600, in libpq's own format: the secrets go wherever the database goes."""

_HBA = f"""\
# scand writes this file anew at each start.
local  {DATABASE}  postgres             peer map=superuser
local  {DATABASE}  {HOUSEHOLD}            peer map=everybody
local  all       all                  scram-sha-256
"""

_IDENT = """\
# scand writes this file anew at each start.
superuser  "{root}"  postgres
everybody  "/^.*$"  {household}
"""


def secret_file(directory: Path) -> Path:
    """The passwords of the daemon's logins.

    Args:
        directory: the data directory.
    """
    return directory / _SECRET


def write_rules(directory: Path, programs: Programs) -> None:
    """Write pg_hba.conf and pg_ident.conf, whatever was there.

    Raises:
        OSError: they cannot be written.
    """
    ident = _IDENT.format(root=programs.root, household=HOUSEHOLD)
    for name, text in (("pg_hba.conf", _HBA), ("pg_ident.conf", ident)):
        write_atomic(directory / name, text.encode())


def rules(directory: Path) -> list[str]:
    """What the server is told about them: these files count, whatever ALTER SYSTEM says."""
    return [
        "-c", f"hba_file={directory / 'pg_hba.conf'}",
        "-c", f"ident_file={directory / 'pg_ident.conf'}",
        "-c", "listen_addresses=",
    ]  # fmt: skip


def make(directory: Path, programs: Programs) -> None:
    """Make the logins in a database that does not run, or give them new secrets, and nothing else.

    Raises:
        Unavailable: PostgreSQL refuses.
        OSError: the secrets cannot be written.
    """
    passwords = {login: secrets.token_urlsafe(32) for login in (ADMIN, DAEMON)}
    statements = [
        *(_CREATE.format(login=login) for login in (ADMIN, DAEMON, HOUSEHOLD)),
        *(f"ALTER ROLE {login} LOGIN PASSWORD '{password}'" for login, password in passwords.items()),
        # As postgres from its first statement, so that everything in the database has one owner.
        f"GRANT postgres TO {ADMIN}",
        f"ALTER ROLE {ADMIN} SET role = 'postgres'",
        # However many sessions a household leaves open, the daemon gets one.
        f"ALTER ROLE {HOUSEHOLD} LOGIN PASSWORD NULL CONNECTION LIMIT 60",
    ]
    # Single-user mode asks nobody for a password; a statement a line.
    options = (
        "-c",
        "exit_on_error=true",
        "-c",
        "password_encryption=scram-sha-256",
        "-c",
        "log_statement=none",
    )
    programs.run(
        "postgres", "--single", "-D", directory, *options, DATABASE, said="\n".join(statements) + "\n"
    )
    lines = (f"*:*:*:{login}:{password}\n" for login, password in passwords.items())
    write_atomic(secret_file(directory), "".join(lines).encode(), 0o600)


def login_url(login: str, socket_directory: str | Path, port: str | int, secret: Path | None = None) -> str:
    """A URL for libpq.

    Args:
        secret: the file that has the login's password, which stays out of the URL.
    """
    passfile = f"&passfile={quote(str(secret))}" if secret else ""
    return f"postgresql://{login}@/{DATABASE}?host={quote(str(socket_directory))}&port={port}{passfile}"


_CREATE = """\
DO $$BEGIN IF to_regrole('{login}') IS NULL THEN CREATE ROLE {login}; END IF; END$$"""
