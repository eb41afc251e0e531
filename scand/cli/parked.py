"""What is said of a job that is parked, or whose document may be in the Inbox and is to be taken back. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scand.cli.terminal import PARKED
from scand.jobs.lifecycle import DELIVERIES, PARKED_FOR, Status

if TYPE_CHECKING:
    from scand.queue.intents import JobRow, Stepped

_WITHDRAW = {
    "preview": "the agent looks into the Inbox first: if the document is there, the job is committed, "
    "else it goes back to its preview",
    "failed": "it is given up: the agent lets it fail, and its pages stay",
}
_GOES_ON = "goes on by itself once the NAS is well"
_ANSWER = "as it should be: scand commit {id} · not yet: scand reopen {id}"


def shown_status(job: JobRow) -> str:
    """The status in a word: "parked" where the row says queued and the job goes on where it was."""
    return PARKED if job.resumes_in is not None else job.status


def waits_for(job: JobRow) -> str:
    """What a parked job waits for; "" for any other."""
    return PARKED_FOR[Status(job.resumes_in)] if job.resumes_in is not None else ""


def course(job: JobRow) -> str:
    """How a parked job, or one that is to be taken back, goes on by itself; "" for any other."""
    if job.withdraw is not None:
        return _WITHDRAW[job.withdraw]
    return _GOES_ON if job.resumes_in in DELIVERIES else ""


def note(job_id: int, before: str, now: Stepped | JobRow) -> str:
    """What is to be known of a job after a command, besides its status; "" where there is nothing.

    Args:
        job_id: `scan_jobs.id`.
        before: the status before, of a parked job the one in which it went on.
        now: the job as it is now.
    """
    if now.withdraw is not None:
        return _WITHDRAW[now.withdraw]
    if now.resumes_in == Status.PREVIEW:
        return f"it is parked: {_ANSWER.format(id=job_id)}"
    if now.resumes_in is not None:
        return f"it is parked, and {_GOES_ON}"
    if now.status == Status.QUEUED and before in PARKED_FOR:
        return "it was parked, and waits for the scanner again, with the batches that it has"
    return ""
