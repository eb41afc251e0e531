"""The sections of the config: every key with its default. Source: docs/design.md "Config"."""

from __future__ import annotations

import os.path
import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias
from unicodedata import normalize

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from scand.config import values
from scand.config.units import duration, octal, size
from scand.config.values import EMBEDDED
from scand.jobs.settings import Finish, below_root

_PASSWORD = re.compile(r"(://[^:@/?]*:)[^/?]*(?=@)|(password\s*=\s*)(?:'(?:\\.|[^'\\])*'|[^\s&]+)")

_UNITS = 'such as "500ms", "60s", "15m", "2h", "7d"'
Duration: TypeAlias = Annotated[
    float, BeforeValidator(duration), Field(gt=0, description=f"a duration above zero, {_UNITS}")
]
OptionalDuration: TypeAlias = Annotated[
    Annotated[float, BeforeValidator(duration), Field(ge=0)] | None,
    BeforeValidator(lambda value: None if value == "" else value),
    Field(description=f'a duration {_UNITS}, or "" for never'),
]


class Section(BaseModel):
    """A table of the file: immutable; an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Database(Section):
    """The queue.

    Attributes:
        url: a PostgreSQL URL, a libpq keyword string, or "embedded"; shown with `shown_url` only.
    """

    url: Annotated[
        SecretStr,
        BeforeValidator(values.url),
        Field(
            description='a PostgreSQL URL ("postgresql://user@host/database", with "%25" for a "%" in a password) '
            'or "embedded"; SCAND_DATABASE_URL in the environment outranks it'
        ),
    ]

    @property
    def embedded(self) -> bool:
        """Whether scand runs a PostgreSQL of its own."""
        return self.url.get_secret_value() == EMBEDDED

    @property
    def shown_url(self) -> str:
        """The URL without its password, for people."""
        return _PASSWORD.sub(r"\1\2***", self.url.get_secret_value())


class Scanner(Section):
    """The device.

    Attributes:
        device: SANE name, or a shell pattern over name, vendor and model; "": the only one there is.
        page_timeout: seconds of silence after which the driver is taken for hung.
        source_name, offset, rotate_back, pause: settings that this scanner needs, whatever the job; profiles and
            jobs go on top. They are checked as settings are.
    """

    device: Annotated[str, Field(description='a SANE name, or a pattern such as "fujitsu:*"')] = ""
    page_timeout: Duration = 60.0
    source_name: Any = None
    offset: Any = None
    rotate_back: Any = None
    pause: Any = None

    @property
    def pins(self) -> dict[str, Any]:
        """The settings among them that are written."""
        return self.model_dump(exclude={"device", "page_timeout"}, exclude_none=True)


class Staging(Section):
    """The local disk.

    Attributes:
        min_free: bytes that scanning leaves free.
        keep: seconds for which the files of a finished job stay; None: for ever.
    """

    dir: Annotated[
        Path, BeforeValidator(values.absolute), Field(description='absolute, such as "/var/lib/scand"')
    ] = Path("/var/lib/scand")
    min_free: Annotated[int, BeforeValidator(size), Field(description='a size such as "2GiB", "500MB"')] = (
        2 * 2**30
    )
    keep: OptionalDuration = 7 * 86400.0


class Pictures(Section):
    """A small picture of each side, for people who look at a job before it is merged.

    Attributes:
        size: pixels of the longer side, at most; 0: none is made.
    """

    size: Annotated[
        int,
        Field(
            strict=True,
            ge=0,
            le=1000,
            description="pixels of the longer side, up to 1000, or 0 for no pictures",
        ),
    ] = 400


class Nas(Section):
    """Where documents go.

    Attributes:
        root: the mountpoint; None where the config does not say (clients need none).
        staging: verified merges, for preview: below root, or an absolute path outside it, on its file system.
        inbox: below root; ".": root itself, as a consumer that watches it takes everything that it finds there.
        require_mount: root must be a mountpoint, not a plain directory.
        file_mode: of documents in the Inbox.
        group: of documents in the Inbox; "": the daemon's own.
    """

    root: Annotated[
        Annotated[Path, BeforeValidator(values.absolute)] | None,
        Field(description='absolute, such as "/mnt/nas"'),
    ] = None
    staging: Annotated[
        str,
        BeforeValidator(values.staging),
        Field(
            description='a folder below nas.root, such as ".scan-staging", or an absolute path outside it, on the '
            "same file system"
        ),
    ] = ".scan-staging"
    inbox: Annotated[
        str,
        BeforeValidator(below_root),
        Field(
            description='a folder below nas.root, such as "PKM/Inbox", without hidden parts, or "." for nas.root '
            "itself"
        ),
    ] = "PKM/Inbox"
    require_mount: Annotated[bool, Field(strict=True, description="true or false")] = True
    file_mode: Annotated[
        int,
        BeforeValidator(octal),
        Field(description='a file mode in quotes, with which its owner may read and write, such as "0640"'),
    ] = 0o640
    group: Annotated[str, Field(description="the name of a group, in quotes")] = ""

    @property
    def outside(self) -> Path | None:
        """The staging directory where it lies outside the root; None where it is a folder below."""
        return Path(self.staging) if self.staging.startswith("/") else None

    @property
    def staging_from_root(self) -> str:
        """The staging directory, seen from the root: ".scan-staging", or "../scan-staging"."""
        if self.outside is None or self.root is None:
            return self.staging
        return os.path.relpath(self.outside, self.root)

    def apart(self, inbox: str) -> bool:
        """Whether an Inbox lies apart from the staging folder: what empties one must not find the other.

        A file system may take "Previews" and "previews", or an ü spelt in two ways, for one name.

        Args:
            inbox: below the root.
        """
        if self.outside is not None:
            return True
        one, other = (
            normalize("NFC", normalize("NFD", f"{path}/").casefold()) for path in (inbox, self.staging)
        )
        return inbox != "." and not one.startswith(other) and not other.startswith(one)


class Agent(Section):
    """The daemon's clocks, seconds.

    Attributes:
        poll: between two looks at the database; notifications come in between.
        heartbeat: between two signs of life; at most 10, since a client takes an older one for dead.
        ready_timeout: after which an idle job is wound up; None: never.
        preview_hold: after which a preview that nobody has touched gives way to others who want the scanner.
        preview_timeout: after which a preview that nobody answers is wound up; None: never.
    """

    poll: Duration = 1.0
    heartbeat: Annotated[
        float,
        BeforeValidator(duration),
        Field(gt=0, le=10, description='a duration above zero and up to "10s"'),
    ] = 5.0
    ready_timeout: OptionalDuration = 900.0
    preview_hold: Duration = 120.0
    preview_timeout: OptionalDuration = None


class Commit(Section):
    """Who commits.

    Attributes:
        by: None when it is not written: then "agent", unless the documents table is not scand's own.
        client_timeout: after which a client that took a job to committing is taken for gone; None: never.
    """

    by: Annotated[Literal["agent", "client"] | None, Field(description='"agent" or "client"')] = None
    client_timeout: OptionalDuration = 900.0


class Documents(Section):
    """Whether committed documents get a row in the documents table."""

    link: Annotated[Literal["auto", "off"], Field(description='"auto" or "off"')] = "auto"


class Manual(Section):
    """The job that a signal makes.

    Attributes:
        title: a format string over `now` (local time) and `host`.
    """

    profile: Annotated[str, Field(description="the name of a profile")] = "default"
    title: Annotated[
        str,
        BeforeValidator(values.title),
        Field(description='a text, with {now:…} and {host} in it or not, such as "Scan {now:%Y-%m-%d}"'),
    ] = "Scan {now:%Y-%m-%d %H.%M.%S}"
    finish: Finish = Finish.COMMIT


class Hooks(Section):
    """The program that is run at events.

    Attributes:
        on_event: a command, which gets what a person should know as JSON on stdin; "": none.
    """

    on_event: Annotated[
        str,
        BeforeValidator(values.command),
        Field(
            description='a command that begins with an absolute path, such as "/usr/local/bin/scand-message", or '
            '"" for none'
        ),
    ] = ""


class LogLevel(StrEnum):
    """The least that is logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogFormat(StrEnum):
    """Where the log goes, and in which form."""

    AUTO = "auto"
    JOURNAL = "journal"
    CONSOLE = "console"
    JSON = "json"


class Logging(Section):
    """The log."""

    level: LogLevel = LogLevel.INFO
    format: LogFormat = LogFormat.AUTO
