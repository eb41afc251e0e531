"""The lines as a table on the terminal, as docs/performance.md, and as JSON."""

from __future__ import annotations

import json
import os
import platform
from typing import TYPE_CHECKING

from rich.table import Table

from scand import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tests.bench.line import Line, Series

_MARKS = {True: "[green]met[/]", False: "[red]missed[/]", None: ""}


def shown(lines: Iterable[Line], title: str) -> Table:
    """The table of a section; the ratio comes first, since only that can be compared between machines."""
    table = Table(title=title, title_justify="left", pad_edge=False)
    for head in ("", "unit", "ratio", "scand", "spread", "n", "peer", "", "spread", "target", ""):
        table.add_column(head, justify="left" if head in {"", "unit", "peer"} else "right")
    for line in lines:
        name, theirs = line.peer or ("", None)
        table.add_row(
            f"{line.what}\n[dim]{line.note}[/]" if line.note else line.what,
            line.unit,
            f"{line.ratio:.2f} x" if line.ratio is not None else "",
            *_cells(line.ours),
            str(len(line.ours.values)),
            name,
            *(_cells(theirs) if theirs else ("", "")),
            str(line.target or ""),
            _MARKS[line.met],
        )
    return table


def markdown(sections: Iterable[tuple[str, Sequence[Line]]], runs: int) -> str:
    """docs/performance.md.

    Args:
        sections: title and lines of each.
        runs: how often each thing was measured.
    """
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    machine = (
        f"{os.cpu_count()} cores, {memory:.0f} GiB of memory, Linux {platform.release().partition('-')[0]}"
    )
    tables = (
        "\n".join([f"## {title}\n", _HEAD, "|---" * 7 + "|", *map(_row, lines)]) for title, lines in sections
    )
    return _PAGE.format(version=__version__, machine=machine, runs=runs, tables="\n\n".join(tables))


def _row(line: Line) -> str:
    name, theirs = line.peer or ("", None)
    cells = (
        f"{line.what or '… the same'}" + (f" ({line.note})" if line.note else ""),
        line.unit,
        f"{line.ratio:.2f} x" if line.ratio is not None else "",
        "{} ({})".format(*_cells(line.ours)),
        name,
        "{} ({})".format(*_cells(theirs)) if theirs else "",
        f"{line.target}, {'met' if line.met else '**missed**'}" if line.target else "",
    )
    return f"| {' | '.join(cells)} |"


_HEAD = "| what | unit | ratio | scand | beside | | target |"
_PAGE = """\
# How fast scand is, and how much it takes

`make bench` made this page, with scand {version}, on a machine with {machine}.

scand and what people use today take turns, {runs} times each, so that whatever else the machine does strikes
both. A figure is the median of the runs, with the least and the most in parentheses. The ratio is the median of
the runs' own ratios, and is what travels from one machine to another. Targets are those of
[the design](design.md#speed-and-size). JPEG is made at the same quality, and checked to have the same
quantization tables. Memory is PSS of the whole process tree.

{tables}
"""


def _cells(series: Series) -> tuple[str, str]:
    low, high = series.spread
    return number(series.median), f"{number(low)} - {number(high)}"


def number(value: float) -> str:
    """A number with three significant digits."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def as_json(lines: Sequence[Line], seconds: float) -> str:
    """All figures with a description of the machine, as JSON; `seconds` is how long everything took."""
    machine = {
        "cores": os.cpu_count(),
        "memory": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load": os.getloadavg(),
    }
    found = {
        "scand": __version__,
        "machine": machine,
        "seconds": seconds,
        "lines": [line.json() for line in lines],
    }
    return json.dumps(found, indent=1, ensure_ascii=False) + "\n"
