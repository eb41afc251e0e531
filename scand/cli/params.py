"""Arguments and options that several commands have: what they are called, and what a shell may complete."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

JOB_ID = click.IntRange(1, 2**63 - 1)
"""What fits into `scan_jobs.id`."""

# Completion asks the database: what it needs is loaded only when a shell asks.


def _jobs(context: click.Context, _param: click.Parameter, begun: str) -> list[CompletionItem]:
    from scand.cli.completion import jobs  # noqa: PLC0415

    return jobs(context, begun)


def _batches(context: click.Context, _param: click.Parameter, begun: str) -> list[CompletionItem]:
    from scand.cli.completion import batches  # noqa: PLC0415

    return batches(context, begun)


def _profiles(context: click.Context, _param: click.Parameter, begun: str) -> list[CompletionItem]:
    from scand.cli.completion import profiles  # noqa: PLC0415

    return profiles(context, begun)


def _settings(context: click.Context, _param: click.Parameter, begun: str) -> list[CompletionItem]:
    from scand.cli.completion import settings  # noqa: PLC0415

    return settings(context, begun)


job_argument = click.argument("job", type=JOB_ID, shell_complete=_jobs)
optional_job_argument = click.argument("job", type=JOB_ID, required=False, shell_complete=_jobs)
batch_argument = click.argument("seq", type=click.IntRange(1, 2**31 - 1), shell_complete=_batches)
profile_option = click.option(
    "--profile",
    metavar="NAME",
    shell_complete=_profiles,
    help="A profile of the config; --set goes on top of it.",
)
set_option = click.option(
    "--set",
    "pairs",
    multiple=True,
    metavar="KEY=VALUE",
    shell_complete=_settings,
    help="A setting: resolution=300, sides=simplex … VALUE is read as JSON where it is JSON.",
)
