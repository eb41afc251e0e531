"""The results as a table: a row for each family of faults, with its tries and the invariants that held."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.checker import INVARIANTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tests.crash.faults import Result

HEAD = ("fault", "tries", "not hit", *INVARIANTS, "longest recovery")


def rows(results: Iterable[Result]) -> list[tuple[str, ...]]:
    """A row for each family, and one for all of them."""
    families: dict[str, list[Result]] = {}
    for result in results:
        families.setdefault(result.fault.family, []).append(result)
    found = [_row(family, of_it) for family, of_it in families.items()]
    return [*found, _row("all", [result for of_it in families.values() for result in of_it])]


def _row(name: str, results: Sequence[Result]) -> tuple[str, ...]:
    broken = [{violation.invariant for violation in result.violations} for result in results]
    times = {letter: sum(letter in letters for letters in broken) for letter in INVARIANTS}
    return (
        name,
        str(sum(result.hit for result in results)),
        str(sum(not result.hit for result in results)),
        *("✓" if not times[letter] else f"✗ {times[letter]}" for letter in INVARIANTS),
        f"{max((result.recovery for result in results), default=0):.1f} s",
    )


def markdown(results: Sequence[Result], of: int) -> str:
    """The text of docs/crash.md, for the results of these out of `of` faults."""
    lines = [HEAD, tuple("---" for _ in HEAD), *rows(results)]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return _PAGE.format(table=table, tries=sum(result.hit for result in results), of=of)


_PAGE = """\
# Killed at every step

`make crashtest` writes this page. It records one clean run with `strace`: two batches are scanned, a page is
turned, they are merged, previewed, merged again with another title, parked since somebody else wants the scanner,
committed while they are parked, and published. Then it runs such a job
again for each system call with which daemon, feeder or courier
changed the staging directory or the NAS, and for each statement that the daemon sent to PostgreSQL. At exactly
that call the process is killed (SIGKILL, the call is not carried out) or the call fails; at the statement the
daemon is killed or its session is lost, before or after it is carried out. If the daemon died, it is started
again, and a simulated operator does what `error` says. A checker looks at database, staging directory, NAS and
the numbers of the sides that were fed, at each change of the job and at its end.

Of many writes into one file, only the first two and the last get a fault; errors and power cuts come once for
each line of code. A fault whose call was not reached in three tries is "not hit" and proves nothing.

{tries} of {of} faults were injected. The letters are the invariants of [the design](design.md#invariants).
✓: it held in every try; ✗: in how many it did not.

| | |
| --- | --- |
| **P** | every captured page is in local staging or in the document |
| **D** | at most one Inbox file for a job and a hash, never partial, no side twice |
| **C** | committed: the file is there, with that hash |
| **S** | only legal steps; a committed job never changes |
| **L** | local pages are deleted only after C |
| **M** | no byte under a bare mountpoint |
| **A** | one active job |
| **T** | every job moves or says why not, and is committed in the end |
| **W** | no document is shorter than what was fed, or in another order |

{table}
"""
