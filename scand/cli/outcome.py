"""What came of "scan now", as the rows of the queue show it. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from scand.cli.progress import pages as pages_of
from scand.jobs.lifecycle import PARKED_FOR, Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scand.queue.intents import Health, JobRow, StepRow


class Came(StrEnum):
    """What came of the request to scan."""

    SCANS = "scans"  # a batch runs, and there are pages, or they are awaited
    FAULT = "fault"  # it began to scan, and a person must do something first
    NOTHING = "nothing"  # a job keeps the scanner: the signal changes nothing
    NOT_TAKEN = "not_taken"  # nothing shows that the daemon heard


class Outcome(NamedTuple):
    """What came of the request, for programs and for people.

    Attributes:
        job: the job that it is about; None: none.
        final: looking again would show nothing more.
    """

    came: Came
    sentence: str
    job: JobRow | None = None
    final: bool = False


def begun(steps: Sequence[StepRow]) -> int | None:
    """The job that was taken to scanning by one of these steps."""
    return next((step.job_id for step in reversed(steps) if step.to_status == Status.SCANNING), None)


def parked(steps: Sequence[StepRow]) -> int | None:
    """The job that was parked by one of these steps, so that another can be scanned."""
    gave_way = [
        step.job_id for step in steps if step.to_status == Status.QUEUED and step.from_status in PARKED_FOR
    ]
    return gave_way[-1] if gave_way else None


_BUSY = {
    Status.SCANNING: "job {id} is scanning a batch already: scand watch {id}",
    Status.ASSEMBLING: "job {id} is being merged: scand watch {id}",
    Status.PREVIEW: "job {id} waits for its preview to be answered: scand commit {id}, or scand reopen {id} "
    "(it gives way once nobody has touched it for agent.preview_hold)",
    Status.COMMITTING: "job {id} is on its way into the Inbox: scand watch {id}",
}


def of_scan(job: JobRow, pages_before: int, gave_way: int | None = None) -> Outcome:
    """What became of a scan that was begun.

    Args:
        job: as it is now.
        pages_before: how many pages it had before.
        gave_way: the job that was parked for it.
    """
    who = f"job {job.id} '{job.title}'"
    if gave_way is not None:
        who = f"job {gave_way} is parked (scand show {gave_way}); {who}"
    if job.error:
        tries = job.status == Status.SCANNING and job.next_attempt_at is not None
        more = " (it is tried again by itself)" if tries else ""
        return Outcome(Came.FAULT, f"{who}: {job.error}{more}", job, final=True)
    pages = pages_of(job) or 0
    count = f"{pages} page" if pages == 1 else f"{pages} pages"
    if job.status != Status.SCANNING:
        done = f"{who} has scanned, and is {job.status} with {count}: scand show {job.id}"
        return Outcome(Came.SCANS, done, job, final=True)
    if pages > pages_before:
        return Outcome(Came.SCANS, f"{who} scans, {count} so far: scand watch {job.id}", job, final=True)
    return Outcome(Came.SCANS, f"{who} scans: scand watch {job.id}", job)


def of_silence(active: JobRow | None, health: Health, *, by_path: bool) -> Outcome:
    """What it means that no scan was begun.

    Args:
        active: the job that holds the scanner.
        by_path: the daemon was asked through systemd's path unit, which may not be running.
    """
    if not health.alive:
        sentence = "no agent is alive: scand doctor tells what it needs"
        return Outcome(Came.NOT_TAKEN, sentence, active)
    if active is not None and active.status in _BUSY:
        sentence = "nothing changes: " + _BUSY[Status(active.status)].format(id=active.id)
        return Outcome(Came.NOTHING, sentence, active)
    if by_path:
        sentence = (
            "the daemon has not heard: sudo systemctl enable --now scand-scan.path makes the touch of "
            "/run/scand-scan scan"
        )
        return Outcome(Came.NOT_TAKEN, sentence, active)
    return Outcome(
        Came.NOT_TAKEN,
        f"the daemon is busy with something else ({health.state}): scand logs shows it",
        active,
    )
