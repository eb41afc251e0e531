"""Where the server's socket lies, and who may touch it."""

from __future__ import annotations

import grp
import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from scand.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

HOUSEHOLD_GROUP = "scand-users"
"""The Unix group whose members may use scand (systemd/scand.sysusers)."""

PORT = 5432
SOCKET = f".s.PGSQL.{PORT}"
"""The socket's name in its directory. Source: PostgreSQL, unix_socket_directories."""

_LONGEST = 107
"""Bytes of a unix socket's path. Source: unix(7)."""


class SocketPlace(NamedTuple):
    """A directory for the socket.

    Attributes:
        directory: nobody but us makes files in it.
        group: whose members may touch the socket; empty: only its owner, and root.
    """

    directory: Path
    group: str = ""

    @classmethod
    def choose(cls, data: Path, environ: Mapping[str, str]) -> SocketPlace:
        """Under systemd the unit's runtime directory, else the data directory, which is private.

        Args:
            data: the data directory.
            environ: RUNTIME_DIRECTORY. Source: systemd.exec(5), RuntimeDirectory=.

        Raises:
            ConfigError: the path of a socket there would be too long, or could not be written in a URL.
        """
        runtime = environ.get("RUNTIME_DIRECTORY", "").split(":")[0]
        place = cls(Path(runtime), _household()) if runtime and _is_ours(Path(runtime)) else cls(data)
        excess = len(os.fsencode(place.directory / SOCKET)) - _LONGEST
        if excess > 0:
            raise ConfigError(
                f"staging.dir is too long by {excess} bytes: the socket of the embedded database would be "
                f"{place.directory / SOCKET}, and the path of a unix socket has {_LONGEST} bytes at most. "
                "Choose a shorter staging.dir."
            )
        if "," in str(place.directory):
            raise ConfigError(
                f"The socket of the embedded database would lie in {place.directory}, and to PostgreSQL a comma "
                "ends a path: choose a staging.dir without one."
            )
        return place

    @property
    def lock(self) -> Path:
        """PostgreSQL's lock on the socket's name."""
        return self.directory / f"{SOCKET}.lock"

    def options(self) -> list[str]:
        """What the server is told about it."""
        quoted = '"{}"'.format(str(self.directory).replace('"', '""'))
        group = ["-c", f"unix_socket_group={self.group}"] if self.group else []
        mode = "0770" if self.group else "0700"
        return ["-k", quoted, "-p", str(PORT), *group, "-c", f"unix_socket_permissions={mode}"]


def _household() -> str:
    """The household's group, if there is one and we are in it: only then may we give it the socket."""
    try:
        group = grp.getgrnam(HOUSEHOLD_GROUP)
    except KeyError:
        return ""
    return HOUSEHOLD_GROUP if group.gr_gid in {*os.getgroups(), os.getegid()} else ""


def _is_ours(directory: Path) -> bool:
    try:
        return directory.is_dir() and directory.stat().st_uid == os.geteuid()
    except OSError:
        return False
