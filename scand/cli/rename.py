"""`scand rename`: another title, and with it another name for the file in the Inbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from scand.cli.params import job_argument
from scand.cli.session import open_queue
from scand.cli.submit import checked_title
from scand.cli.terminal import console, echo_json, json_option, visible
from scand.cli.wishes import RENAMABLE, Wish, refusal
from scand.errors import BadData, TryAgain
from scand.jobs.lifecycle import Status

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@job_argument
@click.argument("title")
@json_option
@click.pass_obj
def rename(config: Path | None, job: int, title: str, *, as_json: bool) -> None:
    """Give JOB another TITLE, after which its file in the Inbox is named.

    The title is in the document, too: a job in preview is merged again, and its new preview waits for an answer.
    From the commit on the title is fixed.
    """
    checked_title(title)
    with open_queue(config) as queue:
        before = queue.job(job)
        if not queue.rename(job, title, RENAMABLE):
            why = refusal(Wish.RENAME, queue.view(job))
            raise (
                BadData(why) if why else TryAgain(f"Job {job} has just moved: look at it (scand show {job}).")
            )
    if as_json:
        echo_json({"id": job, "title": title})
    else:
        again = before.stage == Status.PREVIEW and before.title != title
        when = " once the NAS is well" if before.resumes_in is not None else ""
        note = f": it is merged again{when} (scand watch {job})" if again else ""
        console().print(f"job {job}: {visible(before.title)} → {visible(title)}{note}", soft_wrap=True)
