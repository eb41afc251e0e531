"""What went wrong, for programs (a code, an exit status) and for people (a sentence that tells the mend)."""

from __future__ import annotations

import os
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence


class ErrorCode(StrEnum):
    """The value of `scan_jobs.error_code` and `scan_job_batches.error_code`. Source: DESIGN §3, the table."""

    # The feeder. Pages so far are safe; a person has to look at the paper.
    FEEDER_EMPTY = "feeder_empty"  # NO_DOCS before the first page
    FEEDER_JAMMED = "feeder_jammed"  # JAMMED: jam, double feed, skew
    COVER_OPEN = "cover_open"
    # The device or its driver.
    DEVICE_BUSY = "device_busy"
    DEVICE_NOT_FOUND = "device_not_found"
    ACCESS_DENIED = "access_denied"
    DEVICE_ERROR = "device_error"  # I/O error, connection lost, a page shorter than promised
    DRIVER_CRASHED = "driver_crashed"  # the feeder child died by a signal
    DRIVER_HUNG = "driver_hung"  # silence for scanner.page_timeout
    # What was asked.
    UNSUPPORTED_SETTINGS = "unsupported_settings"  # this device cannot
    BAD_SETTINGS = "bad_settings"  # nobody can
    # How a batch ended otherwise.
    INTERRUPTED = "interrupted"  # daemon stopped or killed in mid-batch
    STAGING_FULL = "staging_full"
    PAGE_LIMIT = "page_limit"  # max_pages reached; the batch is complete as far as it goes
    CANCELED = "canceled"  # a client canceled the job while it was scanning
    # Making the document.
    NO_PAGES = "no_pages"
    SIDES_MISMATCH = "sides_mismatch"
    SPOOL_DAMAGED = "spool_damaged"
    COURIER_CRASHED = "courier_crashed"
    VERIFY_FAILED = "verify_failed"
    # The NAS. Retried for ever.
    NAS_UNAVAILABLE = "nas_unavailable"
    NAS_FULL = "nas_full"
    NAS_READONLY = "nas_readonly"
    NAS_HUNG = "nas_hung"
    NAS_WRONG_VOLUME = "nas_wrong_volume"
    # The agent's own.
    STAGED_FILE_GONE = "staged_file_gone"  # committing refused: not there, or not what was previewed
    IDLE_TIMEOUT = "idle_timeout"


RETRIED_FOR_EVER = frozenset(
    {
        ErrorCode.NAS_UNAVAILABLE,
        ErrorCode.NAS_FULL,
        ErrorCode.NAS_READONLY,
        ErrorCode.NAS_HUNG,
        ErrorCode.NAS_WRONG_VOLUME,
        ErrorCode.STAGING_FULL,
    }
)
"""Faults of a courier's step that are waited out with backoff: the job stays where it is."""

RETRIED_A_FEW_TIMES = frozenset({ErrorCode.VERIFY_FAILED, ErrorCode.COURIER_CRASHED})
"""Faults of a courier's step that are tried again from the source, and fail the job after 5 attempts."""

DEVICE_RETRIED = frozenset({ErrorCode.DEVICE_BUSY, ErrorCode.DEVICE_NOT_FOUND, ErrorCode.ACCESS_DENIED})
"""Faults at the first page that may pass by themselves: some tries with backoff, then a person."""

STOPS_THE_JOB = frozenset({ErrorCode.UNSUPPORTED_SETTINGS, ErrorCode.BAD_SETTINGS})
"""Faults that no new batch can mend: the job fails, so that the scanner is free for the next."""


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
