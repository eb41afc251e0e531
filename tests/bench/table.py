"""The lines as a table for the terminal, and as JSON."""

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
