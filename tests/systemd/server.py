"""Somebody else's PostgreSQL server in the box, which asks for a password."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.systemd.box import until

if TYPE_CHECKING:
    from tests.systemd.box import Box

SECRET = "correct-horse-battery-staple"  # noqa: S105 - what must be found nowhere
_DATA = "/var/lib/database/data"
_UNIT = [
    "systemd-run", "--quiet", "--collect", "--unit=database",
    *(f"--property={setting}" for setting in (
        "User=database", "DynamicUser=yes", "StateDirectory=database", "RuntimeDirectory=database",
    )),
]  # fmt: skip


class Server:
    """A server that is made and not started yet.

    Attributes:
        url: how to reach it from within the box.
        login: how to reach it from outside, for libpq.
    """

    def __init__(self, box: Box) -> None:
        self._box = box
        (programs,) = (box.root / "opt/scand/lib").glob("python3*/site-packages/*/pginstall18/bin")
        self._programs = f"/{programs.relative_to(box.root)}"
        self.url = f"postgresql://postgres:{SECRET}@127.0.0.1/postgres"
        self.login = f"host={box.root}/run/database user=postgres password={SECRET}"
        box.write("/run/password", SECRET)
        how = ["-U", "postgres", "--auth=scram-sha-256", "--pwfile=/run/password", "--no-sync", "-D", _DATA]
        box.run(*_UNIT, "--wait", f"{self._programs}/initdb", *how)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        how = ["-D", _DATA, "-k", "/run/database", "-h", "127.0.0.1", "-c", "fsync=off"]
        self._box.run(*_UNIT, f"{self._programs}/postgres", *how)
        asked = (f"{self._programs}/pg_isready", "--quiet", "--host=127.0.0.1")
        until(lambda: self._box.run(*asked, check=False).returncode == 0, "the database answers")

    def stop(self) -> None:
        """Stop it."""
        self._box.run("systemctl", "stop", "database")
