"""What a shell may complete: jobs, batches, profiles, settings; nothing where anything goes wrong.

A shell waits for the answer with every TAB and shows whatever is written. So only the answer is written, and a
database that does not answer in time is not waited for.
"""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from click.shell_completion import CompletionItem

from scand.cli.parked import shown_status
from scand.cli.session import open_queue
from scand.cli.terminal import PARKED, visible
from scand.cli.wishes import Wish, possible_in
from scand.config import Config
from scand.jobs.settings import Settings
from scand.jobs.settings.choices import choices
from scand.queue.intents import Which

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import click

    from scand.queue.intents import ClientQueue

_PATIENCE = 0.4
"""Seconds for the database, so that with loading the whole stays below a second."""

_MOST = 50  # jobs that are offered: the newest; and pages

_Found = TypeVar("_Found")


def jobs(context: click.Context, begun: str) -> list[CompletionItem]:
    """The jobs with which the command is possible, with status and title."""
    stages: list[str] = []
    which = Which()
    with suppress(ValueError):
        stages = [*possible_in(Wish(context.info_name or ""))]
        which = Which([*stages, PARKED])
    rows = _asked(context, lambda queue: queue.jobs(which, _MOST)) or []
    return [
        CompletionItem(str(row.id), help=f"{shown_status(row)}  {visible(row.title)}"[:80])
        for row in rows
        if str(row.id).startswith(begun) and (which.statuses is None or row.stage in stages)
    ]


def batches(context: click.Context, begun: str) -> list[CompletionItem]:
    """The batches of the job on the command line: kept ones to discard, discarded ones to restore.

    One that ended in a fault and is not answered is offered to both.
    """
    job_id = context.params.get("job")
    view = _asked(context, lambda queue: queue.view(job_id)) if isinstance(job_id, int) else None
    kept = context.info_name == Wish.DISCARD
    return [
        CompletionItem(str(batch.batch_seq), help=f"{batch.page_count or 0} pages  {batch.error_code or ''}")
        for batch in (view.batches if view else [])
        if (batch.kept == kept or not batch.answered) and str(batch.batch_seq).startswith(begun)
    ]


def pages(context: click.Context, begun: str) -> list[CompletionItem]:
    """The pages of the job on the command line; as many as fit on a screen, since more letters tell which."""
    job_id = context.params.get("job")
    rows = _asked(context, lambda queue: queue.pages(job_id)) if isinstance(job_id, int) else None
    found = (
        CompletionItem(row.name, help=f"sheet {row.sheet} {row.side}  {row.choice or ''}")
        for row in rows or ()
        if row.name.startswith(begun)
    )
    return list(islice(found, _MOST))


def profiles(context: click.Context, begun: str) -> list[CompletionItem]:
    """The profiles of the config."""
    found = _config(context)
    names = sorted(found.presets) if found else ["default"]
    return [CompletionItem(name) for name in names if name.startswith(begun)]


def settings(_context: click.Context, begun: str) -> list[CompletionItem]:
    """The keys of settings, with "=" behind; and once a key is written, its values."""
    key, equals, value = begun.partition("=")
    if not equals:
        return [CompletionItem(f"{name}=") for name in Settings.model_fields if name.startswith(key)]
    return [CompletionItem(f"{key}={choice}") for choice in choices(key) if choice.startswith(value)]


def _config_path(context: click.Context) -> Path | None:
    found: Path | None = context.find_root().params.get("config")
    return found


def _config(context: click.Context) -> Config | None:
    try:
        return Config.load(_config_path(context), os.environ, need="client")
    except Exception:  # noqa: BLE001 - a shell would show the message
        return None


def _asked(context: click.Context, question: Callable[[ClientQueue], _Found]) -> _Found | None:
    """What the database answers within `_PATIENCE` seconds; None: nothing.

    In a thread, since nothing else bounds the look-up of a host's name.
    """
    answers: list[_Found] = []

    def ask() -> None:
        with suppress(Exception), open_queue(_config_path(context)) as queue:
            answers.append(question(queue))

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(_PATIENCE)
    return answers[0] if answers else None
