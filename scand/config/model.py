"""The config as a whole, and how it is loaded."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Self

from pydantic import Field, PrivateAttr, ValidationError

from scand.config import checks, files, sections
from scand.config.sections import Section
from scand.errors import BadConfig, BadData, ConfigError, Problem
from scand.faults import ErrorCode
from scand.jobs.settings import Settings, resolve
from scand.wording import complaints as validation_complaints
from scand.wording import dotted, shown

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from scand.config.document import Document
    from scand.wording import Complaint


class Config(Section):
    """The whole config.

    Attributes:
        profiles: by name; one in profiles.d replaces one of the same name in the file.
    """

    database: sections.Database
    scanner: sections.Scanner = sections.Scanner()
    staging: sections.Staging = sections.Staging()
    pictures: sections.Pictures = sections.Pictures()
    nas: sections.Nas = sections.Nas()
    agent: sections.Agent = sections.Agent()
    commit: sections.Commit = sections.Commit()
    documents: sections.Documents = sections.Documents()
    manual: sections.Manual = sections.Manual()
    hooks: sections.Hooks = sections.Hooks()
    logging: sections.Logging = sections.Logging()
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
        """`nas.root`, where it is required.

        Raises:
            ConfigError: the config does not say it.
        """
        if self.nas.root is None:
            raise ConfigError(f"{self._path or 'The config'}: nas.root {checks.NO_ROOT}.")
        return self.nas.root

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is allowed, and probably a mistake: a sentence each, without file and line."""
        return tuple(map(str, checks.warnings(self.nas)))

    def settings(self, raw: Mapping[str, Any]) -> Settings:
        """What a job asks for, on top of its profile.

        Args:
            raw: `scan_jobs.settings`.

        Raises:
            BadData: `bad_settings`: nobody can scan with that, or its Inbox is not apart from the staging folder.
        """
        settings = resolve(raw, self.presets)
        if settings.inbox is not None and not self.nas.apart(settings.inbox):
            raise BadData(
                f"inbox is {shown(settings.inbox)}, but must lie apart from nas.staging "
                f"({shown(self.nas.staging)}): what empties it would find documents that nobody has committed.",
                ErrorCode.BAD_SETTINGS,
            )
        return settings

    @property
    def written(self) -> dict[str, Path]:
        """What the daemon writes to: the key → the directory."""
        places = {"nas.root": self.nas.root, "nas.staging": self.nas.outside, "staging.dir": self.staging.dir}
        return {key: path for key, path in places.items() if path is not None}

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
            need: "daemon": database.url and nas.root. "client": database.url only. A client needs no file where
                SCAND_DATABASE_URL is set; where it may not read the file, the embedded database is meant, and the
                config's `path` is None.

        Raises:
            BadConfig: everything that is wrong with it, each key with file, line and reason.
            ConfigError: the credential cannot be read.
        """
        client = need == "client"
        url = files.database_url(environ, credential=not client)
        forgiven = (OSError if url is not None else PermissionError,) if client else ()
        document = files.read(path, environ, forgiven=forgiven)
        separate, problems = files.profiles(_profile_directory(document.path), optional=client)
        table = _merged(document.table, url and url[0], separate)
        complaints = [*checks.pure(table), *([] if client else checks.daemons(table))]
        try:
            config = cls.model_validate(table)
        except ValidationError as error:
            complaints += validation_complaints(error, cls, "a key", elsewhere=_ELSEWHERE)
        if problems or complaints:
            origin = Origin(document, separate, url and url[1])
            raise BadConfig(sorted({*problems, *map(origin.problem, complaints)}, key=_by_line))
        config._path = document.path  # noqa: SLF001 - our own, and frozen from here on
        return config


def _merged(written: Mapping[str, Any], url: str | None, separate: Mapping[str, Document]) -> dict[str, Any]:
    """The whole config: the file, the URL that outranks its own, and the profiles of profiles.d."""
    table = {"database": {}, "profiles": {}, **written}
    if url is not None and isinstance(table["database"], dict):
        table["database"] = {**table["database"], "url": url}
    if isinstance(table["profiles"], dict):
        table["profiles"] = {**table["profiles"], **{name: one.table for name, one in separate.items()}}
    return table


class Origin(NamedTuple):
    """Where the parts of a config were written, to find the line that a complaint is about.

    Attributes:
        document: the config file.
        profiles: the files of `profiles.d`.
        url: what the database's URL comes from, where that is not the file.
    """

    document: Document
    profiles: Mapping[str, Document]
    url: str | None

    def problem(self, complaint: Complaint) -> Problem:
        """The complaint, with file and line."""
        place, reason = complaint
        if place[:2] == ("database", "url") and self.url:
            return Problem(self.url, None, "", f"{reason} (for database.url)")
        if len(place) > 1 and place[0] == "profiles" and place[1] in self.profiles:
            return self.profiles[str(place[1])].problem(place[2:], reason)
        if self.document.path is None:
            looked = f"No config file (~/.config/scand/scand.toml, {files.SYSTEM})"
            return Problem(looked, None, dotted(place), reason)
        return self.document.problem(place, reason)


def _by_line(problem: Problem) -> tuple[str, int, str]:
    return problem.file, problem.line or 0, problem.key


def _profile_directory(file: Path | None) -> Path | None:
    return file.absolute().parent / "profiles.d" if file else None


_ELSEWHERE = dict.fromkeys(Settings.model_fields, "profiles.default") | {
    key: section
    for section, field in Config.model_fields.items()
    if isinstance(field.annotation, type) and issubclass(field.annotation, Section)
    for key in field.annotation.model_fields
}
"""Settings and keys of the config → the table that they belong to."""


def embedded_directory(config: Config) -> Path:
    """Where scand's own PostgreSQL lives."""
    return config.staging.dir / "postgres"
