"""The life of a job, as one table.

A client writes intents, the agent writes results, and `scan_jobs.status` is where they meet:

    draft ⇄ queued → ready ⇄ scanning
                       ↓ ↑
                    assembling → preview → committing → committed
                                   ↑ reopen: back to ready

and from nearly everywhere: canceled (a client's word) and failed (cannot go on without a person), from both
of which a client may say: again (queued). The rows below are the whole truth. `scan_job_transitions` holds
the same rows, a trigger enforces them for everybody, and the daemon compares the two at its start.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Status(StrEnum):
    """`scan_jobs.status`. The steps between them are in `lifecycle`; the same rows are in SQL."""

    DRAFT = "draft"  # a client is still writing it
    QUEUED = "queued"  # please scan this
    READY = "ready"  # claimed: the scanner is this job's
    SCANNING = "scanning"  # one batch now
    ASSEMBLING = "assembling"  # the kept batches become one PDF on the NAS
    PREVIEW = "preview"  # the verified merge is on the NAS; a person may look
    COMMITTING = "committing"  # on its way into the Inbox
    COMMITTED = "committed"  # in the Inbox, once; never changes again
    FAILED = "failed"  # cannot go on without a person, and the scanner must be free
    CANCELED = "canceled"  # a client stopped it, or nothing was ever scanned

    @property
    def active(self) -> bool:
        """Whether the job holds the scanner; at most one does (index `uq_scan_jobs_single_active`)."""
        return self in _ACTIVE


_ACTIVE = frozenset({Status.READY, Status.SCANNING, Status.ASSEMBLING, Status.PREVIEW, Status.COMMITTING})


class Actor(StrEnum):
    """Who may take a step."""

    CLIENT = "client"
    AGENT = "agent"


class Step(NamedTuple):
    """One legal step of a job. `from_status` is None for a new row."""

    from_status: Status | None
    to_status: Status
    actor: Actor


def _steps() -> frozenset[Step]:
    s, client, agent = Status, (Actor.CLIENT,), (Actor.AGENT,)
    both = (Actor.CLIENT, Actor.AGENT)
    table: tuple[tuple[tuple[Status | None, ...], Status, tuple[Actor, ...]], ...] = (
        ((None,), s.DRAFT, client),
        ((None,), s.QUEUED, client),
        ((s.DRAFT,), s.QUEUED, client),  # please scan this
        ((s.QUEUED,), s.DRAFT, client),  # not yet
        ((s.QUEUED,), s.READY, agent),  # claimed: the scanner is this job's
        ((s.READY,), s.SCANNING, both),  # one batch now: a click, the signal, or "scan": "auto"
        ((s.SCANNING,), s.READY, agent),  # the batch is recorded, or a fault needs a person
        ((s.READY,), s.ASSEMBLING, both),  # merge the kept batches
        ((s.ASSEMBLING,), s.PREVIEW, agent),  # the verified merge is on the NAS
        ((s.ASSEMBLING,), s.READY, both),  # not now; or: cannot merge as asked
        ((s.PREVIEW,), s.READY, client),  # reopen
        ((s.PREVIEW,), s.COMMITTING, both),  # commit
        ((s.COMMITTING,), s.COMMITTED, agent),  # in the Inbox, once
        ((s.COMMITTING,), s.PREVIEW, both),  # not now; or: refused, not the file that was previewed
        ((s.DRAFT, s.QUEUED, s.SCANNING, s.ASSEMBLING, s.PREVIEW, s.FAILED), s.CANCELED, client),  # stop
        ((s.READY,), s.CANCELED, both),  # stop; or: idle, and nothing scanned at all
        ((s.READY, s.SCANNING, s.ASSEMBLING, s.PREVIEW, s.COMMITTING), s.FAILED, agent),
        ((s.FAILED, s.CANCELED), s.QUEUED, client),  # again, from the kept batches on
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
"""The one row that `sql/client-commits.sql` adds, for a site whose web commits by itself."""


def legal(from_status: Status | None, actor: Actor | None = None) -> list[Status]:
    """The statuses that can follow, for one actor or for any, in the order of `Status`."""
    found = {
        step.to_status for step in STEPS if step.from_status is from_status and actor in {None, step.actor}
    }
    return [status for status in Status if status in found]


def is_step(from_status: Status | None, to_status: Status, actor: Actor) -> bool:
    """Whether `actor` may take a job from one status to another."""
    return Step(from_status, to_status, actor) in STEPS
