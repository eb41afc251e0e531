"""`scand watch`: a job live, on a terminal as a picture of its road, elsewhere as a line for each change."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click
from rich.console import Group
from rich.live import Live
from rich.padding import Padding
from rich.text import Text

from scand.cli.jobs import JOB_ID
from scand.cli.progress import exit_status, progress, rests
from scand.cli.session import open_desk
from scand.cli.terminal import console, counted, span, status_text, visible
from scand.errors import BadData
from scand.jobs import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from rich.console import Console

    from scand.desk import Desk, Health, JobView

_LOOK_EVERY = 0.5
"""Seconds between two looks while no step is notified: pages are counted once a second."""

_ROAD = (
    Status.QUEUED,
    Status.READY,
    Status.SCANNING,
    Status.ASSEMBLING,
    Status.PREVIEW,
    Status.COMMITTING,
    Status.COMMITTED,
)


@click.command()
@click.argument("job", type=JOB_ID, required=False)
@click.pass_obj
def watch(config: Path | None, job: int | None) -> int:
    """Follow JOB live, until it rests.

    Without JOB: the one that holds the scanner, or else the first in the queue.

    A job rests when nothing happens to it before a person says so: committed, preview, failed, canceled, draft,
    or ready with a batch or a fault. The exit status is 0 where all is well, 75 where a person must do
    something first (see the error), 65 where the job has failed.
    """
    with open_desk(config) as desk:
        return watch_until_rest(desk, job if job is not None else _first(desk))


def _first(desk: Desk) -> int:
    for job_id, status in desk.unfinished():
        if status == Status.QUEUED or status in _ROAD[1:]:
            return job_id
    raise BadData("No job is under way or queued: name one (scand list shows them), or submit one.")


def watch_until_rest(desk: Desk, job_id: int, *, quiet: bool = False) -> int:
    """Show a job until it rests; the exit status that its end is worth.

    Args:
        quiet: show nothing.
    """
    with screen(console(quiet=quiet)) as show:
        for view, health in looks(desk, job_id):
            show(view, health)
            if rests(view.job):
                return exit_status(view.job)
    raise AssertionError  # looks() ends only when it is closed


def looks(desk: Desk, job_id: int) -> Iterator[tuple[JobView, Health]]:
    """Look at a job again and again, at each of its steps and between them."""
    desk.listen()
    while True:
        yield desk.view(job_id), desk.health()
        desk.wait(_LOOK_EVERY)


@contextmanager
def screen(out: Console) -> Iterator[Callable[[JobView, Health], None]]:
    """A function that shows a job: in place on a terminal, as lines elsewhere."""
    if not out.is_terminal:
        yield _Lines(out).show
        return
    with Live(console=out, auto_refresh=False) as live:
        yield lambda view, health: live.update(_picture(view, health), refresh=True)


class _Lines:
    """Says what has changed, and nothing twice."""

    def __init__(self, out: Console) -> None:
        self._out = out
        self._said = ""

    def show(self, view: JobView, health: Health) -> None:
        job = view.job
        line = f"job {job.id}  {job.status:<11} {_doing(view, health).plain}".rstrip()
        if line != self._said:
            self._said = line
            self._out.print(time.strftime("%H:%M:%S"), line, soft_wrap=True)


def _picture(view: JobView, health: Health) -> Padding:
    job = view.job
    title = Text.assemble(
        (f"job {job.id}  ", "dim"), (visible(job.title), "bold"), no_wrap=True, overflow="ellipsis"
    )
    return Padding(Group(title, _road(job.status), _doing(view, health)), (0, 0, 1, 0))


def _road(status: str) -> Text:
    """Where the job is on its way; a status off the road (failed, canceled, draft) stands alone."""
    if status not in _ROAD:
        return status_text(status)
    here = _ROAD.index(Status(status))
    road = Text(no_wrap=True, overflow="ellipsis")
    for place, stop in enumerate(_ROAD):
        if place:
            road.append(" ── ", "" if place <= here else "dim")
        road.append_text(status_text(stop) if place == here else Text(stop, "" if place < here else "dim"))
    return road


def _doing(view: JobView, health: Health) -> Text:
    """What happens now, or what is waited for."""
    job, now = view.job, progress(view)
    if job.error:
        return Text(visible(job.error), "red")
    if job.status in set(_ROAD[:-1]) and not health.alive:
        return Text("no agent is alive: the job waits until one is (scand doctor tells more)", "red")
    match job.status:
        case Status.QUEUED:
            return Text(
                f"waiting: the scanner is job {health.current_job_id}'s" if health.current_job_id else ""
            )
        case Status.SCANNING:
            parts = [f"batch {now.batch}", counted(now.batch_pages or 0, "page")]
            if sheets := _sheets(view, now.batch_pages or 0):
                parts.append(sheets)
            if now.per_minute:
                parts.append(f"{now.per_minute:.0f} images/min")
            if now.left is not None:
                parts.append(f"at most {span(now.left)} left")
            return Text(" · ".join(parts))
        case Status.READY if not view.batches:
            return Text(f"put the paper in, then: scand scan {job.id}")
        case Status.READY:
            return Text(
                f"{_amount(view)} · more paper: scand scan {job.id} · that was all: scand finish {job.id}"
            )
        case Status.ASSEMBLING | Status.COMMITTING if now.step:
            parts = [_amount(view), f"{now.step} {now.share:.0%}"]
            if now.left is not None:
                parts.append(f"about {span(now.left)} left")
            return Text(" · ".join(parts))
        case Status.PREVIEW:
            return Text(f"{_amount(view)} · as it should be: scand commit {job.id}")
        case Status.COMMITTED:
            return Text(f"{_amount(view)} · {visible(job.inbox_path or '')}")
        case _:
            return Text(_amount(view))


def _sheets(view: JobView, pages: int) -> str:
    """Only the settings that the job itself names say whether a sheet is two pages; a profile is the agent's."""
    duplex = view.job.setting("sides") == "duplex"
    return counted((pages + 1) // 2, "sheet") if duplex else ""


def _amount(view: JobView) -> str:
    pages = counted(progress(view).pages, "page")
    return f"{pages} in {counted(view.job.batch_count, 'batch')}" if view.batches else ""
