"""Where the config comes from: files, the environment, a systemd credential."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scand.config.sections import EMBEDDED
from scand.errors import ConfigError
from scand.wording import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

SYSTEM = Path("/etc/scand/scand.toml")
"""The config of the installation, read last."""

CREDENTIAL = "database-url"
"""The systemd credential that may hold the daemon's database URL. Source: systemd.exec(5), LoadCredential=."""


def read(
    path: Path | None, environ: Mapping[str, str], *, forgiven: tuple[type[OSError], ...]
) -> tuple[Path | None, dict[str, Any]]:
    """The first config that there is: `path`, $SCAND_CONFIG, the user's, the system's.

    Args:
        path: what `--config` said; it and $SCAND_CONFIG have to be there.
        environ: SCAND_CONFIG, HOME.
        forgiven: do without a file that cannot be read for these reasons.

    Returns:
        Its path and its content. Where there is no config, None and nothing; where there is one that this user may
        not read, None and the embedded database, which is that of the service that runs here.

    Raises:
        ConfigError: it is not there, cannot be read, or is not TOML.
    """
    named = path or (Path(environ["SCAND_CONFIG"]) if environ.get("SCAND_CONFIG") else None)
    home = environ.get("HOME")
    users = [Path(home) / ".config" / "scand" / "scand.toml"] if home else []
    private = False
    for candidate in [named] if named else [*users, SYSTEM]:
        try:
            return candidate, toml(candidate)
        except (FileNotFoundError, NotADirectoryError) as error:
            if named:
                raise ConfigError(f"{candidate}: there is no such config file.") from error
        except OSError as error:
            if named or not isinstance(error, forgiven):
                hint = "run as a user who may read it, or set SCAND_DATABASE_URL"
                raise ConfigError(f"{candidate}: cannot be read ({error.strerror}); {hint}.") from error
            private = isinstance(error, PermissionError)
    return None, {"database": {"url": EMBEDDED}} if private else {}


def toml(path: Path) -> dict[str, Any]:
    """The content of a TOML file.

    Raises:
        ConfigError: it is not TOML; the sentence names the line.
        OSError: it cannot be read.
    """
    content = path.read_bytes()
    try:
        return tomllib.loads(content.decode())
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path}: not UTF-8 (at line {line}).") from error
    except tomllib.TOMLDecodeError as error:
        last = len(content.splitlines()) or 1
        said = str(error).replace("end of document", f"the end, line {last}")
        raise ConfigError(f"{path}: not TOML: {said}.") from error


def database_url(environ: Mapping[str, str], *, credential: bool) -> str | None:
    """What outranks the file: $SCAND_DATABASE_URL, then the credential; None where neither is there.

    Raises:
        ConfigError: the credential is there and cannot be read.
    """
    if environ.get("SCAND_DATABASE_URL"):
        return environ["SCAND_DATABASE_URL"]
    directory = environ.get("CREDENTIALS_DIRECTORY")
    if not credential or not directory:
        return None
    try:
        return (Path(directory) / CREDENTIAL).read_text().strip()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"The credential {CREDENTIAL} cannot be read: {error}.") from error


def profiles(directory: Path | None) -> tuple[dict[str, Any], list[str]]:
    """The profiles of `profiles.d`: file stem → content, and what is wrong with the files.

    Editors' hidden files are left alone.
    """
    found: dict[str, Any] = {}
    complaints = []
    for path in sorted(directory.glob("*.toml")) if directory else ():
        if path.name.startswith("."):
            continue
        try:
            found[path.stem] = toml(path)
        except ConfigError as error:
            complaints.append(error.sentence.removesuffix("."))
        except OSError as error:
            complaints.append(f"{path}: cannot be read ({shown(error.strerror)})")
    return found, complaints
