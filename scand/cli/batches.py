"""`scand discard` and `scand restore`: which batches go into the document."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from scand.cli.params import batch_argument, job_argument
from scand.cli.session import open_queue
from scand.cli.terminal import console, echo_json, json_option
from scand.cli.wishes import Wish, refusal
from scand.errors import BadData, TryAgain
from scand.jobs.rows import BatchStatus

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def _batch_command(function: Callable[..., None]) -> click.Command:
    """Make a function a command with the arguments of both: JOB, SEQ and --json."""
    return click.command()(job_argument(batch_argument(json_option(click.pass_obj(function)))))


@_batch_command
def discard(config: Path | None, job: int, seq: int, *, as_json: bool) -> None:
    """Keep batch SEQ of JOB out of the document; its pages stay on disk.

    After a fault it is an answer, also of a batch that is discarded already: without these pages.
    """
    _set(config, Wish.DISCARD, job, seq, as_json=as_json)


@_batch_command
def restore(config: Path | None, job: int, seq: int, *, as_json: bool) -> None:
    """Take batch SEQ of JOB into the document as it is.

    After a fault it is an answer, also of a batch that is kept already: these pages belong in, whether or not the
    rest was fed again.
    """
    _set(config, Wish.RESTORE, job, seq, as_json=as_json)


def _set(config: Path | None, wish: Wish, job_id: int, seq: int, *, as_json: bool) -> None:
    status = BatchStatus.DISCARDED if wish is Wish.DISCARD else BatchStatus.SCANNED
    with open_queue(config) as queue:
        view = queue.view(job_id)
        if why := refusal(wish, view):
            raise BadData(why)
        try:
            done = queue.discard(job_id, seq) if wish is Wish.DISCARD else queue.restore(job_id, seq)
        except BadData as error:  # it has taken a step in this moment
            moved = refusal(wish, queue.view(job_id))
            if moved is None:
                raise TryAgain(f"Job {job_id} has just moved: scand {wish} {job_id} {seq}") from error
            raise BadData(moved) from error
        if not done:
            has = ", ".join(str(batch.batch_seq) for batch in view.batches)
            raise BadData(f"Job {job_id} has no batch {seq}; it has: {has}.")
        kept = queue.job(job_id).batch_count
    if as_json:
        echo_json({"id": job_id, "batch_seq": seq, "status": status, "batch_count": kept})
        return
    what = "discarded" if wish is Wish.DISCARD else "kept"
    console().print(f"job {job_id}: batch {seq} is {what}; batches in the document: {kept}")
