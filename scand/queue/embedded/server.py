"""A server of scand's own: made on first use, found again after a kill of the daemon, else started."""

from __future__ import annotations

import os
import pwd
import shutil
from typing import TYPE_CHECKING

from scand.durable import sync_directory
from scand.errors import ConfigError, ScandError, Unavailable
from scand.queue.embedded import logins
from scand.queue.embedded.postmaster import PID_FILE, Postmaster, forget_dead
from scand.queue.embedded.programs import Programs
from scand.queue.embedded.socket_place import PORT, SocketPlace

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_BUILTIN_LOCALE = 17
"""The first PostgreSQL with a Unicode locale of its own, which needs nothing of the machine."""


class Server:
    """A server that takes connections.

    Attributes:
        directory: PGDATA.
        admin_url: of the daemon's login that becomes the superuser.
        daemon_url: of the daemon's login for its work.
        secret: the file with the passwords of both.
    """

    def __init__(self, directory: Path, place: SocketPlace, postmaster: Postmaster) -> None:
        self.directory, self._postmaster = directory, postmaster
        self.secret = logins.secret_file(directory)
        self.admin_url = logins.login_url(logins.ADMIN, place.directory, PORT, self.secret)
        self.daemon_url = logins.login_url(logins.DAEMON, place.directory, PORT, self.secret)

    def alive(self) -> bool:
        """Whether it runs."""
        return self._postmaster.alive()

    def stop(self) -> None:
        """Stop it in good order."""
        self._postmaster.stop()


def start(directory: Path, environ: Mapping[str, str]) -> Server:
    """Start the server, or find it running; made anew on first use.

    Nothing outside the directory is changed, apart from the socket.

    Args:
        directory: PGDATA; it and its parents are made.
        environ: see `SocketPlace.choose`.

    Raises:
        ConfigError: the path is too long, the directory is another user's, or the programs are not there.
        Unavailable: PostgreSQL does not start; its log is named.
    """
    place = SocketPlace.choose(directory, environ)
    try:
        _check_owner(directory)
        programs = Programs.find(_version(directory))
        return Server(directory, place, _run(directory, place, programs))
    except OSError as error:
        raise Unavailable(f"The embedded PostgreSQL does not start ({error}).") from error


def _run(directory: Path, place: SocketPlace, programs: Programs) -> Postmaster:
    options = ["-D", str(directory), *place.options(), *logins.rules(directory)]
    running = Postmaster.find(directory)
    if running is not None:
        as_now = running.arguments() == programs.arguments("postgres", *options)
        if as_now and logins.secret_file(directory).exists():
            return _ready(running)
        running.stop()  # an older scand's, which let everybody in, or one whose secrets nobody knows any more
    _prepare(directory, programs)
    logins.write_rules(directory, programs)
    forget_dead(place.lock)
    return _ready(Postmaster.start(programs.command("postgres", *options), directory))


def _ready(postmaster: Postmaster) -> Postmaster:
    try:
        postmaster.wait_ready()
    except ScandError:
        postmaster.close()
        raise
    return postmaster


def _prepare(directory: Path, programs: Programs) -> None:
    """See that there is a database and that its logins have secrets; whatever is in it stays."""
    if (directory / "PG_VERSION").exists():
        forget_dead(directory / PID_FILE)
        if not logins.secret_file(directory).exists():
            logins.make(directory, programs)
        return
    # Made beside its place, and put there when it is whole: a power cut leaves no half of one.
    directory.parent.mkdir(parents=True, exist_ok=True)
    new = directory.with_name(f"{directory.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    unicode = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    locale = ["--encoding=UTF8", "--locale=C", *(unicode if programs.version() >= _BUILTIN_LOCALE else [])]
    programs.run("initdb", "-D", new, "-U", "postgres", "--auth=reject", "--no-instructions", *locale)
    logins.make(new, programs)
    new.rename(directory)
    sync_directory(directory.parent)


def _version(directory: Path) -> int | None:
    """The major version of the database that is there."""
    try:
        return int((directory / "PG_VERSION").read_text())
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None


def _check_owner(directory: Path) -> None:
    """PostgreSQL opens its own user's database only.

    Raises:
        ConfigError: it is another user's.
    """
    if not directory.exists():
        return
    owner, us = directory.stat().st_uid, os.geteuid()
    if owner != us:
        raise ConfigError(
            f"{directory} is user {_name(owner)}'s, and this is user {_name(us)}: run the daemon as "
            f"{_name(owner)}, or take the directory over with `sudo chown -R {us} {directory}`."
        )


def _name(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return str(user)
