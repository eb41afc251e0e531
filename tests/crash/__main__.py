"""`python -m tests.crash`: every blow, two at a time, and a table. Ends with 1 if anything was broken."""

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
from tests.crash.enumeration import every_blow, spread
from tests.crash.scene import installation

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.crash.blows import Blow, Result
    from tests.crash.scene import Scene

_TRIES = 3
"""For a blow that did not come about."""


_WIDTH = 150
"""Columns for the table, also where nobody says how many there are."""


def work(blows: SimpleQueue[Blow], url: str, base: Path, found: Callable[[Result], None]) -> None:
    """Deal blows until none is left; after one that broke something, in a new installation."""
    with ExitStack() as stack:
        place: Scene | None = None
        with suppress(Empty):
            while True:
                blow = blows.get_nowait()
                for _ in range(_TRIES):
                    place = place or stack.enter_context(installation(url, base / uuid4().hex[:8]))
                    result = place.deal(blow)
                    if result.violations:
                        result = replace(result, story=place.last_log())
                        stack.close()
                        place = None
                    if result.struck or result.violations:
                        break
                found(result)


@click.command()
@click.option(
    "--only", default="", help="Only blows whose name has this in it: feeder, 'on the NAS', commit …"
)
@click.option("--every", default=1, show_default=True, help="Only every so many of them.")
@click.option("--sample", type=int, help="Only so many, of every family in turn.")
@click.option("--workers", default=2, show_default=True, help="At a time.")
@click.option("--list", "only_list", is_flag=True, help="Name them, and deal none.")
@click.option("--markdown", type=click.Path(path_type=Path), help="Write the table there, too.")
def main(
    only: str, every: int, sample: int | None, workers: int, only_list: bool, markdown: Path | None
) -> None:
    """Kill scand at every step, and see that nothing is lost."""
    out = Console(width=max(Console().width, _WIDTH))
    results: list[Result] = []
    with tempfile.TemporaryDirectory(prefix="crash-") as base, server() as url:
        with installation(url, Path(base, "clean")) as clean:
            steps, statements = clean.record()
        every_one = every_blow(steps, statements)
        blows = [blow for blow in every_one if only in f"{blow.family} {blow}"][::every]
        blows = spread(blows, sample) if sample else blows
        out.print(f"{len(steps)} steps, {len(statements)} statements: {len(blows)} of {len(every_one)} blows")
        if only_list:
            for blow in blows:
                out.print(str(blow), highlight=False)
            return
        left: SimpleQueue[Blow] = SimpleQueue()
        for blow in blows:
            left.put(blow)

        def found(result: Result) -> None:
            results.append(result)
            if result.violations or not result.struck:
                out.print(f"{result}\n{result.story}", style="red", highlight=False, markup=False)
            out.print(f"{len(results)} of {len(blows)}", end="\r", highlight=False)

        with ThreadPoolExecutor(workers) as pool:
            for worker in [pool.submit(work, left, url, Path(base), found) for _ in range(workers)]:
                worker.result()
    shown = Table(*table.HEAD)
    for row in table.rows(results):
        shown.add_row(*row)
    out.print(shown)
    if markdown:
        markdown.write_text(table.markdown(results, len(every_one)))
    if any(result.violations or not result.struck for result in results):
        sys.exit(1)


if __name__ == "__main__":
    main()
