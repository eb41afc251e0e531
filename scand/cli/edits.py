"""`scand drop`, `keep`, `turn` and `move`: what is to be done with single pages when the job is merged."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from scand.cli.merged import leaves, places
from scand.cli.moving import Where, moved
from scand.cli.page_names import PageName, PageRange, named
from scand.cli.params import job_argument, page_argument
from scand.cli.session import open_queue
from scand.cli.show import known_profiles
from scand.cli.terminal import console, echo_json, json_option
from scand.cli.wishes import Wish, refusal
from scand.errors import BadData, TryAgain, UsageError
from scand.jobs.rows import Choice
from scand.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from typing import Any

    from scand.jobs.rows import PageRow
    from scand.queue.intents import JobView

    Profiles = Mapping[str, Mapping[str, Any]]
    Change = Callable[[JobView, Sequence[PageRow], Profiles], list[PageRow]]

_TRIES = 5
"""Looks at a job that somebody else changes at the same time."""


@click.command()
@job_argument
@page_argument
@click.option("--undo", is_flag=True, help="Go by the settings again, as if nothing had been said.")
@json_option
@click.pass_obj
def drop(config: Path | None, job: int, pages: tuple[PageRange, ...], *, undo: bool, as_json: bool) -> None:
    """Leave PAGEs of JOB out of the document; they stay on disk.

    A PAGE is 2.17 (page 17 of batch 2) or 2.3-8; scand pages JOB shows them.
    """
    _choose(config, Wish.DROP, job, pages, None if undo else Choice.DROPPED, as_json=as_json)


@click.command()
@job_argument
@page_argument
@click.option("--undo", is_flag=True, help="Go by the settings again, as if nothing had been said.")
@json_option
@click.pass_obj
def keep(config: Path | None, job: int, pages: tuple[PageRange, ...], *, undo: bool, as_json: bool) -> None:
    """Take PAGEs of JOB into the document, blank ones, too, or such as were dropped.

    A PAGE is 2.17 (page 17 of batch 2) or 2.3-8; scand pages JOB shows them.
    """
    _choose(config, Wish.KEEP, job, pages, None if undo else Choice.KEPT, as_json=as_json)


@click.command()
@job_argument
@click.argument("degrees", type=click.Choice(["0", "90", "180", "270"]))
@page_argument
@json_option
@click.pass_obj
def turn(config: Path | None, job: int, degrees: str, pages: tuple[PageRange, ...], *, as_json: bool) -> None:
    """Turn PAGEs of JOB clockwise in the document by so many DEGREES from how they were scanned; 0: not at all.

    A PAGE is 2.17 (page 17 of batch 2) or 2.3-8; scand pages JOB shows them.
    """

    def turned(_view: JobView, rows: Sequence[PageRow], _profiles: Profiles) -> list[PageRow]:
        return [replace(row, turn=int(degrees)) for row in named(job, rows, pages)]

    _edit(config, Wish.TURN, job, turned, "turned" if int(degrees) else "not turned", as_json=as_json)


@click.command()
@job_argument
@page_argument
@click.option("--before", type=PageName(), metavar="PAGE", help="They come just before this page.")
@click.option("--after", type=PageName(), metavar="PAGE", help="They come just after this page.")
@click.option("--undo", is_flag=True, help="They go back to where they were fed.")
@json_option
@click.pass_obj
def move(
    config: Path | None,
    job: int,
    pages: tuple[PageRange, ...],
    *,
    before: PageRange | None,
    after: PageRange | None,
    undo: bool,
    as_json: bool,
) -> None:
    """Give PAGEs of JOB another place in the document.

    Without an option the last PAGE is the one whose place the others take: after scand drop 7 1.17 and a batch of
    one sheet, scand move 7 3.1 1.17 puts the new scan where the bad one was. A PAGE is 2.17 (page 17 of batch 2)
    or 2.3-8; scand pages JOB shows them.
    """
    given = [option for option in (before, after, undo or None) if option]
    if len(given) > 1:
        raise UsageError("--before, --after and --undo exclude each other: give one of them.")
    if not given and len(pages) < 2:
        raise UsageError("Name the page whose place it takes, too: scand move JOB 3.1 1.17.")
    target = before or after or (None if undo else pages[-1])
    chosen = pages if given else pages[:-1]
    where = Where.BEFORE if before else Where.AFTER if after else Where.INSTEAD

    def changed(view: JobView, rows: Sequence[PageRow], profiles: Profiles) -> list[PageRow]:
        found = named(job, rows, chosen)
        if target is None:
            return [replace(row, place=None) for row in found]
        (first, *others) = named(job, rows, [target])
        if others:
            raise UsageError("Name one page as the place, not several.")
        return moved(places(view, rows, profiles), found, first, where)

    _edit(config, Wish.MOVE, job, changed, "back where they were fed" if undo else "moved", as_json=as_json)


def _choose(
    config: Path | None,
    wish: Wish,
    job: int,
    pages: tuple[PageRange, ...],
    choice: Choice | None,
    *,
    as_json: bool,
) -> None:
    def chosen(_view: JobView, rows: Sequence[PageRow], _profiles: Profiles) -> list[PageRow]:
        return [replace(row, choice=choice) for row in named(job, rows, pages)]

    _edit(config, wish, job, chosen, choice or "as the settings say", as_json=as_json)


def _edit(config: Path | None, wish: Wish, job_id: int, change: Change, done: str, *, as_json: bool) -> None:
    """Change pages in one statement, as the job was seen, and print them.

    Args:
        change: the rows as they are to be.
        done: what they are then, for people.

    Raises:
        BadData: the job is not ready, or has no such page.
        TryAgain: somebody else changed the job at each of the tries.
    """
    profiles = known_profiles(config)
    with open_queue(config) as queue:
        for _ in range(_TRIES):
            view = queue.view(job_id)
            if why := refusal(wish, view):
                raise BadData(why)
            wanted = change(view, queue.pages(job_id), profiles)
            try:
                edited = queue.edit(job_id, view.job.steps, wanted)
            except BadData:  # it has taken a step in this moment: the next look tells
                continue
            if edited:
                break
        else:
            raise TryAgain(f"Job {job_id} keeps changing: look at it (scand pages {job_id}) and try again.")
        kept = sum(leaf.row is not None for leaf in leaves(view, queue.pages(job_id), profiles))
    if as_json:
        echo_json({"id": job_id, "pages": wanted, "pages_in_document": kept})
        return
    which = wanted[0].name if len(wanted) == 1 else counted(len(wanted), "page")
    is_ = "is" if len(wanted) == 1 else "are"
    console().print(f"job {job_id}: {which} {is_} {done}; pages in the document: {kept}")
