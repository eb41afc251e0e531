"""Derives all faults from the steps and statements of a clean run."""

from __future__ import annotations

from itertools import chain, islice, zip_longest
from typing import TYPE_CHECKING

from tests.crash.faults import ERRORS, CallFault, Fault, Moment, StatementFault

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tests.crash.faults import Statement
    from tests.crash.steps import Step

_FAIL = {"write", "fsync", "close", "rename", "link"}
"""The kinds of calls that are made to fail."""

_PERIODIC = frozenset({"heartbeat", "point_at_job", "progress"})
"""Statements that depend on the time rather than on the job: only the first of each gets a fault."""

_RARE = frozenset({"restart_keep", "expire", "expire_batches"})
"""Statements of retention, which gets none: nothing is old enough here, and they come at any time."""


def every_fault(steps: Sequence[Step], statements: Sequence[Statement]) -> list[Fault]:
    """SIGKILL at every step, errors at every line of code, and faults before and after every statement."""
    mutations = [step for step in steps if step.kind != "close"]
    return [
        *(CallFault(step) for step in mutations),
        *(CallFault(step, kill_all=True) for step in one_a_line(mutations) if step.role != "daemon"),
        *(CallFault(step, error) for step in one_a_line(steps) if step.kind in _FAIL for error in ERRORS),
        *_statement_faults(statements),
    ]


def one_a_line(steps: Iterable[Step]) -> Iterator[Step]:
    """Of the steps that differ only in a number, the last: by then, there is most to lose."""
    return iter({step.line: step for step in steps}.values())


def spread(faults: Sequence[Fault], number: int) -> list[Fault]:
    """Choose so many faults from every group in turn; the choice is always the same."""
    groups: dict[str, list[Fault]] = {}
    for fault in faults:
        groups.setdefault(fault.group, []).append(fault)
    # From each group the middle one first, since the beginnings of groups are alike, and so are their ends.
    rows = [[*group[len(group) // 2 :], *group[: len(group) // 2]] for group in groups.values()]
    in_turn = chain.from_iterable(zip_longest(*rows))
    return list(islice((fault for fault in in_turn if fault is not None), number))


def _statement_faults(statements: Iterable[Statement]) -> Iterator[StatementFault]:
    for statement in statements:
        if statement.name in _RARE or (statement.name in _PERIODIC and statement.when > 1):
            continue
        for moment in Moment:
            for kills in (True, False):
                yield StatementFault(statement, moment, kills)
