"""`scand list` and `scand show`: rows as tables."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click
from rich import box
from rich.table import Table
from rich.text import Text

from scand.cli.jobs import JOB_ID
from scand.cli.progress import pages
from scand.cli.session import open_desk
from scand.cli.terminal import console, echo_json, json_option, span, status_text, visible, when
from scand.jobs import Status

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from scand.desk import BatchRow, EventRow, Health, JobRow, JobView


@click.command("list")
@click.option(
    "--status",
    "statuses",
    multiple=True,
    type=click.Choice([*map(str, Status)]),
    help="Only these; may be given more than once.",
)
@click.option(
    "-n", "--limit", type=click.IntRange(1), default=20, show_default=True, help="How many at most."
)
@json_option
@click.pass_obj
def list_jobs(config: Path | None, statuses: tuple[str, ...], limit: int, *, as_json: bool) -> None:
    """The newest jobs, and how the agent is."""
    with open_desk(config) as desk:
        jobs, health = desk.jobs(statuses or None, limit), desk.health()
    if as_json:
        echo_json(jobs)
        return
    out = console()
    out.print(_jobs_table(jobs, fit=out.is_terminal) if jobs else "no jobs")
    if out.is_terminal:
        out.print(agent_line(health))


@click.command()
@click.argument("job", type=JOB_ID)
@json_option
@click.pass_obj
def show(config: Path | None, job: int, *, as_json: bool) -> None:
    """One JOB with its batches, and what happened to it."""
    with open_desk(config) as desk:
        view = desk.view(job)
    if as_json:
        echo_json({**asdict(view.job), "batches": view.batches, "events": view.events})
    else:
        _print_view(console(), view)


def table(*headers: str, right: tuple[str, ...] = ()) -> Table:
    """A table without a grid; columns in `right` are numbers."""
    made = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="dim")
    for header in headers:
        made.add_column(header, justify="right" if header in right else "left", no_wrap=True)
    return made


def _jobs_table(jobs: list[JobRow], *, fit: bool) -> Table:
    """A line a job.

    Args:
        fit: into the terminal: titles and notes are cut, the rest never is.
    """
    made = table("id", "status", "title", "pages", "created", "note", right=("id", "pages"))
    made.expand = fit
    for column in made.columns:
        if column.header in {"title", "note"}:
            column.overflow, column.ratio = "ellipsis", 3 if column.header == "title" else 2
    for job in jobs:
        made.add_row(
            str(job.id),
            status_text(job.status),
            visible(job.title),
            _number(pages(job)),
            when(job.created_at).rpartition(":")[0],
            _note(job),
        )
    return made


def _number(value: int | None) -> str:
    return "" if value is None else str(value)


def _note(job: JobRow) -> Text:
    if job.error_code or job.error:
        return Text(visible(job.error_code or job.error or ""), "red")
    return Text(visible(job.inbox_path or ""), "dim")


def agent_line(health: Health) -> Text:
    """Whether somebody acts on what is asked."""
    if health.alive:
        where = f"{health.hostname}, pid {health.pid}, scand {health.agent_version}"
        return Text.assemble(
            ("agent: ", "dim"), visible(health.state or ""), (f"  ({visible(where)})", "dim")
        )
    age = health.heartbeat_age_seconds
    last = f"its last heartbeat was {span(age)} ago" if age is not None else "there never was one"
    return Text.assemble(("agent: ", "dim"), ("not alive", "red"), (f"  ({last})", "dim"))


def _print_view(out: Console, view: JobView) -> None:
    job = view.job
    out.print(Text.assemble(f"job {job.id}  ", status_text(job.status), "  ", (visible(job.title), "bold")))
    if job.error:
        out.print(Text(visible(job.error), "red"))
    out.print()
    facts = Table.grid(padding=(0, 2))
    for name, value in _facts(job):
        facts.add_row(Text(name, "dim"), Text(visible(value), overflow="fold"))
    out.print(facts)
    if view.batches:
        out.print()
        out.print(_batches_table(view.batches))
    out.print()
    out.print(timeline(view.events))


def _facts(job: JobRow) -> list[tuple[str, str]]:
    asked = job.settings if isinstance(job.settings, dict) else {"?": job.settings}
    settings = "  ".join(f"{key}={value}" for key, value in asked.items())
    facts = [
        ("created", when(job.created_at)),
        ("settings", settings),
        ("pages", _number(pages(job))),
        ("error code", job.error_code or ""),
        ("attempts", _number(job.attempts or None)),
        ("staged", job.nas_staging_path or ""),
        ("inbox", job.inbox_path or ""),
        ("sha256", job.file_hash or ""),
        ("document", _number(job.doc_id)),
        ("on disk", job.staging_path or ""),
    ]
    return [(name, value) for name, value in facts if value]


def _batches_table(batches: list[BatchRow]) -> Table:
    made = table("batch", "", "pages", "blank", "scanned", "note", right=("batch", "pages", "blank"))
    for batch in batches:
        kept = Text("kept", "green") if batch.status == "scanned" else Text(visible(batch.status), "dim")
        note = Text(batch.error_code or "", "red")
        pages, blank = _number(batch.page_count), _number(batch.blank_count or None)
        made.add_row(str(batch.batch_seq), kept, pages, blank, when(batch.created_at), note)
    return made


def timeline(events: list[EventRow]) -> Table:
    """What happened, and how long after the step before."""
    made = table("when", "after", "who", "step", right=("after",))
    for before, event in zip([None, *events], events, strict=False):
        after = f"+{span((event.at - before.at).total_seconds())}" if before else ""
        step = Text.assemble((f"{visible(event.from_status)} → " if event.from_status else "", "dim"))
        step.append_text(status_text(event.to_status))
        if event.error_code:
            step.append(f"  {event.error_code}", "red")
        made.add_row(when(event.at), after, event.actor, step)
    return made
