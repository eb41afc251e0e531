"""The sections of the config: every key with its default. Source: DESIGN §4."""

from __future__ import annotations

import re
import string
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
)

from scand.config.units import duration, octal, size
from scand.settings import Finish, below_root

EMBEDDED = "embedded"
"""`database.url` for a PostgreSQL of scand's own."""

_DURATION = 'a duration such as "500ms", "60s", "15m", "7d"'
Duration: TypeAlias = Annotated[float, BeforeValidator(duration), Field(gt=0, description=_DURATION)]
OptionalDuration: TypeAlias = Annotated[
    Annotated[float, BeforeValidator(duration), Field(ge=0)] | None,
    BeforeValidator(lambda value: None if value == "" else value),
    Field(description=f'{_DURATION}, or "" for never'),
]


def _absolute(path: Path) -> Path:
    if not path.is_absolute():
        raise ValueError
    return path


AbsolutePath: TypeAlias = Annotated[
    Path, AfterValidator(_absolute), Field(description='an absolute path, such as "/mnt/nas"')
]


def _url(value: Any) -> Any:
    """Nothing is looked up: only what cannot be a PostgreSQL URL or a libpq keyword string is refused."""
    if not isinstance(value, str) or not _URL.match(value.strip()):
        raise ValueError
    return value.strip()


_URL = re.compile(r"embedded$|postgres(ql)?://|[a-z_]+ *=")
_PASSWORD = re.compile(r"(://[^:@/?]*:)[^/?]*(?=@)|(password\s*=\s*)(?:'(?:\\.|[^'\\])*'|[^\s&]+)")


def _title(value: Any) -> Any:
    """A format string over `now` and `host`, tried out: a signal must not find a broken one."""
    if not isinstance(value, str):
        raise ValueError  # noqa: TRY004 - pydantic listens to ValueError only
    for _, name, spec, _ in string.Formatter().parse(value):
        if name is not None and (name not in {"now", "host"} or "{" in (spec or "")):
            raise ValueError
    if not value.format(now=datetime.now().astimezone(), host="host").strip():
        raise ValueError
    return value


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
        BeforeValidator(_url),
        Field(
            description='a PostgreSQL URL ("postgresql://user@host/database") or "embedded"; '
            "SCAND_DATABASE_URL in the environment outranks it"
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

    dir: AbsolutePath = Path("/var/lib/scand")
    min_free: Annotated[int, BeforeValidator(size), Field(description='a size such as "2GiB", "500MB"')] = (
        2 * 2**30
    )
    keep: OptionalDuration = 7 * 86400.0


class Nas(Section):
    """Where documents go.

    Attributes:
        root: the mountpoint; None where the config does not say (clients need none).
        staging: below root: verified merges, for preview.
        inbox: below root.
        require_mount: root must be a mountpoint, not a plain directory.
        file_mode: of documents in the Inbox.
        group: of documents in the Inbox; "": the daemon's own.
    """

    root: AbsolutePath | None = None
    staging: Annotated[
        str,
        BeforeValidator(lambda value: below_root(value, hidden=True)),
        Field(description='a folder below nas.root, such as ".scan-staging"'),
    ] = ".scan-staging"
    inbox: Annotated[
        str,
        BeforeValidator(below_root),
        Field(description='a folder below nas.root, such as "PKM/Inbox", without hidden parts'),
    ] = "PKM/Inbox"
    require_mount: Annotated[bool, Field(strict=True, description="true or false")] = True
    file_mode: Annotated[
        int, BeforeValidator(octal), Field(description='octal digits in quotes, "0600" or more: "0640"')
    ] = 0o640
    group: Annotated[str, Field(description="the name of a group")] = ""


class Agent(Section):
    """The daemon's clocks, seconds.

    Attributes:
        poll: between two looks at the database; notifications come in between.
        heartbeat: between two signs of life; at most 10, since a client takes an older one for dead.
        ready_timeout: after which an idle job is wound up; None: never.
        preview_timeout: after which a preview that nobody answers is wound up; None: never.
    """

    poll: Duration = 1.0
    heartbeat: Annotated[
        float, BeforeValidator(duration), Field(gt=0, le=10, description='a duration up to "10s"')
    ] = 5.0
    ready_timeout: OptionalDuration = 900.0
    preview_timeout: OptionalDuration = None


class Commit(Section):
    """Who commits.

    Attributes:
        by: None when it is not written: then "agent", unless the documents table is not scand's own.
    """

    by: Annotated[Literal["agent", "client"] | None, Field(description='"agent" or "client"')] = None


class Documents(Section):
    """Whether committed documents get a row."""

    link: Annotated[Literal["auto", "off"], Field(description='"auto" or "off"')] = "auto"


class Manual(Section):
    """The job that a signal makes.

    Attributes:
        title: a format string over `now` (local time) and `host`.
    """

    profile: Annotated[str, Field(description="the name of a profile")] = "default"
    title: Annotated[
        str,
        BeforeValidator(_title),
        Field(description='a text over {now:…} and {host}, such as "Scan {now:%Y-%m-%d %H.%M.%S}"'),
    ] = "Scan {now:%Y-%m-%d %H.%M.%S}"
    finish: Finish = Finish.COMMIT


class Hooks(Section):
    """Programs that are told.

    Attributes:
        on_event: a program, given what a person should know as JSON on stdin; "": none.
    """

    on_event: Annotated[str, Field(description="a program")] = ""


class LogLevel(StrEnum):
    """The least that is logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogFormat(StrEnum):
    """Where and how the log is written."""

    AUTO = "auto"
    JOURNAL = "journal"
    CONSOLE = "console"
    JSON = "json"


class Logging(Section):
    """The log."""

    level: LogLevel = LogLevel.INFO
    format: LogFormat = LogFormat.AUTO
