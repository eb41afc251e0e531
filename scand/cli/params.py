"""Arguments and options that several commands have, with what a shell may complete for them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

import click

from scand.cli.page_names import PageName

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.shell_completion import CompletionItem

JOB_ID = click.IntRange(1, 2**63 - 1)
"""What fits into `scan_jobs.id`."""


def _completed_by(name: str) -> Callable[[click.Context, click.Parameter, str], list[CompletionItem]]:
    """A function of `completion`, which is loaded only when a shell asks: it needs the database."""

    def complete(context: click.Context, _param: click.Parameter, begun: str) -> list[CompletionItem]:
        found: list[CompletionItem] = getattr(import_module("scand.cli.completion"), name)(context, begun)
        return found

    return complete


job_argument = click.argument("job", type=JOB_ID, shell_complete=_completed_by("jobs"))
optional_job_argument = click.argument(
    "job", type=JOB_ID, required=False, shell_complete=_completed_by("jobs")
)
batch_argument = click.argument(
    "seq", type=click.IntRange(1, 2**31 - 1), shell_complete=_completed_by("batches")
)
page_argument = click.argument(
    "pages",
    type=PageName(),
    nargs=-1,
    required=True,
    metavar="PAGE...",
    shell_complete=_completed_by("pages"),
)
profile_option = click.option(
    "--profile",
    metavar="NAME",
    shell_complete=_completed_by("profiles"),
    help="A profile of the config; --set goes on top of it.",
)
set_option = click.option(
    "--set",
    "pairs",
    multiple=True,
    metavar="KEY=VALUE",
    shell_complete=_completed_by("settings"),
    help="A setting: resolution=300, sides=simplex … VALUE is read as JSON where it is JSON.",
)
