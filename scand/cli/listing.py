"""`scand list`: the newest jobs, a line each, as wide as the terminal."""

from __future__ import annotations

import shlex
from datetime import datetime
from typing import TYPE_CHECKING

import click
from rich.text import Text

from scand.cli.columns import fitted, plain
from scand.cli.program import as_called
from scand.cli.session import open_queue
from scand.cli.submit import storable
from scand.cli.terminal import PARKED, console, echo_json, json_option, span, visible
from scand.config.units import duration
from scand.jobs.lifecycle import Status
from scand.queue.intents import Which

if TYPE_CHECKING:
    from pathlib import Path

    from scand.queue.intents import Health

_MOST_COUNTED = 1000


class Since(click.ParamType[object]):
    """A moment (2026-11-21, 2026-11-21T10:30) on this machine's clock, or how long ago (90m, 12h, 7d, 2w)."""

    name = "since"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime | float:
        """The moment, or seconds ago."""
        try:
            return float(duration(str(value)))
        except ValueError:
            pass
        try:
            return datetime.fromisoformat(str(value)).astimezone()
        except (ValueError, OverflowError, OSError):
            self.fail(
                f"{value!r} is neither a date such as 2026-11-21 nor a time such as 12h, 7d, 2w", param, ctx
            )


@click.command("list")
@click.option(
    "--status",
    "statuses",
    multiple=True,
    type=click.Choice([*map(str, Status), PARKED]),
    help="Only these; may be given more than once. A parked job is queued, too.",
)
@click.option("--title", metavar="TEXT", help="Only jobs whose title contains TEXT, in upper or lower case.")
@click.option(
    "--since",
    metavar="DATE|7d",
    type=Since(),
    help="Only jobs made since a date, or in the last 12h, 7d, 2w.",
)
@click.option(
    "-n", "--limit", type=click.IntRange(1), default=20, show_default=True, help="How many at most."
)
@click.option("--all", "everything", is_flag=True, help="All of them.")
@json_option
@click.pass_obj
def list_jobs(
    config: Path | None,
    /,
    *,
    statuses: tuple[str, ...],
    title: str | None,
    since: datetime | float | None,
    limit: int,
    everything: bool,
    as_json: bool,
) -> None:
    """The newest jobs, and whether an agent is alive.

    On a terminal the table fits: note, time and number of pages are left out before a title is cut. Elsewhere
    each job is a line, its fields separated by tabs, and nothing is cut.
    """
    which = Which(
        statuses=statuses or None,
        title=None if title is None else storable(title),
        since=since if isinstance(since, datetime) else None,
        ago=since if isinstance(since, float) else None,
    )
    with open_queue(config) as queue:
        jobs, health = queue.jobs(which, None if everything else limit), queue.health()
        more = 0 if everything else queue.more(jobs, which, _MOST_COUNTED)
    if as_json:
        echo_json(jobs)
        return
    out = console()
    if not out.is_terminal:
        for job in jobs:
            click.echo(plain(job))
    elif jobs:
        out.print(fitted(jobs, out.width))
    if more or not jobs:
        many = f"more than {more}" if more >= _MOST_COUNTED else str(more)
        said = f"{many} more: {as_called(_again())}" if more else "no jobs"
        click.echo(click.style(said, dim=True), err=not out.is_terminal)
    if out.is_terminal:
        out.print(agent_line(health), overflow="ellipsis", no_wrap=True)


def _again() -> str:
    """This call, with --all."""
    asked = click.get_current_context().params
    words = [word for status in asked["statuses"] for word in ("--status", status)]
    if asked["title"] is not None:
        words += ["--title", asked["title"]]
    if (since := asked["since"]) is not None:
        words += ["--since", since.isoformat() if isinstance(since, datetime) else f"{since:.0f}s"]
    return visible(f"scand list {shlex.join([*words, '--all'])}")


def agent_line(health: Health) -> Text:
    """Whether an agent is alive, and what it does."""
    if health.alive:
        where = f"{health.hostname}, pid {health.pid}, scand {health.agent_version}"
        return Text.assemble(
            ("agent: ", "dim"), visible(health.state or ""), (f"  ({visible(where)})", "dim")
        )
    age = health.heartbeat_age_seconds
    last = f"its last heartbeat was {span(age)} ago" if age is not None else "there never was one"
    return Text.assemble(("agent: ", "dim"), ("not alive", "red"), (f"  ({last})", "dim"))
