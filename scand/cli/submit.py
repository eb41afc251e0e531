"""`scand submit`: a new row in the queue."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, NoReturn

import click

from scand.cli.hints import asked as course_of
from scand.cli.hints import hint
from scand.cli.params import profile_option, set_option
from scand.cli.program import as_called
from scand.cli.session import open_queue
from scand.cli.show import known_profiles
from scand.cli.steps import warn_without_agent
from scand.cli.terminal import console, echo_json, json_option, status_text, visible
from scand.cli.watching import watch_until_rest
from scand.config import Config
from scand.errors import BadData
from scand.jobs.lifecycle import Status
from scand.jobs.settings import Finish, Trigger, resolve

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@click.argument("title")
@profile_option
@set_option
@click.option("--scan", type=click.Choice([*map(str, Trigger)]), help="What starts the first batch.")
@click.option("--finish", type=click.Choice([*map(str, Finish)]), help="How far to go by itself then.")
@click.option("--draft", is_flag=True, help="Do not queue it yet; scand scan JOB does.")
@click.option("--wait", is_flag=True, help="Show it until it rests; exit as scand watch does.")
@json_option
@click.pass_obj
def submit(
    config: Path | None, /, title: str, *, draft: bool, wait: bool, as_json: bool, **wishes: Any
) -> int:
    """Ask for a scan that becomes a document called TITLE."""
    if wait and draft:
        raise click.UsageError("--wait cannot be combined with --draft: a draft does not move")
    checked_title(title)
    settings = asked(**wishes)
    _check(config, settings)
    with open_queue(config) as queue:
        job_id = queue.submit(title, settings, draft=draft)
        if as_json:
            echo_json({"id": job_id})
        else:
            status = Status.DRAFT if draft else Status.QUEUED
            out = console()
            out.print(f"job {job_id}", status_text(status), visible(title), soft_wrap=True)
            if not wait:
                view, holder = queue.view(job_id), queue.health().current_job_id
                said = hint(view, course_of(view.job, known_profiles(config)), holder)
                out.print(as_called(said), style="yellow", soft_wrap=True)
        if not draft:
            warn_without_agent(queue)
        return watch_until_rest(queue, job_id, known_profiles(config), quiet=as_json) if wait else os.EX_OK


def asked(*, pairs: tuple[str, ...], **options: str | None) -> dict[str, Any]:
    """The settings that the options of a command make.

    Args:
        pairs: of `--set`.
        options: settings with an option of their own, such as `--profile`; None where it was not given.

    Raises:
        BadData: a text is not UTF-8.
    """
    settings: dict[str, Any] = {}
    for pair in pairs:
        key, equals, value = storable(pair).partition("=")
        if not (key and equals):
            raise click.BadParameter(f"{pair!r} is not KEY=VALUE", param_hint="--set")
        settings[key] = _value(value)
    return settings | {key: storable(value) for key, value in options.items() if value is not None}


def _value(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_no_number)
    except ValueError:
        return text


def _no_number(_text: str) -> NoReturn:
    raise ValueError  # NaN and Infinity are Python's, not JSON's


def checked_title(title: str) -> None:
    """Refuse a title that is empty or not UTF-8; any script and any length will do.

    Raises:
        BadData: it is.
    """
    if not storable(title).strip():
        raise BadData("The title is empty: say what the document is.")


def storable(text: str) -> str:
    """The text of an argument, if its bytes were UTF-8: PostgreSQL stores nothing else.

    Raises:
        BadData: they were not.
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise BadData(f"{text!r} is not UTF-8: say it in this terminal's encoding.") from error
    return text


def _check(config: Path | None, settings: dict[str, Any]) -> None:
    """Refuse bad settings early, where there are profiles to read; on other hosts the agent refuses them.

    Raises:
        BadData: `bad_settings`.
    """
    found = Config.load(config, os.environ, need="client")
    if found.profiles:
        resolve(settings, found.presets)
