"""`python -m tests.bench`: runs every section, prints a table of each, and writes all figures as JSON.

For less: `--only idle --runs 2`.
"""

from __future__ import annotations

import signal
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import click
from rich.console import Console

from tests.bench import table
from tests.bench.bench import Bench
from tests.bench.sections import SECTIONS
from tests.conftest import server

_WIDTH = 170
"""The least width of the tables, in columns, also where there is no terminal."""


@click.command()
@click.option(
    "--only", type=click.Choice(list(SECTIONS)), multiple=True, help="Only this section; may be repeated."
)
@click.option("--runs", default=5, show_default=True, help="How often each thing is measured.")
@click.option(
    "--json", "target", type=click.Path(dir_okay=False, path_type=Path), help="Write all figures there."
)
@click.option(
    "--markdown", "page", type=click.Path(dir_okay=False, path_type=Path), help="Write the tables there, too."
)
@click.option(
    "--dir",
    "base",
    type=click.Path(file_okay=False),
    help="A directory on the disk to measure.  [default: $TMPDIR]",
)
def main(only: tuple[str, ...], runs: int, target: Path | None, page: Path | None, base: str | None) -> None:
    """Measure scand and its peers in turn, on this machine."""
    signal.signal(
        signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM)
    )  # so that all started processes are ended
    out = Console(width=max(Console().width, _WIDTH))
    begun, sections = time.monotonic(), []
    with tempfile.TemporaryDirectory(prefix="bench-", dir=base) as directory, server() as url:
        for name, (title, measure) in SECTIONS.items():
            if only and name not in only:
                continue
            started = time.monotonic()
            home = Path(directory, name)
            home.mkdir()
            found = [replace(line, section=name) for line in measure(Bench(home, url, runs))]
            out.print(table.shown(found, f"{title} ({time.monotonic() - started:.0f} s)"))
            sections.append((title, found))
            Bench.remove(home)
    seconds = time.monotonic() - begun
    lines = [line for _, found in sections for line in found]
    missed = [line.what for line in lines if line.met is False]
    out.print(
        f"{seconds:.0f} s; {len(missed)} of {sum(line.met is not None for line in lines)} targets missed"
    )
    if target:
        target.write_text(table.as_json(lines, seconds), "utf-8")
    if page:
        page.write_text(table.markdown(sections, runs), "utf-8")


if __name__ == "__main__":
    main()
