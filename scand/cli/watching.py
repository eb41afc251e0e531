"""`scand watch`: follow a job live, as a picture on a terminal, elsewhere as a line for each change."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, NamedTuple

import click
from rich.live import Live

from scand.cli.hints import Asked, asked, hint
from scand.cli.params import optional_job_argument
from scand.cli.parked import shown_status
from scand.cli.picture import doing, picture
from scand.cli.program import as_called
from scand.cli.progress import exit_status, progress, rests
from scand.cli.session import open_queue
from scand.cli.show import known_profiles
from scand.cli.terminal import console, echo_line, json_option
from scand.jobs.lifecycle import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from rich.console import Console

    from scand.queue.intents import ClientQueue, Health, JobView, Unfinished

    Profiles = Mapping[str, Mapping[str, Any]]

_LOOK_EVERY = 0.5
"""Seconds between two looks while no notification comes: the daemon counts pages once a second."""


class Sight(NamedTuple):
    """What is shown of a job at one moment.

    Attributes:
        next: what to do, or what happens by itself (see `hints`); commands are spelled as this program was called.
    """

    view: JobView
    health: Health
    next: str


@click.command()
@optional_job_argument
@json_option
@click.pass_obj
def watch(config: Path | None, job: int | None, *, as_json: bool) -> int:
    """Follow JOB live, until it rests.

    Without JOB: the one that holds the scanner, or else the first in the queue; where there is none, the next that
    comes is waited for.

    A job rests when nothing happens to it before a person says so: committed, preview, failed, canceled, draft,
    ready with a batch or a fault, or parked with a preview. One that is parked on its way to the NAS goes on by
    itself, and is followed. The exit status is 0 where all is well, 75 where a person must do
    something first (see the error), 65 where the job has failed. With --json each change is an object on a line of
    its own.
    """
    with open_queue(config) as queue:
        profiles = known_profiles(config)
        follow = _tell if as_json else watch_until_rest
        return follow(queue, job if job is not None else _next(queue, as_json=as_json), profiles)


def _next(queue: ClientQueue, *, as_json: bool) -> int:
    """The job that holds the scanner, the first in the queue, or the next one that comes.

    Where there is none yet, it says once that it waits.
    """
    queue.listen()
    before = queue.mark()
    told = False
    while True:
        coming = [job for job in queue.unfinished() if _is_coming(job)]
        if coming:  # a parked job after those that wait for the scanner
            return min(coming, key=lambda job: job.resumes_in is not None).id
        for step in queue.steps_since(before):  # it may have come and gone between two looks
            if step.to_status != Status.DRAFT:
                return step.job_id
        if not told:
            told = True
            if as_json:
                echo_line({"job": None})
            else:
                click.echo("no job is under way: waiting for the next one (Ctrl-C ends)")
        queue.wait(_LOOK_EVERY)


def _is_coming(job: Unfinished) -> bool:
    """Whether the job holds the scanner, waits for it, or goes on once the NAS is well."""
    return (job.status == Status.QUEUED and job.resumes_in != Status.PREVIEW) or Status(job.status).active


def watch_until_rest(queue: ClientQueue, job_id: int, profiles: Profiles, *, quiet: bool = False) -> int:
    """Show a job until it rests, and return the exit status that scand watch ends with.

    Args:
        queue: the job's.
        job_id: which.
        profiles: those of the config, for the hints.
        quiet: show nothing.
    """
    with screen(console(quiet=quiet)) as show:
        for view, health in looks(queue, job_id):
            show(_sight(view, health, profiles))
            if rests(view.job):
                return exit_status(view.job)
    raise AssertionError  # looks() ends only when it is closed


def _sight(view: JobView, health: Health, profiles: Profiles) -> Sight:
    wish = asked(view.job, profiles) if isinstance(view.job.settings, dict) else Asked()
    return Sight(view, health, as_called(hint(view, wish, health.current_job_id)))


def looks(queue: ClientQueue, job_id: int) -> Iterator[tuple[JobView, Health]]:
    """Look at a job again and again: at each of its steps, and every `_LOOK_EVERY` seconds between them."""
    queue.listen()
    while True:
        yield queue.view(job_id), queue.health()
        queue.wait(_LOOK_EVERY)


def _tell(queue: ClientQueue, job_id: int, profiles: Profiles) -> int:
    """Print a line of JSON for each change until the job rests, and return the exit status."""
    said = ""
    for view, health in looks(queue, job_id):
        sight = _sight(view, health, profiles)
        if (line := f"{doing(*sight).plain} {view.job.status} {view.job.resumes_in}") != said:
            said = line
            steady = {key: value for key, value in asdict(view.job).items() if key != "settings"}
            moving = {
                **progress(view)._asdict(),
                "edits": view.edits._asdict(),
                "agent_alive": health.alive,
                "next": sight.next,
            }
            echo_line({"job": steady, "progress": moving})
        if rests(view.job):
            return exit_status(view.job)
    raise AssertionError  # looks() ends only when it is closed


@contextmanager
def screen(out: Console) -> Iterator[Callable[[Sight], None]]:
    """A function that shows a job: in place on a terminal, as lines elsewhere."""
    if not out.is_terminal:
        yield _Lines(out).show
        return
    with Live(console=out, auto_refresh=False) as live:
        yield lambda sight: live.update(picture(*sight), refresh=True)


class _Lines:
    """Prints a line when it differs from the last one."""

    def __init__(self, out: Console) -> None:
        self._out = out
        self._said = ""

    def show(self, sight: Sight) -> None:
        job = sight.view.job
        line = f"job {job.id}  {shown_status(job):<11} {doing(*sight).plain}".rstrip()
        if line != self._said:
            self._said = line
            self._out.print(time.strftime("%H:%M:%S"), line, soft_wrap=True)
