"""Debian's PgBouncer in front of a test's server."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from scand.queue.embedded.programs import Programs

if TYPE_CHECKING:
    from collections.abc import Iterator

_INI = """
[databases]
* = host={server}

[pgbouncer]
listen_addr =
listen_port = 6432
unix_socket_dir = {here}
auth_type = trust
auth_file = {here}/users
pool_mode = {mode}
server_reset_query = DISCARD ALL
logfile = {here}/log
"""


@contextmanager
def pgbouncer(url: str, mode: str, *logins: str) -> Iterator[str]:
    """A pooler in "session", "transaction" or "statement" mode: the URL of the same database through it.

    Args:
        url: of a database on a unix socket that trusts its users.
        logins: who may use it besides postgres.
    """
    server = conninfo_to_dict(url)
    here = Path(tempfile.mkdtemp(prefix="scand-", dir="/tmp"))
    try:
        (here / "users").write_text("".join(f'"{login}" ""\n' for login in ("postgres", *logins)))
        config = here / "pgbouncer.ini"
        config.write_text(_INI.format(server=server["host"], here=here, mode=mode))
        program = shutil.which("pgbouncer", path="/usr/sbin:/usr/bin")
        assert program is not None, "pgbouncer is missing: make venv"
        # It refuses to run as root, as PostgreSQL does.
        process = subprocess.Popen(
            [*Programs.find().prefix, program, "-q", config],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            through = make_conninfo(url, host=str(here), port=6432)
            _wait(through, process)
            yield through
        finally:
            process.terminate()
            process.wait(10)
    finally:
        shutil.rmtree(here)


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(200):
        assert process.poll() is None, "pgbouncer has ended"
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError(url)
