"""How a client finds the embedded database while the daemon runs, and what a person is told who cannot."""

from __future__ import annotations

import grp
import os
import pwd
from pathlib import Path

from scand.errors import ConfigError, Unavailable
from scand.queue.embedded import logins
from scand.queue.embedded.postmaster import PID_FILE
from scand.queue.embedded.socket_place import PORT, SOCKET

SERVICE = Path("/run/scand")
"""The unit's RuntimeDirectory."""

_SERVICE_USER = "scand"
_UNITS = ("/etc/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system")
_PORT_LINE, _SOCKET_LINE = 3, 4  # of postmaster.pid


def url(directory: Path) -> str:
    """For a client, as the login `household`.

    Args:
        directory: PGDATA.

    Raises:
        Unavailable: the database does not run: it does so while the daemon runs.
        ConfigError: this user may not reach it.
    """
    try:
        port, place = _listening(directory)
    except PermissionError as error:
        if _is_the_services(directory):
            return running_service_url()
        raise Unavailable(
            f"The embedded database below {directory.parent} belongs to another user: run this as that user, "
            "or as root."
        ) from error
    return logins.login_url(logins.HOUSEHOLD, place, port)


def maintenance_url(directory: Path) -> str:
    """For `scand migrate`, as the superuser; as `daemon_url`."""
    return _by_secret(directory, logins.ADMIN)


def daemon_url(directory: Path) -> str:
    """For `scand purge`, which does the daemon's work beside it.

    Args:
        directory: PGDATA.

    Raises:
        Unavailable: the database does not run.
        ConfigError: this user may not know the secret: only the daemon's user and root may.
    """
    return _by_secret(directory, logins.DAEMON)


def _by_secret(directory: Path, login: str) -> str:
    secret = logins.secret_file(directory)
    try:
        port, place = _listening(directory)
        readable = os.access(secret, os.R_OK)
    except PermissionError:
        readable = False
    if not readable:
        raise ConfigError(
            f"Only root and the daemon's user may change the embedded database below {directory.parent}: "
            "run this with sudo."
        )
    return logins.login_url(login, place, port, secret)


def running_service_url(service: Path = SERVICE) -> str:
    """For a client that may read neither the service's config nor its staging directory.

    Args:
        service: the unit's runtime directory.

    Raises:
        Unavailable: the service does not run, or has its queue in a server.
        ConfigError: this user is not in the group whose members may use it.
    """
    socket = service / SOCKET
    if not socket.exists():
        raise Unavailable(
            f"The embedded database does not run ({socket} is not there): start the daemon with "
            f"`{_start_command(services=True)}`. If the queue is on a PostgreSQL server, set SCAND_DATABASE_URL."
        )
    if not os.access(socket, os.R_OK | os.W_OK):
        raise ConfigError(_outsider(socket))
    return logins.login_url(logins.HOUSEHOLD, service, PORT)


def _listening(directory: Path) -> tuple[str, str]:
    """Port and directory of the socket.

    Raises:
        Unavailable: it does not run, or not yet.
        PermissionError: the directory is another user's.
    """
    try:
        lines = (directory / PID_FILE).read_text().splitlines()
    except (FileNotFoundError, NotADirectoryError) as error:
        command = _start_command(services=_owner(directory.parent) == _SERVICE_USER)
        raise Unavailable(
            f"The embedded database below {directory.parent} does not run: start the daemon with `{command}`."
        ) from error
    if len(lines) <= _SOCKET_LINE:
        raise Unavailable("The embedded database is starting: try again.")
    return lines[_PORT_LINE], lines[_SOCKET_LINE]


def _start_command(*, services: bool) -> str:
    installed = any((Path(place) / "scand.service").exists() for place in _UNITS)
    return "sudo systemctl start scand" if services and installed else "scand run"


def _outsider(socket: Path) -> str:
    """What somebody is told who may not touch the socket."""
    user = pwd.getpwuid(os.geteuid()).pw_name
    group = grp.getgrgid(socket.stat().st_gid)
    if user in group.gr_mem:
        return f"You ({user}) are in the group {group.gr_name} from your next login on: log out and in again."
    if group.gr_name == _SERVICE_USER:
        return "Only root may use this scand: run this with sudo."
    return (
        f"You ({user}) are not in the group {group.gr_name}, whose members may use scand: "
        f"run `sudo usermod -aG {group.gr_name} {user}`, then log out and in again."
    )


def _is_the_services(directory: Path) -> bool:
    """Whether the service that runs is the one whose staging directory this is."""
    owner = _owner(directory.parent)
    return owner is not None and owner == _owner(SERVICE)


def _owner(path: Path) -> str | None:
    try:
        return pwd.getpwuid(path.stat().st_uid).pw_name
    except (OSError, KeyError):
        return None
