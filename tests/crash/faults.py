"""The faults that can be injected into scand, and their results."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.crash.steps import Step
    from tests.support.checker import Violation

ERRORS = ("EIO", "ENOSPC", "EDQUOT", "EINTR")
"""What a disk or a NAS may answer. Python itself tries write and fsync again after EINTR (PEP 475)."""


@dataclass(frozen=True, slots=True)
class CallFault:
    """A fault at a system call, which is not carried out.

    Attributes:
        step: the call.
        error: what it returns, "EIO" …; None: its process gets SIGKILL.
        kill_all: the daemon and all its children are killed, too, as in a power cut.
    """

    step: Step
    error: str | None = None
    kill_all: bool = False

    def __str__(self) -> str:
        return f"{self.error or 'SIGKILL'}{' for all' if self.kill_all else ''} at {self.step}"

    @property
    def group(self) -> str:
        """Its family; for errors, several families together."""
        return f"errors {self._where}" if self.error else self.family

    @property
    def family(self) -> str:
        """Its row in the table."""
        if self.error:
            return f"{self.error} from {self.step.kind} {self._where}"
        if self.kill_all:
            return f"SIGKILL for the daemon and all its children, at the {self.step.role}'s steps"
        return f"SIGKILL for the {self.step.role} at each step"

    @property
    def _where(self) -> str:
        return "on the NAS" if self.step.on_nas else "in staging"


class Moment(StrEnum):
    """When the fault occurs at a statement."""

    BEFORE = "not sent"
    AFTER = "carried out, answer not read"


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement of the daemon.

    Attributes:
        name: in `sql/agent.sql`, or its first words.
        when: which one of that name since the job was queued, from 1.
    """

    name: str
    when: int

    def __str__(self) -> str:
        return f"{self.name} {self.when}"


@dataclass(frozen=True, slots=True)
class StatementFault:
    """A fault at a statement.

    Attributes:
        statement: which one.
        moment: before or after it is carried out.
        kills: the daemon is killed; else its session is lost.
    """

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
    def group(self) -> str:
        """Its family, whatever the moment."""
        return self.family.partition(":")[0]


Fault = CallFault | StatementFault


@dataclass(frozen=True, slots=True)
class Result:
    """What happened when a fault was injected.

    Attributes:
        fault: which one.
        hit: the call or statement was reached; if not, the try proves nothing.
        recovery: seconds from the fault until the agent went on with the job or said why not.
        violations: what did not hold at any change of the job or at its end.
        log: the daemon's log, if something did not hold.
    """

    fault: Fault
    hit: bool
    recovery: float
    violations: tuple[Violation, ...]
    log: str = ""

    def __str__(self) -> str:
        found = "; ".join(map(str, self.violations)) or "all invariants hold"
        return f"{self.fault}: {found if self.hit else 'NOT HIT, ' + found}"
