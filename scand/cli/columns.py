"""A job as a line: which columns fit into a width, and what is cut first. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len
from rich.text import Text

from scand.cli.parked import shown_status, waits_for
from scand.cli.progress import pages
from scand.cli.tables import number, table
from scand.cli.terminal import status_text, visible, when
from scand.jobs.lifecycle import Status
from scand.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.table import Table

    from scand.queue.intents import JobRow

_TITLE = 32
"""Characters. Below that a title is cut only when no other column can be left out."""

_PLACE = 16
"""Characters to which the path of a file is cut before a title is; a shorter one would say nothing."""

_GAP = 2  # between two columns of `table`

_MERGED = frozenset({Status.PREVIEW, Status.COMMITTING, Status.COMMITTED})


class _Column(NamedTuple):
    name: str
    cell: Callable[[JobRow], Text]


def _note(job: JobRow) -> Text:
    """Why it waits, what its document lacks, and where that is."""
    said, place = _fault(job), Text(visible(job.inbox_path or ""), "dim")
    if job.error_code or job.error or not place:
        return said
    return Text.assemble(said, " · ", place) if said else place


def _fault(job: JobRow) -> Text:
    lacks = ""
    if job.left_out and job.stage in _MERGED:
        lacks = f"{counted(job.left_out, 'safe page')} not in it"
    said = Text(visible(job.error_code or job.error or lacks), "red")
    waits = Text(waits_for(job), "cyan")
    return Text.assemble(waits, ": ", said) if waits and said else waits or said


_ID = _Column("id", lambda job: Text(str(job.id)))
_STATUS = _Column("status", lambda job: status_text(shown_status(job)))
_TITLES = _Column("title", lambda job: Text(visible(job.title)))
_PAGES = _Column("pages", lambda job: Text(number(pages(job))))
_MINUTE = _Column("created", lambda job: Text(when(job.created_at).rpartition(":")[0]))
_DAY = _Column("created", lambda job: Text(when(job.created_at).partition(" ")[0]))
_NOTE = _Column("note", _note)
_FAULT = _Column("note", _fault)

_CHOICES = (
    (_ID, _STATUS, _TITLES, _PAGES, _MINUTE, _NOTE),
    (_ID, _STATUS, _TITLES, _PAGES, _MINUTE, _FAULT),
    (_ID, _STATUS, _TITLES, _PAGES, _DAY, _FAULT),
    (_ID, _STATUS, _TITLES, _PAGES, _FAULT),
    (_ID, _STATUS, _TITLES, _FAULT),
    (_ID, _STATUS, _TITLES, _PAGES),
    (_ID, _STATUS, _TITLES),
)
"""From the widest to the narrowest: the file's path is left out first, a fault and the title last."""


def plain(job: JobRow) -> str:
    """A job's line for a pipe: every field, uncut, separated by tabs."""
    return "\t".join(column.cell(job).plain for column in _CHOICES[0])


def fitted(jobs: Sequence[JobRow], width: int) -> Table:
    """The table for a terminal of `width` characters: no line is longer."""
    longest = max(cell_len(visible(job.title)) for job in jobs)
    for choice in _CHOICES:
        columns = [column for column in choice if column is _TITLES or any(map(column.cell, jobs))]
        widths = {column.name: _natural(column, jobs) for column in columns if column is not _TITLES}
        place = widths["note"] if _NOTE in columns else 0
        room = width - _GAP * len(widths) - sum(widths.values()) + place
        if min(longest, _TITLE) + min(place, _PLACE) <= room:
            break
    title = max(1, cell_len("title"), min(longest, room - min(place, _PLACE)))
    widths["title"] = title
    if place:
        widths["note"] = min(place, room - title)
    made = table(*(column.name for column in columns), right=("id", "pages"))
    for column in made.columns:
        column.overflow, column.width = "ellipsis", widths[str(column.header)]
    for job in jobs:
        made.add_row(*(column.cell(job) for column in columns))
    return made


def _natural(column: _Column, jobs: Sequence[JobRow]) -> int:
    return max(cell_len(column.name), *(cell_len(column.cell(job).plain) for job in jobs))
