"""What scand refuses or cannot do: an exception a kind, each with an exit status and a sentence for a person.

The error codes themselves are the table in `faults`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scand.faults import ErrorCode


class ScandError(Exception):
    """Anything scand refuses or cannot do.

    Attributes:
        sentence: what happened and what to do about it, one sentence or two, for a person.
        code: the `error_code`, where the trouble has one.
        offers: for `unsupported_settings`, what the device has instead (option name → values).
    """

    exit_status = os.EX_SOFTWARE

    def __init__(
        self, sentence: str, code: ErrorCode | None = None, offers: dict[str, object] | None = None
    ) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.code = code
        self.offers = offers


class UsageError(ScandError):
    """The command line was called wrongly."""

    exit_status = os.EX_USAGE


class BadData(ScandError):
    """A value that the user gave cannot be used: settings, a job's state, a file."""

    exit_status = os.EX_DATAERR


class Unavailable(ScandError):
    """Something outside is not there: the database, the scanner, the NAS."""

    exit_status = os.EX_UNAVAILABLE


class TryAgain(ScandError):
    """Something outside is there but cannot now: busy, full, hung. The same call may succeed later."""

    exit_status = os.EX_TEMPFAIL


class ConfigError(ScandError):
    """The installation must be mended by its operator; trying again is no use (systemd does not restart)."""

    exit_status = os.EX_CONFIG


class Problem(NamedTuple):
    """One thing that is wrong with a config file.

    Attributes:
        file: its path, or what stands in its place, such as the environment's variable.
        line: from 1; None where it is about no line.
        key: "nas.root"; empty where it is about no key.
        reason: how the sentence goes on: `is "mnt/nas", but must be absolute, such as "/mnt/nas"`.
    """

    file: str
    line: int | None
    key: str
    reason: str

    def __str__(self) -> str:
        where = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{where}: {self.key} {self.reason}." if self.key else f"{where}: {self.reason}."


class BadConfig(ConfigError):
    """The config is refused.

    Attributes:
        problems: everything that is wrong, in the order of the files' lines; `sentence` has a line for each.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)
