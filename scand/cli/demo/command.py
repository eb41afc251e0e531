"""`scand demo`: one job from paper to PDF, shown as it happens."""

from __future__ import annotations

import itertools
import shlex
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, NoReturn

import click
from rich.text import Text

from scand.cli.demo import contact_sheet
from scand.cli.demo.stage import SHEETS, Stage
from scand.cli.program import program
from scand.cli.show import timeline
from scand.cli.terminal import console
from scand.cli.watching import Sight, looks, screen
from scand.errors import ScandError, Unavailable
from scand.jobs.lifecycle import Status
from scand.queue.refusals import told
from scand.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console

    from scand.queue.intents import ClientQueue, EventRow, JobRow, JobView

_PATIENCE = 120.0  # seconds for one act


@click.command()
@click.option(
    "--dir",
    "directory",
    type=click.Path(file_okay=False, path_type=Path),
    default="demo-out",
    show_default=True,
    help="Where the PDF, the contact sheet and the daemon's log go.",
)
@click.option("--keep", is_flag=True, help="Leave it all running until Ctrl-C, and say what to try next.")
def demo(directory: Path, *, keep: bool) -> None:
    """Paper in, PDF out: all of scand, on a simulated duplex scanner and a PostgreSQL of its own.

    Nothing outside the directory is changed, and no root is needed. A job is submitted, two stacks go through the
    scanner, and the document is previewed and committed, as by a web application.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)  # SIGHUP: the terminal was closed
    out = console()
    keepsakes = directory.absolute()
    out.print("starting a scanner, a PostgreSQL and the daemon …", style="dim")
    with Stage(keepsakes) as stage:
        try:
            with told(), stage.queue() as queue:
                view = _play(stage, queue, out)
        except ScandError:
            _print_log(stage.log)
            raise
        pdf = stage.nas / str(view.job.inbox_path)
        picture = keepsakes / "contact-sheet.png"
        contact_sheet.draw(pdf, picture, _captions(view))
        out.print(timeline(view.events))
        out.print()
        out.print(_figures(view.job, view.events))
        out.print()
        out.print("contact sheet", style="dim")
        click.echo(picture)
        out.print("document", style="dim")
        click.echo(pdf)
        if keep:
            _keep(stage, out)


class Act(NamedTuple):
    """One thing that a person does, and where it leads.

    Attributes:
        reaches: the status in which the act ends.
        batches: how many batches the job has then.
        click: the status that the person asks for; None: nothing is asked for.
        before: what the person does at the scanner first.
    """

    reaches: Status
    batches: int
    click: Status | None = None
    before: Callable[[], None] = lambda: None

    def reached(self, job: JobRow) -> bool:
        """Whether it has ended."""
        return (job.status, job.batch_count) == (self.reaches, self.batches)


def _leave(number: int, _frame: object) -> NoReturn:
    sys.exit(128 + number)


def _play(stage: Stage, queue: ClientQueue, out: Console) -> JobView:
    """A job of two batches, from the queue to the Inbox; each act is one statement of a client."""
    title = time.strftime("scand demo %Y-%m-%d %H.%M.%S")
    job_id = queue.submit(title, {"sides": "duplex"})
    acts = [
        Act(Status.READY, batches=0),
        Act(Status.READY, batches=1, click=Status.SCANNING),
        Act(Status.READY, batches=2, click=Status.SCANNING, before=stage.reload),
        Act(Status.PREVIEW, batches=2, click=Status.ASSEMBLING),
        Act(Status.COMMITTED, batches=2, click=Status.COMMITTING),
    ]
    with screen(out) as show:
        for act in acts:
            act.before()
            if act.click is not None:
                queue.step(job_id, queue.job(job_id).status, act.click)
            deadline = time.monotonic() + _PATIENCE
            for view, health in looks(queue, job_id):
                show(Sight(view, health, next=""))  # the demo itself is the person
                if act.reached(view.job):
                    break
                stage.check()
                if view.job.error or time.monotonic() > deadline:
                    raise Unavailable(
                        view.job.error or f"The job has been {view.job.status} for {_PATIENCE:g} s."
                    )
    return view


def _captions(view: JobView) -> Callable[[int], str]:
    """A function that makes the caption of a page: its number, and its batch."""
    batches = [batch.batch_seq for batch in view.batches for _page in range(batch.page_count or 0)]
    return lambda number: f"{number} · batch {batches[number - 1]}"


def _figures(job: JobRow, events: list[EventRow]) -> str:
    """How many pages, and how fast they were scanned."""
    pairs = itertools.pairwise(events)
    seconds = sum(
        (after.at - now.at).total_seconds() for now, after in pairs if now.to_status == Status.SCANNING
    )
    pages = job.page_count or 0
    amount = f"{counted(pages, 'page')} of {counted(job.batch_count * SHEETS, 'sheet')}"
    return f"{amount}, scanned in {seconds:.1f} s: {60 * pages / seconds:.0f} images/min"


def _print_log(log: Path, lines: int = 15) -> None:
    """Print the end of the daemon's log."""
    if log.exists():
        for line in log.read_text(errors="replace").splitlines()[-lines:]:
            click.echo(f"  {line}", err=True)


def suggestions(stage: Stage) -> Iterator[tuple[str, str]]:
    """What to try next: a description, and a command that any shell runs as it is."""
    scand = f"{_scand()} --config {shlex.quote(str(stage.config))}"
    yield "load the feeder", f"kill -HUP {stage.simulator_pid}"
    yield "scan it, by hand", f"{scand} trigger"
    yield "watch it", f"{scand} watch"
    yield "see the queue", f"{scand} list"
    yield "the scanner", f"SANE_CONFIG_DIR={shlex.quote(str(stage.sane_config))} {scand} devices"
    yield "what it is asked", f"SANE_CONFIG_DIR={shlex.quote(str(stage.sane_config))} {scand} probe"
    if shutil.which("psql"):
        yield "be a client", f"psql {shlex.quote(stage.database_url)}"
    yield "the daemon's log", f"tail -f {shlex.quote(str(stage.log))}"


def _scand() -> str:
    """How a shell runs this program, also where it is run as a module."""
    if Path(sys.argv[0]).name == "__main__.py":
        return f"{shlex.quote(sys.executable)} -m scand.cli"
    return program()


def _keep(stage: Stage, out: Console) -> None:
    """Leave the stage as it is until Ctrl-C."""
    out.print()
    for what, command in suggestions(stage):
        out.print(Text.assemble((f"{what:<20}", "dim"), command), soft_wrap=True)
    out.print("\nAll of it runs until Ctrl-C.", style="dim")
    try:
        while True:
            stage.check()
            time.sleep(0.5)
    except KeyboardInterrupt:
        out.print("stopping …", style="dim")
