"""`scand show`: one job, its batches, and what happened to it."""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import TYPE_CHECKING

import click
from rich.table import Table
from rich.text import Text

from scand.cli.hints import asked, hint
from scand.cli.params import job_argument
from scand.cli.parked import course, shown_status, waits_for
from scand.cli.program import as_called
from scand.cli.progress import pages
from scand.cli.session import open_queue
from scand.cli.tables import number, table
from scand.cli.terminal import PARKED, console, echo_json, json_option, span, status_text, visible, when
from scand.config import Config
from scand.errors import ScandError
from scand.jobs.lifecycle import PARKED_FOR, Status

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Any

    from rich.console import Console

    from scand.queue.intents import BatchRow, EventRow, JobRow, JobView


@click.command()
@job_argument
@json_option
@click.pass_obj
def show(config: Path | None, job: int, *, as_json: bool) -> None:
    """One JOB with its batches, what happened to it, and what can be done next."""
    with open_queue(config) as queue:
        view, health = queue.view(job), queue.health()
    next_step = as_called(hint(view, asked(view.job, known_profiles(config)), health.current_job_id))
    if as_json:
        lists = {"batches": view.batches, "events": view.events}
        echo_json({**asdict(view.job), **lists, "edits": view.edits._asdict()})
    else:
        _print_view(console(), view, next_step)


def known_profiles(config: Path | None) -> Mapping[str, Mapping[str, Any]]:
    """The profiles of the config; none where it is wrong, or not for this user to read: clients can do without."""
    try:
        return Config.load(config, os.environ, need="client").presets
    except ScandError:
        return {}


def _print_view(out: Console, view: JobView, next_step: str) -> None:
    job = view.job
    out.print(
        Text.assemble(f"job {job.id}  ", status_text(shown_status(job)), "  ", (visible(job.title), "bold"))
    )
    if job.error:
        out.print(Text(visible(as_called(job.error)), "red"))
    if next_step:
        out.print(Text(next_step, "yellow"))
    out.print()
    facts = Table.grid(padding=(0, 2))
    for name, value in _facts(job, str(view.edits)):
        facts.add_row(Text(name, "dim"), Text(visible(value), overflow="fold"))
    out.print(facts)
    if view.batches:
        out.print()
        out.print(_batches_table(view.batches))
    out.print()
    out.print(timeline(view.events))


def _facts(job: JobRow, edits: str) -> list[tuple[str, str]]:
    settings = job.settings if isinstance(job.settings, dict) else {"?": job.settings}
    facts = [
        ("parked", f"{waits_for(job)}; it goes on in {job.resumes_in}" if job.resumes_in else ""),
        ("taken back", course(job) if job.withdraw else ""),
        ("created", when(job.created_at)),
        ("steps", number(job.steps or None)),
        ("settings", "  ".join(f"{key}={value}" for key, value in settings.items())),
        ("pages", number(pages(job))),
        ("edited", edits),
        ("error code", job.error_code or ""),
        ("attempts", number(job.attempts or None)),
        ("staged", job.nas_staging_path or ""),
        ("inbox", job.inbox_path or ""),
        ("sha256", job.file_hash or ""),
        ("document", number(job.doc_id)),
        ("on disk", job.staging_path or ""),
    ]
    return [(name, value) for name, value in facts if value]


def _batches_table(batches: list[BatchRow]) -> Table:
    made = table("batch", "", "pages", "blank", "scanned", "note", right=("batch", "pages", "blank"))
    for batch in batches:
        kept = Text("kept", "green") if batch.status == "scanned" else Text(visible(batch.status), "dim")
        note = Text(
            ", ".join(filter(None, [batch.error_code, "" if batch.answered else "unanswered"])), "red"
        )
        counted, blank = number(batch.page_count), number(batch.blank_count or None)
        made.add_row(str(batch.batch_seq), kept, counted, blank, when(batch.created_at), note)
    return made


def timeline(events: list[EventRow]) -> Table:
    """A table of a job's steps, each with the time since the one before."""
    made = table("when", "after", "who", "step", right=("after",))
    for before, event in zip([None, *events], events, strict=False):
        after = f"+{span((event.at - before.at).total_seconds())}" if before else ""
        step = Text.assemble((f"{visible(event.from_status)} → " if event.from_status else "", "dim"))
        step.append_text(status_text(event.to_status))
        if event.to_status == Status.QUEUED and event.from_status in PARKED_FOR:
            step.append(f" ({PARKED})", "dim")
        if event.error_code:
            step.append(f"  {event.error_code}", "red")
        made.add_row(when(event.at), after, event.actor, step)
    return made
