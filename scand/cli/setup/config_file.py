"""The service's config, as `scand setup` reads and changes it: root's, 0640, the daemon's group may read it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scand import durable
from scand.config import Config
from scand.config.document import Document
from scand.config.edit import edited
from scand.config.files import CREDENTIAL
from scand.config.values import EMBEDDED
from scand.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

_CREDENTIAL_STORES = (
    "/etc/credstore",
    "/run/credstore",
    "/etc/credstore.encrypted",
    "/run/credstore.encrypted",
)


def has_credential() -> bool:
    """Whether the database's URL is kept as a systemd credential. Source: systemd.exec(5), LoadCredential=."""
    return any(Path(store, f"scand.{CREDENTIAL}").exists() for store in _CREDENTIAL_STORES)


class ConfigFile:
    """The file and what it says.

    Args:
        path: where it is; it need not be there yet.

    Attributes:
        path: the file itself, where a symbolic link leads to it.
        table: its content, as TOML gives it.

    Raises:
        ConfigError: it is not TOML, or cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        try:
            content = self.path.read_bytes() if self.path.exists() else b""
        except OSError as error:
            raise ConfigError(f"{path} cannot be read: {error.strerror}.") from error
        self.table: dict[str, Any] = Document.parse(path, content).table
        self._text = content.decode("utf-8-sig")

    def set(self, values: Mapping[tuple[str, str], str | bool], gid: int) -> Config:
        """Write some keys, if the result is a good config; without keys the file is left alone.

        Args:
            values: (section, key) → value.
            gid: the daemon's group.

        Raises:
            ConfigError: the result would be wrong, and how. Nothing was written.
        """
        text = edited(self._text, values)
        if text == self._text:
            return self._load(self.path)
        new = self.path.with_name(f".{self.path.name}.new")
        self.path.parent.mkdir(mode=0o755, exist_ok=True)
        durable.write_atomic(new, text.encode())
        try:
            os.chown(new, 0, gid)
            new.chmod(0o640)
            self._load(new)
        except BaseException:
            new.unlink()
            raise
        new.rename(self.path)
        durable.sync_directory(self.path.parent)
        return self._load(self.path)

    def _load(self, path: Path) -> Config:
        """Load it as the daemon does; a credential with the database's URL is taken as given."""
        environ = {"SCAND_DATABASE_URL": EMBEDDED} if has_credential() else {}
        try:
            return Config.load(path, environ, need="daemon")
        except ConfigError as error:
            raise ConfigError(error.sentence.replace(str(path), str(self.path))) from error
