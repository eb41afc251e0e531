"""What can be done to scand, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.crash.steps import Step
    from tests.support.checker import Violation

ERRORS = ("EIO", "ENOSPC", "EDQUOT", "EINTR")
"""What a disk or a NAS answers. EINTR of write and fsync is for Python to try again (PEP 475)."""


@dataclass(frozen=True, slots=True)
class Strike:
    """What is done to a process at a step, instead of the call.

    Attributes:
        error: "EIO" …; None: SIGKILL.
        everything: the daemon and all its children are killed with it, as in a power cut.
    """

    step: Step
    error: str | None = None
    everything: bool = False

    def __str__(self) -> str:
        return f"{self.error or 'SIGKILL'}{' for all' if self.everything else ''} at {self.step}"

    @property
    def sort(self) -> str:
        """Its family, or for errors several of them."""
        return f"errors {self._where}" if self.error else self.family

    @property
    def family(self) -> str:
        """Its row in the table."""
        if self.error:
            return f"{self.error} from {self.step.kind} {self._where}"
        if self.everything:
            return f"SIGKILL for the daemon and all its children, at the {self.step.role}'s steps"
        return f"SIGKILL for the {self.step.role} at each step"

    @property
    def _where(self) -> str:
        return "on the NAS" if self.step.on_nas else "in staging"


class Moment(StrEnum):
    """When a statement is struck."""

    BEFORE = "not sent"
    AFTER = "carried out, answer not read"


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of the daemon.

    Attributes:
        name: in `sql/queries.sql`, or its first words.
        when: which of that name since the job was queued, from 1.
    """

    name: str
    when: int

    def __str__(self) -> str:
        return f"{self.name} {self.when}"


@dataclass(frozen=True, slots=True)
class Cut:
    """A statement at which the daemon is killed, or loses its session."""

    statement: Statement
    moment: Moment
    kills: bool

    def __str__(self) -> str:
        return f"{'SIGKILL' if self.kills else 'session lost'} at {self.statement}, {self.moment}"

    @property
    def family(self) -> str:
        """Its row in the table."""
        what = "SIGKILL for the daemon" if self.kills else "database session lost"
        return f"{what} at each statement: {self.moment}"

    @property
    def sort(self) -> str:
        """Its family, whenever it is."""
        return self.family.partition(":")[0]


Blow = Strike | Cut


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one blow.

    Attributes:
        struck: it was dealt; else the try says nothing.
        recovery: seconds from the blow until the agent took the job further or said why not.
        violations: what did not hold, at any change of the job or at its end.
        story: the daemon's log, where something did not hold.
    """

    blow: Blow
    struck: bool
    recovery: float
    violations: tuple[Violation, ...]
    story: str = ""

    def __str__(self) -> str:
        found = "; ".join(map(str, self.violations)) or "all invariants hold"
        return f"{self.blow}: {found if self.struck else 'NOT HIT, ' + found}"
