"""`python -m tests.crash`: injects every fault and prints a table; exit status 1 if an invariant was violated."""

from __future__ import annotations

import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING
from uuid import uuid4

import click
from rich.console import Console
from rich.table import Table

from tests.conftest import server
from tests.crash import table
from tests.crash.enumeration import every_fault, spread
from tests.crash.installation import installation

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.crash.faults import Fault, Result
    from tests.crash.installation import Installation

_TRIES = 3
"""How often a fault is tried until its step is hit."""


_WIDTH = 150
"""The least width of the table, in columns, also where there is no terminal."""


def work(faults: SimpleQueue[Fault], url: str, base: Path, found: Callable[[Result], None]) -> None:
    """Inject faults until none is left, in a new installation after each one that violated an invariant.

    Args:
        faults: all that are left; other workers take from it, too.
        url: of a PostgreSQL server, as a superuser.
        base: a directory for the installations.
        found: is called with each result.
    """
    with ExitStack() as stack:
        current: Installation | None = None
        with suppress(Empty):
            while True:
                fault = faults.get_nowait()
                for _ in range(_TRIES):
                    current = current or stack.enter_context(installation(url, base / uuid4().hex[:8]))
                    result = current.inject(fault)
                    if result.violations:
                        result = replace(result, log=current.last_log())
                        stack.close()
                        current = None
                    if result.hit or result.violations:
                        break
                found(result)


@click.command()
@click.option(
    "--only", default="", help="Only faults whose name contains this: feeder, 'on the NAS', commit …"
)
@click.option("--every", default=1, show_default=True, help="Only every nth of them.")
@click.option("--sample", type=int, help="Only so many, from every group in turn.")
@click.option("--workers", default=2, show_default=True, help="How many are injected at a time.")
@click.option("--list", "only_list", is_flag=True, help="List them, and inject none.")
@click.option("--markdown", type=click.Path(path_type=Path), help="Write the table there as well.")
def main(
    only: str, every: int, sample: int | None, workers: int, only_list: bool, markdown: Path | None
) -> None:
    """Kill scand at every step, and check that nothing is lost."""
    out = Console(width=max(Console().width, _WIDTH))
    results: list[Result] = []
    with tempfile.TemporaryDirectory(prefix="crash-") as base, server() as url:
        with installation(url, Path(base, "clean")) as clean:
            steps, statements = clean.record()
        all_faults = every_fault(steps, statements)
        faults = [fault for fault in all_faults if only in f"{fault.family} {fault}"][::every]
        faults = spread(faults, sample) if sample else faults
        out.print(
            f"{len(steps)} steps, {len(statements)} statements: {len(faults)} of {len(all_faults)} faults"
        )
        if only_list:
            for fault in faults:
                out.print(str(fault), highlight=False)
            return
        left: SimpleQueue[Fault] = SimpleQueue()
        for fault in faults:
            left.put(fault)

        def found(result: Result) -> None:
            results.append(result)
            if result.violations or not result.hit:
                out.print(f"{result}\n{result.log}", style="red", highlight=False, markup=False)
            out.print(f"{len(results)} of {len(faults)}", end="\r", highlight=False)

        with ThreadPoolExecutor(workers) as pool:
            for worker in [pool.submit(work, left, url, Path(base), found) for _ in range(workers)]:
                worker.result()
    shown = Table(*table.HEAD)
    for row in table.rows(results):
        shown.add_row(*row)
    out.print(shown)
    if markdown:
        markdown.write_text(table.markdown(results, len(all_faults)))
    if any(result.violations or not result.hit for result in results):
        sys.exit(1)


if __name__ == "__main__":
    main()
