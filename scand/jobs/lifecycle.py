"""The statuses of a job, and the steps between them, as one table.

A client writes intents, the agent writes results, and both meet in `scan_jobs.status`:

    draft ⇄ queued → ready ⇄ scanning
                       ↓ ↑
                    assembling → preview → committing → committed
                                   ↑ reopen: back to ready; another title: back to assembling

A job that only waits (for the NAS, or for an answer to its preview) gives way to whoever wants the scanner: the
agent parks it. It is queued then, and `scan_jobs.resumes_in` is the status in which it goes on.

Nearly every status can lead to canceled (by a client) and failed (the job cannot go on without a person); from
both, a client may queue the job again. The table below is complete. `scan_job_transitions` in the database has the
same rows, a trigger enforces them for everybody, and the daemon compares the two when it starts.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class Status(StrEnum):
    """`scan_jobs.status`."""

    DRAFT = "draft"  # a client is still writing it
    QUEUED = "queued"  # waits for the scanner
    READY = "ready"  # claimed: the scanner is reserved for this job
    SCANNING = "scanning"  # one batch is being scanned
    ASSEMBLING = "assembling"  # the kept batches are merged into one PDF on the NAS
    PREVIEW = "preview"  # the verified merge is on the NAS, for a person to look at
    COMMITTING = "committing"  # the document is being moved into the Inbox
    COMMITTED = "committed"  # the document was in the Inbox; the status never changes again
    FAILED = "failed"  # cannot go on without a person; the scanner is free for other jobs
    CANCELED = "canceled"  # a client stopped it, or nothing was ever scanned

    @property
    def active(self) -> bool:
        """Whether the job holds the scanner; at most one job does (index `uq_scan_jobs_single_active`)."""
        return self in _ACTIVE


DELIVERIES = frozenset({Status.ASSEMBLING, Status.COMMITTING})
"""Where a parked job goes on by itself, once the NAS is well. A parked preview waits for a client."""

PARKED_FOR: Mapping[str, str] = {
    Status.ASSEMBLING: "waits for the NAS",
    Status.PREVIEW: "its preview waits for an answer",
    Status.COMMITTING: "waits for the NAS",
}
"""What a parked job waits for, by the status in which it goes on."""

MERGED = frozenset({Status.PREVIEW, Status.COMMITTING, Status.COMMITTED})
"""The statuses in which `page_count` is the document's; in every other it is an earlier merge's, if it is set."""

_ACTIVE = frozenset({Status.READY, Status.SCANNING, Status.ASSEMBLING, Status.PREVIEW, Status.COMMITTING})


class Actor(StrEnum):
    """Who may take a step."""

    CLIENT = "client"
    AGENT = "agent"


class Step(NamedTuple):
    """One legal step of a job.

    Attributes:
        from_status: None for a new row.
        to_status: the next status.
        actor: who may take it.
    """

    from_status: Status | None
    to_status: Status
    actor: Actor


def _steps() -> frozenset[Step]:
    s, client, agent = Status, (Actor.CLIENT,), (Actor.AGENT,)
    both = (Actor.CLIENT, Actor.AGENT)
    table: tuple[tuple[tuple[Status | None, ...], Status, tuple[Actor, ...]], ...] = (
        ((None,), s.DRAFT, client),
        ((None,), s.QUEUED, client),
        ((s.DRAFT,), s.QUEUED, client),  # the job is complete and may be scanned
        ((s.QUEUED,), s.DRAFT, client),  # taken back
        ((s.QUEUED,), s.READY, agent),  # claimed: the scanner is reserved for this job
        ((s.READY,), s.SCANNING, both),  # scan a batch: a click, the signal, or "scan": "auto"
        ((s.SCANNING,), s.READY, agent),  # the batch is recorded, or a fault needs a person
        ((s.READY,), s.ASSEMBLING, both),  # merge the kept batches
        ((s.ASSEMBLING,), s.PREVIEW, agent),  # the verified merge is on the NAS
        ((s.ASSEMBLING,), s.READY, both),  # taken back, or the batches cannot be merged
        ((s.PREVIEW,), s.READY, client),  # reopen
        ((s.PREVIEW,), s.ASSEMBLING, client),  # merge anew, with another title
        ((s.PREVIEW,), s.COMMITTING, both),  # commit
        ((s.COMMITTING,), s.COMMITTED, agent),  # the document is in the Inbox
        ((s.COMMITTING,), s.PREVIEW, both),  # taken back, or refused: not the file that was previewed
        ((s.ASSEMBLING, s.PREVIEW, s.COMMITTING), s.QUEUED, agent),  # parked: somebody else wants the scanner
        ((s.QUEUED,), s.ASSEMBLING, agent),  # a parked job goes on
        ((s.QUEUED,), s.COMMITTING, agent),
        ((s.QUEUED,), s.FAILED, agent),  # a parked job that waited for too long
        ((s.DRAFT, s.QUEUED, s.SCANNING, s.ASSEMBLING, s.PREVIEW, s.FAILED), s.CANCELED, client),
        ((s.READY,), s.CANCELED, both),  # by a client, or idle with nothing scanned at all
        ((s.READY, s.SCANNING, s.ASSEMBLING, s.PREVIEW, s.COMMITTING), s.FAILED, agent),
        ((s.FAILED, s.CANCELED), s.QUEUED, client),  # again, with the batches that are kept
    )
    return frozenset(
        Step(from_status, to_status, actor)
        for froms, to_status, actors in table
        for from_status in froms
        for actor in actors
    )


STEPS = _steps()
"""Every legal step of a job."""

CLIENT_COMMITS = Step(Status.COMMITTING, Status.COMMITTED, Actor.CLIENT)
"""The one row that `sql/client-commits.sql` adds, for a site whose web application commits by itself."""


def legal(from_status: Status | None, actor: Actor | None = None) -> list[Status]:
    """The statuses that can follow, in the order of `Status`.

    Args:
        from_status: None for a new row.
        actor: who would take the step; None for either.
    """
    found = {
        step.to_status for step in STEPS if step.from_status is from_status and actor in {None, step.actor}
    }
    return [status for status in Status if status in found]


def is_step(from_status: Status | None, to_status: Status, actor: Actor) -> bool:
    """Whether `actor` may take a job from one status to another."""
    return Step(from_status, to_status, actor) in STEPS
