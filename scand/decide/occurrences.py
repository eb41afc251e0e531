"""What can happen to the daemon. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from scand import wire
    from scand.decide.state import Limits, Snapshot


@dataclass(frozen=True, slots=True)
class Looked:
    """The rows and the disk were read."""

    snapshot: Snapshot


@dataclass(frozen=True, slots=True)
class LookDue:
    """The rows may have changed: a notification came, the poll is due, or the daemon has written a row."""


@dataclass(frozen=True, slots=True)
class DatabaseLost:
    """The database does not answer. A batch that is being scanned goes on to its end."""


@dataclass(frozen=True, slots=True)
class Displaced:
    """Another daemon leads: this one writes nothing more."""


@dataclass(frozen=True, slots=True)
class FeederSaid:
    """The feeder sent a report."""

    report: wire.Report


@dataclass(frozen=True, slots=True)
class FeederEnded:
    """The feeder's process has ended, or could not be started.

    Attributes:
        how: "exit status 1", "signal 11" …, for the log and the error sentence.
    """

    how: str


@dataclass(frozen=True, slots=True)
class CourierSaid:
    """The courier sent a report."""

    report: wire.Report


@dataclass(frozen=True, slots=True)
class CourierEnded:
    """The courier's process has ended or could not be started, or it waits for another task.

    Attributes:
        how: "exit status 1", "signal 11", "done" …, for the error sentence.
    """

    how: str


@dataclass(frozen=True, slots=True)
class ScanAsked:
    """SIGUSR1: "scan now"."""


@dataclass(frozen=True, slots=True)
class StopAsked:
    """SIGTERM or SIGINT."""


@dataclass(frozen=True, slots=True)
class Configured:
    """The config was read, or read again."""

    limits: Limits


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed.

    Attributes:
        listened: when the reports of children were last read, `monotonic()` seconds. Silence is counted up to
            then, since what a child has said later is still unread.
    """

    listened: float = float("inf")


Occurrence: TypeAlias = (
    Looked
    | LookDue
    | DatabaseLost
    | Displaced
    | FeederSaid
    | FeederEnded
    | CourierSaid
    | CourierEnded
    | ScanAsked
    | StopAsked
    | Configured
    | Tick
)
"""Whatever can happen."""
