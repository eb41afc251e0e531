"""How rows are shown to people (words, colours) and to programs (one JSON document)."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, is_dataclass
from datetime import datetime
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from scand.jobs.lifecycle import Status

json_option = click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")

PARKED = "parked"
"""What is shown in place of "queued" where a job goes on in the status that it has left."""

_STYLES = {
    PARKED: "cyan",
    Status.DRAFT: "dim",
    Status.QUEUED: "cyan",
    Status.READY: "yellow",
    Status.SCANNING: "bold blue",
    Status.ASSEMBLING: "blue",
    Status.PREVIEW: "magenta",
    Status.COMMITTING: "blue",
    Status.COMMITTED: "green",
    Status.FAILED: "bold red",
    Status.CANCELED: "dim",
}
_ANY_WIDTH = 10_000  # columns of a pipe: nothing is cut or wrapped there


def console(*, quiet: bool = False) -> Console:
    """A console on stdout; without a terminal no line is wrapped or cut.

    Args:
        quiet: print nothing.
    """
    width = None if sys.stdout.isatty() else _ANY_WIDTH
    return Console(quiet=quiet, width=width, highlight=False, emoji=False, markup=False)


def echo_json(value: object) -> None:
    """Print one JSON document: field names are those of the columns, times are ISO 8601."""
    indent = 2 if sys.stdout.isatty() else None
    click.echo(as_json(value, indent))


def echo_line(value: object) -> None:
    """Print one JSON object on a line of its own, at once, for a reader that follows."""
    click.echo(as_json(value))
    sys.stdout.flush()


def as_json(value: object, indent: int | None = None) -> str:
    """JSON that people can read; control characters that a terminal would obey are escaped."""
    text = json.dumps(value, default=_plain, ensure_ascii=False, indent=indent)
    return "".join(sign if sign.isprintable() or sign == "\n" else _escaped(sign) for sign in text)


def _escaped(sign: str) -> str:
    return json.dumps(sign)[1:-1]


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return value.isoformat() if isinstance(value, datetime) else str(value)


def visible(text: str) -> str:
    """Foreign text without the control characters that a terminal would obey; a title may contain any."""
    return "".join(
        character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text
    )


def visible_lines(text: str) -> str:
    """The same for a text of several lines."""
    return "\n".join(map(visible, text.split("\n")))


def status_text(status: str) -> Text:
    """A status in its colour."""
    return Text(visible(status), _STYLES.get(status, ""))


def when(moment: datetime) -> str:
    """A time on this machine's clock, to the second."""
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def span(seconds: float) -> str:
    """A duration in the largest unit that fits: "40 ms", "1.4 s", "12 s", "5 min", "3 h", "4 d"."""
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size:.0f} {unit}"
    if seconds < 1:
        return f"{1000 * seconds:.0f} ms"
    return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"
