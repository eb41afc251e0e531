"""The daemon's log: to journald with fields, to a terminal in short lines, or as JSON lines.

`events` has all levels and wordings; structlog renders them. journald gets its native protocol over its own
socket, which never makes the daemon wait: a line that it cannot take goes to standard error.

Only the daemon imports this module: children report to it.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import sys
from typing import TYPE_CHECKING, Any

import structlog

from scand.agent.log.events import MESSAGES, Event
from scand.agent.log.message import Level

if TYPE_CHECKING:
    from collections.abc import Mapping

    from structlog.typing import EventDict, Processor

SOCKET = "/run/systemd/journal/socket"
"""Where journald listens. Source: systemd.io, JOURNAL_NATIVE_PROTOCOL."""

_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}  # as structlog counts
_NAMES = {"job": "SCAND_JOB_ID", "code": "SCAND_ERROR_CODE"}  # any other field: SCAND_ and its name


def configure(level: str = "info", format: str = "auto", journal_socket: str = SOCKET) -> None:  # noqa: A002
    """Set where the log of this process goes; at the start, and again when the config is reloaded.

    Args:
        level: the least that is written: "debug", "info", "warning" or "error".
        format: "journal", "console", "json"; "auto": the journal where standard error leads there, short
            lines on a terminal, JSON otherwise.
        journal_socket: where journald listens.
    """
    kind = _detected() if format == "auto" else format
    renderers: dict[str, list[Processor]] = {
        "journal": [structlog.processors.format_exc_info, _as_journal_entry],
        "console": [structlog.processors.TimeStamper("%H:%M:%S", utc=False), _as_line, _console()],
        "json": [
            structlog.processors.TimeStamper("iso"),
            structlog.processors.format_exc_info,
            _as_object,
            structlog.processors.JSONRenderer(default=str, ensure_ascii=False),
        ],
    }
    sink = _Journald(journal_socket) if kind == "journal" else _Stderr()
    structlog.configure(
        processors=[structlog.processors.add_log_level, *renderers[kind]],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=lambda *_: sink,
        cache_logger_on_first_use=False,
    )


def _detected() -> str:
    """Systemd says in $JOURNAL_STREAM which file its journal stream is: "device:inode"."""
    with contextlib.suppress(OSError):
        stat = os.fstat(2)
        if os.environ.get("JOURNAL_STREAM") == f"{stat.st_dev}:{stat.st_ino}":
            return "journal"
        if os.isatty(2):
            return "console"
    return "json"


class Journal:
    """Writes events to where `configure` has set."""

    def __init__(self) -> None:
        self._log = structlog.get_logger()

    def say(self, event: Event, /, *, exc_info: BaseException | None = None, **fields: object) -> None:
        """Log that something happened. Never waits, never fails.

        Args:
            event: what happened; level and wording are in `events`.
            exc_info: an exception that was caught, for its traceback.
            fields: those of the wording, and any others. In the journal job, batch, page and code are
                SCAND_JOB_ID, SCAND_BATCH, SCAND_PAGE and SCAND_ERROR_CODE; any other is SCAND_ and its name.
        """
        message = MESSAGES[event]
        caught = {"exc_info": exc_info} if exc_info is not None else {}
        # structlog has no such level; journald gets its priority all the same.
        say = self._log.info if message.level is Level.NOTICE else getattr(self._log, message.level.value)
        say(message.worded(fields), said=event, fields=fields, **caught)


class _Stderr:
    """Standard error; a log that cannot be written must not end the daemon."""

    def debug(self, line: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(f"{line}\n")
            sys.stderr.flush()

    info = warning = error = debug


class _Journald:
    """journald's socket; an entry that it does not take goes to standard error, with syslog's <priority>."""

    def __init__(self, path: str) -> None:
        self._path = path

    def debug(self, entry: bytes, line: str) -> None:
        kind = socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
        try:
            with socket.socket(socket.AF_UNIX, kind) as journald:
                journald.sendto(entry, self._path)
        except OSError:
            _Stderr().debug(line)

    info = warning = error = debug


def _as_journal_entry(
    _logger: Any, _level: str, entry: EventDict
) -> tuple[tuple[bytes, str], dict[str, Any]]:
    event: Event = entry["said"]
    message = MESSAGES[event]
    fields: dict[str, object] = {
        "MESSAGE": entry["event"],
        "MESSAGE_ID": message.id,
        "PRIORITY": message.level.priority,
        "SYSLOG_IDENTIFIER": "scand",
        "SCAND_EVENT": event.value,
        **{_NAMES.get(name, f"SCAND_{name.upper()}"): value for name, value in entry["fields"].items()},
    }
    if "exception" in entry:
        fields["SCAND_TRACEBACK"] = entry["exception"]
    return (_serialized(fields), f"<{message.level.priority}>{entry['event']}"), {}


def _serialized(fields: Mapping[str, object]) -> bytes:
    """Journald's native protocol: NAME=value, or the length in front where the value has several lines."""
    lines = []
    for name, value in fields.items():
        text = str(value).encode(errors="replace")
        if b"\n" in text:
            lines.append(name.encode() + b"\n" + struct.pack("<Q", len(text)) + text + b"\n")
        else:
            lines.append(name.encode() + b"=" + text + b"\n")
    return b"".join(lines)


def _as_object(_logger: Any, _level: str, entry: EventDict) -> EventDict:
    event: Event = entry.pop("said")
    text, fields = entry.pop("event"), entry.pop("fields")
    own = {**entry, "event": event.value, "message": text, "message_id": MESSAGES[event].id}
    return {**own, **fields, **own}  # ours first to read, and never overwritten


def _as_line(_logger: Any, _level: str, entry: EventDict) -> EventDict:
    """A line holds what its wording holds; the rest is for machines."""
    del entry["said"], entry["fields"]
    return entry


def _console() -> structlog.dev.ConsoleRenderer:
    # Not the pretty traceback: it prints local variables, and passwords with them.
    plain = structlog.dev.plain_traceback
    return structlog.dev.ConsoleRenderer(colors=os.isatty(2), exception_formatter=plain)
