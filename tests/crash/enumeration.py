"""From what a clean run was seen to do to all that can be done to it."""

from __future__ import annotations

from itertools import chain, islice, zip_longest
from typing import TYPE_CHECKING

from tests.crash.blows import ERRORS, Blow, Cut, Moment, Strike

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tests.crash.blows import Statement
    from tests.crash.steps import Step

_FAIL = {"write", "fsync", "close", "rename", "link"}
"""The kinds of calls that are answered with errors."""

_BY_THE_CLOCK = frozenset({"heartbeat", "progress"})
"""Statements that time brings, not the job: the first of each is struck."""

_RARE = frozenset({"expire", "expire_batches"})
"""Of retention: nothing is old enough here, and they come at any time."""


def every_blow(steps: Sequence[Step], statements: Sequence[Statement]) -> list[Blow]:
    """SIGKILL at every step, errors at every line of code, and both sides of every statement."""
    mutations = [step for step in steps if step.kind != "close"]
    return [
        *(Strike(step) for step in mutations),
        *(Strike(step, everything=True) for step in one_a_line(mutations) if step.role != "daemon"),
        *(Strike(step, error) for step in one_a_line(steps) if step.kind in _FAIL for error in ERRORS),
        *_cuts(statements),
    ]


def one_a_line(steps: Iterable[Step]) -> Iterator[Step]:
    """Of steps that differ in a number only, the last: by then there is something to lose."""
    return iter({step.line: step for step in steps}.values())


def spread(blows: Sequence[Blow], number: int) -> list[Blow]:
    """So many of them, of every sort in turn, and always the same."""
    sorts: dict[str, list[Blow]] = {}
    for blow in blows:
        sorts.setdefault(blow.sort, []).append(blow)
    # Of each sort the middle one first: begins and ends are alike.
    rows = [[*sort[len(sort) // 2 :], *sort[: len(sort) // 2]] for sort in sorts.values()]
    in_turn = chain.from_iterable(zip_longest(*rows))
    return list(islice((blow for blow in in_turn if blow is not None), number))


def _cuts(statements: Iterable[Statement]) -> Iterator[Cut]:
    for statement in statements:
        if statement.name in _RARE or (statement.name in _BY_THE_CLOCK and statement.when > 1):
            continue
        for moment in Moment:
            for kills in (True, False):
                yield Cut(statement, moment, kills)
