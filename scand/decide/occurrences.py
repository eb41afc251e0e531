"""What happens to the daemon. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from scand import wire
    from scand.decide.state import Limits, Snapshot


@dataclass(frozen=True, slots=True)
class Looked:
    """The rows and the disk were read."""

    look: Snapshot


@dataclass(frozen=True, slots=True)
class LookDue:
    """There is a session, and a hint or the poll says that the rows may have changed."""


@dataclass(frozen=True, slots=True)
class DatabaseLost:
    """No rows for now; scanning goes on to the end of the batch."""


@dataclass(frozen=True, slots=True)
class Displaced:
    """Another daemon leads: ours writes nothing more."""


@dataclass(frozen=True, slots=True)
class FeederSaid:
    """The feeder reported."""

    report: wire.Report


@dataclass(frozen=True, slots=True)
class FeederEnded:
    """The feeder's process is no more (or could not be started).

    Attributes:
        how: "exit status 1", "signal 11", for the log and the error sentence.
    """

    how: str


@dataclass(frozen=True, slots=True)
class CourierSaid:
    """The courier reported."""

    report: wire.Report


@dataclass(frozen=True, slots=True)
class CourierEnded:
    """The courier's process is no more (or could not be started)."""

    how: str


@dataclass(frozen=True, slots=True)
class ScanAsked:
    """SIGUSR1."""


@dataclass(frozen=True, slots=True)
class StopAsked:
    """SIGTERM."""


@dataclass(frozen=True, slots=True)
class Configured:
    """The config was read, or read again."""

    limits: Limits


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed.

    Attributes:
        listened: when children were last listened to, monotonic seconds: nobody is silent for what was not heard.
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
