"""The buttons: each is one intent, written into the job's row."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from scand.cli.session import open_desk
from scand.cli.terminal import console, status_text
from scand.errors import BadData, TryAgain
from scand.jobs import Status

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from scand.desk import Desk

JOB_ID = click.IntRange(1, 2**63 - 1)
"""What fits into `scan_jobs.id`."""

_ACTIVE = frozenset(status for status in Status if status.active)
_TRIES = 5

_job = click.argument("job", type=JOB_ID, required=False)
_batch = click.argument("seq", type=click.IntRange(1, 2**31 - 1))


@click.command()
@_job
@click.pass_obj
def scan(config: Path | None, job: int | None) -> None:
    """Scan one batch into JOB now; a draft is queued.

    Without JOB: the one that holds the scanner.
    """
    _press(config, job, lambda status: Status.QUEUED if status == Status.DRAFT else Status.SCANNING)


@click.command()
@_job
@click.pass_obj
def finish(config: Path | None, job: int | None) -> None:
    """Merge the kept batches of JOB and put the document on the NAS for a preview.

    Without JOB: the one that holds the scanner.
    """
    _press(config, job, lambda _status: Status.ASSEMBLING)


@click.command()
@_job
@click.pass_obj
def commit(config: Path | None, job: int | None) -> None:
    """Put the previewed document of JOB into the Inbox.

    Without JOB: the one that holds the scanner.
    """
    _press(config, job, lambda _status: Status.COMMITTING)


@click.command()
@_job
@click.pass_obj
def cancel(config: Path | None, job: int | None) -> None:
    """Stop JOB; its pages stay on disk for as long as staging.keep says.

    Without JOB: the one that holds the scanner.
    """
    _press(config, job, lambda _status: Status.CANCELED)


@click.command()
@_job
@click.pass_obj
def reopen(config: Path | None, job: int | None) -> None:
    """Take JOB back from the preview, to add, discard or restore batches; stop a merge or a commit.

    Without JOB: the one that holds the scanner.
    """
    _press(config, job, lambda status: Status.PREVIEW if status == Status.COMMITTING else Status.READY)


@click.command()
@_job
@click.pass_obj
def retry(config: Path | None, job: int | None) -> None:
    """Queue a failed or canceled JOB again: scanning goes on from the batches that it has.

    Without JOB: the one that has failed.
    """
    _press(config, job, lambda _status: Status.QUEUED, among=frozenset({Status.FAILED}))


@click.command()
@click.argument("job", type=JOB_ID)
@_batch
@click.pass_obj
def discard(config: Path | None, job: int, seq: int) -> None:
    """Keep batch SEQ of JOB out of the document; its pages stay on disk."""
    with open_desk(config) as desk:
        _say_batch(desk, job, seq, "discarded", done=desk.discard(job, seq))


@click.command()
@click.argument("job", type=JOB_ID)
@_batch
@click.pass_obj
def restore(config: Path | None, job: int, seq: int) -> None:
    """Take the discarded batch SEQ of JOB into the document again."""
    with open_desk(config) as desk:
        _say_batch(desk, job, seq, "kept", done=desk.restore(job, seq))


def _press(
    config: Path | None,
    given: int | None,
    aim: Callable[[str], Status],
    among: frozenset[Status] = _ACTIVE,
) -> None:
    """Take a job one step, and say so.

    Args:
        given: the job, where one was named.
        aim: its status → the status that is wanted.
        among: the statuses of the one job that is meant where none was named.
    """
    out = console()
    with open_desk(config) as desk:
        job_id = given if given is not None else _meant(desk, among)
        before, after = _step(desk, job_id, aim)
        if before == after:
            out.print(f"job {job_id} is", status_text(after), "already")
        else:
            out.print(f"job {job_id}:", status_text(before), "→", status_text(after))
        warn_without_agent(desk)


def _meant(desk: Desk, among: frozenset[Status]) -> int:
    """The one job in these statuses, when it is clear which.

    Raises:
        BadData: there is none, or there are several.
    """
    found = [job_id for job_id, status in desk.unfinished() if status in among]
    if len(found) == 1:
        return found[0]
    if found:
        several = ", ".join(map(str, found[:9])) + (", …" if len(found) > 9 else "")
        raise BadData(f"Several jobs could be meant ({several}): name one.")
    what = "has failed" if among == {Status.FAILED} else "holds the scanner now"
    raise BadData(f"No job {what}: name the one that is meant (scand list shows them).")


def _step(desk: Desk, job_id: int, aim: Callable[[str], Status]) -> tuple[str, str]:
    """What the job was and what it is now; the same where nothing had to be done.

    Raises:
        BadData: no such job, or not a step; the sentence is the database's.
        TryAgain: the job moved whenever it was about to be stepped.
    """
    for _ in range(_TRIES):
        status = desk.job(job_id).status
        wanted = aim(status)
        if status == wanted or desk.step(job_id, status, wanted):
            return status, wanted
    raise TryAgain(f"Job {job_id} moves too fast: look at it (scand show {job_id}) and try again.")


def _say_batch(desk: Desk, job_id: int, seq: int, what: str, *, done: bool) -> None:
    if not done:
        batches = ", ".join(str(batch.batch_seq) for batch in desk.view(job_id).batches) or "none"
        raise BadData(f"Job {job_id} has no batch {seq}; it has: {batches}.")
    kept = desk.job(job_id).batch_count
    console().print(f"job {job_id}: batch {seq} is {what}; batches in the document: {kept}")


def warn_without_agent(desk: Desk) -> None:
    """An intent that nobody acts on must not look as if it were being done."""
    if not desk.health().alive:
        click.echo(
            "scand: No agent is alive: the job waits until one is (scand doctor tells more).", err=True
        )
