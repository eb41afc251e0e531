"""The tables of the command line: without a grid, with dim headers."""

from __future__ import annotations

from rich import box
from rich.table import Table


def table(*headers: str, right: tuple[str, ...] = ()) -> Table:
    """A table without a grid; columns in `right` are numbers."""
    made = Table(
        box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, collapse_padding=True, header_style="dim"
    )
    for header in headers:
        made.add_column(header, justify="right" if header in right else "left", no_wrap=True)
    return made


def number(value: int | None) -> str:
    """A number, or nothing where there is none."""
    return "" if value is None else str(value)
