"""What a line of the log is made of: a MESSAGE_ID, a level and a wording."""

from __future__ import annotations

import string
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class Level(StrEnum):
    """How much it matters to an operator."""

    DEBUG = "debug"  # progress of every page, a driver's chatter
    INFO = "info"  # what happened, as it should
    NOTICE = "notice"  # what was away is back
    WARNING = "warning"  # a person may be needed: a jam, the NAS away
    ERROR = "error"  # a job, or the config, needs mending

    @property
    def priority(self) -> int:
        """Syslog's number, RFC 5424 6.2.1."""
        return {"debug": 7, "info": 6, "notice": 5, "warning": 4, "error": 3}[self.value]


@dataclass(frozen=True, slots=True)
class Message:
    """How an event is logged.

    Attributes:
        id: MESSAGE_ID, 128 random bits in hex.
        level: from which log level on it is written.
        wording: a format string for a person, short.
    """

    id: str
    level: Level
    wording: str

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of the fields that the wording uses, in order."""
        return tuple(name for _, name, _, _ in string.Formatter().parse(self.wording) if name is not None)

    def worded(self, fields: Mapping[str, object]) -> str:
        """The sentence, on one line; a field that is missing shows as "?", since logging must never fail."""
        line = self.wording.format_map({name: fields.get(name, "?") for name in self.fields})
        return "".join(sign if sign.isprintable() else " " for sign in line)
