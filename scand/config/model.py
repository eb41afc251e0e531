"""The config as a whole, and how it is loaded."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import Field, PrivateAttr, ValidationError

from scand.config import files
from scand.config.sections import (
    Agent,
    Commit,
    Database,
    Documents,
    Hooks,
    Logging,
    Manual,
    Nas,
    Scanner,
    Section,
    Staging,
)
from scand.errors import BadData, ConfigError
from scand.settings import resolve
from scand.wording import complaints, either, meant, shown

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path


class Config(Section):
    """The whole config.

    Attributes:
        profiles: by name; one in profiles.d replaces one of the same name in the file.
    """

    database: Database
    scanner: Scanner = Scanner()
    staging: Staging = Staging()
    nas: Nas = Nas()
    agent: Agent = Agent()
    commit: Commit = Commit()
    documents: Documents = Documents()
    manual: Manual = Manual()
    hooks: Hooks = Hooks()
    logging: Logging = Logging()
    profiles: dict[str, dict[str, Any]] = Field(default_factory=dict, description="tables of settings")

    _path: Path | None = PrivateAttr(default=None)

    @property
    def path(self) -> Path | None:
        """The file it came from; None where there was none."""
        return self._path

    @property
    def presets(self) -> dict[str, dict[str, Any]]:
        """The profiles as jobs get them: each on top of what [scanner] pins."""
        profiles: dict[str, dict[str, Any]] = {"default": {}, **self.profiles}
        return {name: {**self.scanner.pins, **profile} for name, profile in profiles.items()}

    @property
    def profile_directory(self) -> Path | None:
        """`profiles.d` beside the file, whether it is there or not."""
        return _profile_directory(self._path)

    @property
    def nas_root(self) -> Path:
        """`nas.root`, for those who cannot do without.

        Raises:
            ConfigError: the config does not say.
        """
        if self.nas.root is None:
            raise ConfigError(f"{self._path or 'The config'}: {_NO_ROOT}.")
        return self.nas.root

    def manual_title(self, now: datetime) -> str:
        """The title of a job that a signal makes at `now`."""
        return self.manual.title.format(now=now, host=os.uname().nodename)

    @classmethod
    def load(
        cls, path: Path | None, environ: Mapping[str, str], *, need: Literal["daemon", "client"]
    ) -> Self:
        """Read the config, validated as a whole.

        Args:
            path: what `--config` said.
            environ: SCAND_CONFIG, HOME, SCAND_DATABASE_URL, CREDENTIALS_DIRECTORY.
            need: a client needs the database only, and no file where SCAND_DATABASE_URL says it, or where it may
                not read it: then it is the embedded one, and `path` is None. The daemon needs nas.root too.

        Raises:
            ConfigError: everything that is wrong, each key with its reason.
        """
        client = need == "client"
        url = files.database_url(environ, credential=not client)
        forgiven = (OSError if url is not None else PermissionError,) if client else ()
        file, table = files.read(path, environ, forgiven=forgiven)
        separate, wrong = files.profiles(_profile_directory(file))
        if url is not None and isinstance(table.get("database", {}), dict):
            table["database"] = {**table.get("database", {}), "url": url}
        table.setdefault("database", {})
        if isinstance(table.setdefault("profiles", {}), dict):
            table["profiles"] = {**table["profiles"], **separate}
            wrong += _wrong_profiles(table)
        if not client and isinstance(table.get("nas", {}), dict) and "root" not in table.get("nas", {}):
            wrong.append(_NO_ROOT)
        try:
            config = cls.model_validate(table)
            wrong += _wrong_pins(config.scanner) + _wrong_folders(config.nas)
        except ValidationError as error:
            wrong = [*complaints(error, cls, "a key"), *wrong]
        if wrong:
            where = file or f"The config (looked for in ~/.config/scand/scand.toml and {files.SYSTEM})"
            raise ConfigError(f"{where}: {'; '.join(wrong)}.")
        config._path = file  # noqa: SLF001 - our own, and frozen from here on
        return config


_NO_ROOT = "nas.root is missing: it may be an absolute path, where the NAS is mounted"


def _profile_directory(file: Path | None) -> Path | None:
    return file.absolute().parent / "profiles.d" if file else None


def _wrong_profiles(table: Mapping[str, Any]) -> list[str]:
    """What is wrong with each profile, and with the one that a signal takes."""
    found = {name: content for name, content in table["profiles"].items() if isinstance(content, dict)}
    wrong = []
    for name in found:
        try:
            resolve({"profile": name}, found)
        except BadData as error:
            wrong.append(f"profiles.{name}: {error.sentence.removesuffix('.')}")
    manual = table.get("manual", {})
    wanted = manual.get("profile", "default") if isinstance(manual, dict) else "default"
    if isinstance(wanted, str) and wanted not in {"default", *table["profiles"]}:
        known = sorted({"default", *table["profiles"]})
        wrong.append(f"manual.profile is {shown(wanted)}, but may be {either(known)}{meant(wanted, known)}")
    return wrong


def _wrong_pins(scanner: Scanner) -> list[str]:
    try:
        resolve(scanner.pins, {})
    except BadData as error:
        return [f"scanner.{error.sentence.removesuffix('.')}"]
    return []


def _wrong_folders(nas: Nas) -> list[str]:
    """Whoever empties the Inbox may look into its folders, and would find merges that nobody committed."""
    inbox, staging = f"{nas.inbox}/", f"{nas.staging}/"
    if inbox.startswith(staging) or staging.startswith(inbox):
        return [f"nas.staging ({shown(nas.staging)}) and nas.inbox ({shown(nas.inbox)}) must lie apart"]
    return []


def embedded_directory(config: Config) -> Path:
    """Where scand's own PostgreSQL lives."""
    return config.staging.dir / "postgres"
