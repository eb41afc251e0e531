"""The commands that take a job one step: each writes one intent into the job's row."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from rich.text import Text

from scand.cli.params import optional_job_argument
from scand.cli.parked import note
from scand.cli.program import as_called
from scand.cli.session import open_queue
from scand.cli.terminal import console, echo_json, json_option, status_text
from scand.cli.unpublished import give_up
from scand.cli.wishes import Wish, aim, possible_in, refusal
from scand.errors import BadData, ConfigError, TryAgain, UsageError
from scand.jobs.lifecycle import Status

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from scand.queue.intents import ClientQueue, JobRow, Stepped

_ALSO_PARKED = frozenset({Wish.COMMIT, Wish.REOPEN})
"""Commands that without JOB mean a parked job, too: it may have been parked while a person looked at it."""

_TRIES = 5
_CLAIM_TIME = 5.0
"""Seconds to wait, before a scan, until the agent has claimed a job that is next: it takes some milliseconds."""


def _step_command(function: Callable[..., None]) -> click.Command:
    """Make a function a command with the arguments of all of these: JOB, which can be left out, and --json."""
    return click.command()(optional_job_argument(json_option(click.pass_obj(function))))


@_step_command
def scan(config: Path | None, job: int | None, *, as_json: bool) -> None:
    """Scan one batch into JOB now; a draft is queued.

    Without JOB: the one that holds the scanner, or that is next in the queue.
    """
    _take_step(config, job, Wish.SCAN, as_json=as_json)


@_step_command
def finish(config: Path | None, job: int | None, *, as_json: bool) -> None:
    """Merge the kept batches of JOB and put the document on the NAS for a preview.

    Without JOB: the one that holds the scanner.
    """
    _take_step(config, job, Wish.FINISH, as_json=as_json)


@_step_command
@click.option("--steps", type=int, metavar="N", help="Only while scand show says: steps N.")
def commit(config: Path | None, job: int | None, steps: int | None, *, as_json: bool) -> None:
    """Put the previewed document of JOB into the Inbox.

    Without JOB: the only one that has a preview, or else the one that holds the scanner. With --steps: not if
    somebody has changed the document since.
    """
    _take_step(config, job, Wish.COMMIT, as_json=as_json, steps=steps)


@_step_command
@click.option(
    "--unpublished",
    is_flag=True,
    help="Give JOB up while its document may be in the Inbox or not; see below.",
)
def cancel(config: Path | None, job: int | None, *, unpublished: bool, as_json: bool) -> None:
    """Stop JOB; its pages stay on disk for as long as staging.keep says.

    Without JOB: the one that holds the scanner.

    A job on its way into the Inbox cannot be canceled once its file has a name there. Where the NAS is gone for
    good, sudo scand cancel --unpublished JOB lets it fail with publication_unknown. Its pages stay, and scand
    retry JOB begins with a look into the Inbox.
    """
    if not unpublished:
        _take_step(config, job, Wish.CANCEL, as_json=as_json)
    elif job is None:
        raise UsageError("Name the job that is given up: sudo scand cancel --unpublished JOB.")
    else:
        give_up(config, job, as_json=as_json)


@_step_command
def reopen(config: Path | None, job: int | None, *, as_json: bool) -> None:
    """Take JOB back from the preview, to add, discard or restore batches; stop a merge or a commit.

    Without JOB: the only one that can be taken back, or else the one that holds the scanner. A parked job waits
    for the scanner again then. A document that may be in the Inbox already is taken back if it is not.
    """
    _take_step(config, job, Wish.REOPEN, as_json=as_json)


@_step_command
def retry(config: Path | None, job: int | None, *, as_json: bool) -> None:
    """Queue a failed or canceled JOB again: scanning goes on from the batches that it has.

    Without JOB: the one that has failed.
    """
    _take_step(config, job, Wish.RETRY, as_json=as_json)


def _take_step(
    config: Path | None, given: int | None, wish: Wish, *, as_json: bool, steps: int | None = None
) -> None:
    """Take a job one step, and print it.

    Args:
        given: the job; None: the one that is meant where none is named.
        steps: what `scan_jobs.steps` must be; None: anything.
    """
    out = console(quiet=as_json)
    with open_queue(config) as queue:
        job_id = given if given is not None else _meant(queue, wish)
        before, after = _step(queue, job_id, wish, steps)
        said = as_called(note(job_id, before, after))
        if as_json:
            now = {"resumes_in": after.resumes_in, "withdraw": after.withdraw}
            echo_json({"id": job_id, "from_status": before, "to_status": after.stage, **now})
        elif before == after.stage:
            already = " already" if aim(wish, before) == before else ""
            out.print(f"job {job_id} is", _with(before, already, said), soft_wrap=True)
        else:
            out.print(
                f"job {job_id}:", status_text(before), "→", _with(after.stage, "", said), soft_wrap=True
            )
        warn_without_agent(queue)


def _with(status: str, already: str, said: str) -> Text:
    """A status in its colour, and what is to be said besides."""
    return Text.assemble(status_text(status), already, f"; {said}" if said else "")


def _meant(queue: ClientQueue, wish: Wish) -> int:
    """The job that is meant where none is named.

    Raises:
        BadData: there is none, or there are several.
    """
    unfinished = queue.unfinished()
    found = [job.id for job in unfinished if Status(job.status).active]
    if wish is Wish.RETRY:
        found = [job.id for job in unfinished if job.status == Status.FAILED]
    elif wish in _ALSO_PARKED:
        stages = possible_in(wish)
        found = [
            job.id
            for job in unfinished
            if (job.resumes_in or job.status) in stages and (job.resumes_in or Status(job.status).active)
        ] or found
    elif wish is Wish.SCAN and not found:
        found = [job.id for job in unfinished if job.status == Status.QUEUED and job.resumes_in is None][:1]
    if len(found) == 1:
        return found[0]
    if found:
        several = ", ".join(map(str, found[:9])) + (", …" if len(found) > 9 else "")
        raise BadData(f"Several jobs could be meant ({several}): name one.")
    what = "has failed" if wish is Wish.RETRY else "holds the scanner now"
    raise BadData(f"No job {what}: name the one that is meant (scand list shows them).")


def _step(queue: ClientQueue, job_id: int, wish: Wish, steps: int | None) -> tuple[str, Stepped | JobRow]:
    """The job's status before (of a parked job the one in which it goes on), and the job as it is then.

    Raises:
        BadData: no such job, or the wish cannot be fulfilled; the sentence names the command that can.
        ConfigError: the database allows this login less than a client may do.
        TryAgain: the job's status changed at each of the tries.
    """
    if wish is Wish.SCAN:
        _let_it_be_claimed(queue, job_id)
    refused: BadData | None = None
    for _ in range(_TRIES):
        view = queue.view(job_id)
        if steps is not None and view.job.steps != steps:
            now = view.job.steps
            raise BadData(f"Job {job_id} has changed since (steps is {now} now): scand show {job_id}")
        if why := refusal(wish, view):
            raise BadData(why)
        status = view.job.stage
        wanted = aim(wish, status)
        if status == wanted:
            return status, view.job
        try:
            if taken := queue.step(job_id, status, wanted, steps):
                return status, taken
        except BadData as error:
            refused = error  # the job has moved, or the database has rules of its own: the next look tells
    if refused is not None:
        what = f"take job {job_id} from {view.job.stage} to {wanted}"
        raise ConfigError(
            f"The database does not let this login {what}: scand doctor tells which roles it lacks"
        ) from refused
    raise TryAgain(
        f"The status of job {job_id} keeps changing: look at it (scand show {job_id}) and try again."
    )


def _let_it_be_claimed(queue: ClientQueue, job_id: int) -> None:
    """Wait until the agent has claimed a job that was queued just now, if that is next in the queue."""
    queue.listen()
    queue.scan_by_hand(job_id)
    waited = 0.0
    while waited < _CLAIM_TIME and queue.job(job_id).stage == Status.QUEUED and queue.health().alive:
        if queue.next_in_turn() != job_id:
            return
        queue.wait(0.1)
        waited += 0.1


def warn_without_agent(queue: ClientQueue) -> None:
    """Say so where no agent is alive: an intent that nobody acts on must not look as if it were carried out."""
    if not queue.health().alive:
        click.echo(
            "scand: No agent is alive: the job waits until one is (scand doctor tells more).", err=True
        )
