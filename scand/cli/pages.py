"""`scand pages` and `scand sheet`: a job's pages as a table, or as a picture of what the merge will hold."""

from __future__ import annotations

import math
from dataclasses import asdict
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import click
from PIL import Image
from rich.text import Text

from scand.cli.merged import leaves
from scand.cli.params import job_argument
from scand.cli.session import open_queue
from scand.cli.show import known_profiles
from scand.cli.tables import number, table
from scand.cli.terminal import console, echo_json, json_option
from scand.errors import BadData
from scand.jobs.rows import Choice
from scand.wording import counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.table import Table

    from scand.cli.merged import Leaf
    from scand.jobs.rows import PageRow
    from scand.queue.intents import ClientQueue

_LONGEST = 297  # pixels of a page on the contact sheet
_MANY = 120  # pages, from which on they are smaller
_A4 = (210, 297)

_file = click.Path(dir_okay=False, writable=True, path_type=Path)


@click.command()
@job_argument
@click.option("--sheet", "target", type=_file, metavar="FILE", help="Write a contact sheet there, a PNG.")
@json_option
@click.pass_obj
def pages(config: Path | None, job: int, *, target: Path | None, as_json: bool) -> None:
    """The pages of JOB, while it is being scanned, too: which there are, and which the document will hold.

    The column "document" is the page's number in the document as it would be merged now. With --sheet the pages
    of the document are drawn, in order and as they will be turned.
    """
    profiles = known_profiles(config)
    with open_queue(config) as queue:
        view, rows = queue.view(job), queue.pages(job)
        merged = leaves(view, rows, profiles)
        drawn = _draw(queue, job, merged, target) if target else 0
    document = {leaf.row.name: place for place, leaf in enumerate(merged, 1) if leaf.row}
    if as_json:
        shown = [{"name": row.name, **asdict(row), "document": document.get(row.name)} for row in rows]
        echo_json({"id": job, "status": view.job.status, "pages": shown})
    elif target:
        console().print(f"job {job}: {counted(drawn, 'page')} drawn: {target}", soft_wrap=True)
    elif rows:
        console().print(_table(rows, document))
    else:
        console().print(f"job {job} has no pages")


@click.command()
@job_argument
@click.argument("file", type=_file)
@json_option
@click.pass_context
def sheet(context: click.Context, job: int, file: Path, *, as_json: bool) -> None:
    """Draw a contact sheet of the document of JOB, as it would be merged now, into FILE, a PNG."""
    context.invoke(pages, job=job, target=file, as_json=as_json)


def _table(rows: Sequence[PageRow], document: Mapping[str, int]) -> Table:
    headers = ("page", "sheet", "side", "mm", "document", "", "turned", "place")
    made = table(*headers, right=("page", "sheet", "mm", "document", "turned", "place"))
    for row in rows:
        made.add_row(
            row.name,
            str(row.sheet),
            row.side,
            f"{row.width_mm:.0f} × {row.height_mm:.0f}",  # noqa: RUF001 - the sign for "times"
            number(document.get(row.name)),
            _word(row),
            number(row.turn or None),
            "" if row.place is None else f"{row.place:f}",
        )
    return made


def _word(row: PageRow) -> Text:
    """Why it is in the document or not, where that is not plain."""
    said = " ".join(
        [word for word, so in (("blank", row.blank), ("suspect", row.suspect)) if so] + [row.choice or ""]
    )
    return Text(
        said.strip(), "red" if row.choice == Choice.DROPPED else "dim" if row.choice is None else "green"
    )


def _draw(queue: ClientQueue, job: int, merged: Sequence[Leaf], target: Path) -> int:
    """Write the contact sheet; returns how many pages are on it.

    Raises:
        BadData: there is nothing to draw, or the file cannot be written.
    """
    from scand.cli.demo.contact_sheet import arrange  # noqa: PLC0415 - it loads what reads PDFs

    if not merged:
        raise BadData(f"Job {job} has no page for the document: scand pages {job} shows those that it has.")
    longest = int(_LONGEST * min(1.0, math.sqrt(_MANY / len(merged))))
    pictures = queue.pictures(job)
    drawn = [(_caption(leaf), _small(leaf, pictures, longest)) for leaf in merged]
    file = BytesIO()
    arrange(drawn).save(file, "PNG")
    try:
        target.write_bytes(file.getvalue())
    except OSError as error:
        raise BadData(f"{target} cannot be written: {error.strerror}.") from error
    return len(drawn)


def _caption(leaf: Leaf) -> str:
    return leaf.row.name if leaf.row else f"batch {leaf.batch_seq}"


def _small(leaf: Leaf, pictures: Mapping[tuple[int, int], bytes], longest: int) -> Image.Image:
    """A page as it will be turned; blank paper where there is no picture of it."""
    row = leaf.row
    data = pictures.get((row.batch_seq, row.page)) if row else None
    if data is None:
        size = _A4 if row is None else (max(1, round(row.width_mm)), max(1, round(row.height_mm)))
        page = Image.new("RGB", size, "white")
    else:
        with Image.open(BytesIO(data)) as picture:
            page = picture.convert("RGB")
    page = page.rotate(-leaf.turn, expand=True)
    page.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    return page
