"""Actions on jobs that wait in the queue: for their turn, for the NAS, or for a person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scand.faults import ErrorCode
    from scand.jobs.lifecycle import Status


@dataclass(frozen=True, slots=True)
class Claim:
    """Claim the oldest queued job that is to be scanned.

    Attributes:
        only: this job, or none; None: whichever is the oldest.
        delivery: instead the oldest parked job that goes on by itself.
    """

    only: int | None = None
    delivery: bool = False


@dataclass(frozen=True, slots=True)
class Park:
    """Let a job that only waits give way: it is queued, and goes on where it was.

    Attributes:
        hold: for a preview: seconds for which no client may have touched it.
        code: the row's new `error_code`; None: as it is.
        error: the row's new `error`; None: as it is.
    """

    job_id: int
    status: Status
    entered: int
    hold: float
    code: ErrorCode | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Fail a parked job that has waited for too long.

    Attributes:
        resumes_in: where it would have gone on.
        preview_timeout: for a preview: seconds for which no client may have touched it.
    """

    job_id: int
    resumes_in: Status
    code: ErrorCode
    error: str
    preview_timeout: float | None = None


@dataclass(frozen=True, slots=True)
class Hold:
    """Let a job that would scan by itself wait for a person: the feeder may hold another's paper.

    Attributes:
        error: the row's new `error`.
    """

    job_id: int
    status: Status
    error: str


@dataclass(frozen=True, slots=True)
class LetWait:
    """The feeder is empty: the jobs that were held up wait for their turn like any other."""
