"""Where the config comes from: files, the environment, a systemd credential."""

from __future__ import annotations

import errno
import os
import pwd
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import TYPE_CHECKING

from scand.config.document import Document
from scand.config.values import EMBEDDED
from scand.errors import BadConfig, ConfigError, Problem
from scand.wording import plain

if TYPE_CHECKING:
    from collections.abc import Mapping

SYSTEM = Path("/etc/scand/scand.toml")
"""The config of the installation, read last."""

CREDENTIAL = "database-url"
"""The systemd credential that may hold the daemon's database URL. Source: systemd.exec(5), LoadCredential=."""

_LARGEST = 1 << 20  # bytes of a file; one with every key is a few thousand


def read(path: Path | None, environ: Mapping[str, str], *, forgiven: tuple[type[OSError], ...]) -> Document:
    """The first config that there is: `path`, $SCAND_CONFIG, the user's, the system's.

    Args:
        path: what `--config` said; it and $SCAND_CONFIG have to be there.
        environ: SCAND_CONFIG, HOME.
        forgiven: exceptions for which a file that cannot be read is left out.

    Returns:
        Its content. Without a config: an empty document without a path. With one that this user may not read: a
        document that names the embedded database, which is the one of the service that runs here.

    Raises:
        ConfigError: it is not there, cannot be read, or is not TOML.
    """
    named = path or (Path(environ["SCAND_CONFIG"]) if environ.get("SCAND_CONFIG") else None)
    home = environ.get("HOME")
    users = [Path(home) / ".config" / "scand" / "scand.toml"] if home else []
    private = False
    for candidate in [named] if named else [*users, SYSTEM]:
        try:
            return Document.parse(candidate, _content(candidate))
        except (FileNotFoundError, NotADirectoryError) as error:
            if named:
                raise BadConfig([_problem(candidate, "there is no such config file")]) from error
        except OSError as error:
            if named or not isinstance(error, forgiven):
                reason = f"{_refused(error)}{_mend(candidate, error)}"
                raise BadConfig([_problem(candidate, reason)]) from error
            private = isinstance(error, PermissionError)
    return Document(None, {"database": {"url": EMBEDDED}} if private else {}, {})


def database_url(environ: Mapping[str, str], *, credential: bool) -> tuple[str, str] | None:
    """The database URL that outranks the file's: $SCAND_DATABASE_URL, then the credential; None: neither is set.

    Returns:
        The URL, and the name of its source for a sentence.

    Raises:
        ConfigError: the credential is there and cannot be read.
    """
    if environ.get("SCAND_DATABASE_URL"):
        return environ["SCAND_DATABASE_URL"], "$SCAND_DATABASE_URL"
    directory = environ.get("CREDENTIALS_DIRECTORY")
    if not credential or not directory:
        return None
    name = f"The credential {CREDENTIAL}"
    try:
        return _content(Path(directory) / CREDENTIAL).decode().strip(), name
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{name} is not UTF-8 text.") from error
    except OSError as error:
        raise ConfigError(f"{name} {_refused(error)}.") from error


def profiles(directory: Path | None, *, optional: bool) -> tuple[dict[str, Document], list[Problem]]:
    """The profiles of `profiles.d`: file stem → content, and what is wrong with the files.

    Editors' hidden files are left alone.

    Args:
        directory: None where there is no config file.
        optional: leave out what this user may not read.
    """
    found: dict[str, Document] = {}
    problems: list[Problem] = []
    try:
        paths = sorted(directory.iterdir()) if directory else []
    except FileNotFoundError:
        paths = []
    except OSError as error:
        return {}, [] if optional else [_problem(directory, _refused(error))]
    for path in paths:
        if path.suffix != ".toml" or path.name.startswith("."):
            continue
        try:
            found[path.stem] = Document.parse(path, _content(path))
        except BadConfig as error:
            problems += error.problems
        except OSError as error:
            if not optional:
                problems.append(_problem(path, f"{_refused(error)}{_mend(path, error)}"))
    return found, problems


def _content(path: Path) -> bytes:
    """The bytes of a regular file; of nothing else, since a FIFO would hang, and /dev/zero never ends.

    Raises:
        OSError: it cannot be read; EISDIR, EINVAL, EFBIG: it is no file of a config's size.
    """
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        mode = os.fstat(fd).st_mode
        if not S_ISREG(mode):
            raise OSError(*((errno.EISDIR, "a directory") if S_ISDIR(mode) else (errno.EINVAL, "not a file")))
        content = b""
        while len(content) <= _LARGEST and (part := os.read(fd, _LARGEST)):
            content += part
    finally:
        os.close(fd)
    if len(content) > _LARGEST:
        raise OSError(errno.EFBIG, f"larger than {_LARGEST >> 20} MiB")
    return content


def _problem(path: Path | None, reason: str) -> Problem:
    return Problem(plain(str(path)), None, "", reason)


_KINDS = frozenset({errno.EISDIR, errno.EINVAL, errno.EFBIG})


def _refused(error: OSError) -> str:
    why = error.strerror or str(error)
    return f"is {why}, and cannot be a config" if error.errno in _KINDS else f"cannot be read ({why})"


def _mend(path: Path, error: OSError) -> str:
    """What lets this user read a file: sudo for a person; for a service's user, its group."""
    if error.errno not in {errno.EACCES, errno.EPERM}:
        return ""
    try:
        user = pwd.getpwuid(os.geteuid())
    except KeyError:
        return f" by user {os.geteuid()}: run this as a user who may, or set SCAND_DATABASE_URL"
    if user.pw_uid < _FIRST_PERSON:
        return f" by user {user.pw_name}: sudo chown root:{user.pw_name} {path} && sudo chmod 0640 {path}"
    return f" by user {user.pw_name}: run this with sudo, or set SCAND_DATABASE_URL"


_FIRST_PERSON = 1000
"""User ids below are services'. Source: Debian Policy 9.2.2."""
