"""What a command asks of a job, and the sentence where that is not possible. Pure.

The database refuses what is not a step, in the words of its table. Here a person reads it in the words of the
command line: what happens to the job now, and which command is possible.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from scand.jobs.answers import question, unanswered
from scand.jobs.lifecycle import Actor, Status, is_step
from scand.jobs.rows import BatchStatus

if TYPE_CHECKING:
    from scand.queue.intents import JobView


class Wish(StrEnum):
    """A command that is about one job."""

    SCAN = "scan"
    FINISH = "finish"
    COMMIT = "commit"
    CANCEL = "cancel"
    REOPEN = "reopen"
    RETRY = "retry"
    DISCARD = "discard"
    RESTORE = "restore"
    RENAME = "rename"
    DROP = "drop"
    KEEP = "keep"
    TURN = "turn"
    MOVE = "move"


_OF_READY = frozenset({Wish.DISCARD, Wish.RESTORE, Wish.DROP, Wish.KEEP, Wish.TURN, Wish.MOVE})
"""What changes a batch or pages: only while the job is ready, and has a batch."""


class Place(StrEnum):
    """The status of a job, divided further where that decides which commands are possible."""

    DRAFT = "draft"
    QUEUED = "queued"
    READY_EMPTY = "ready, without a batch"
    READY_DISCARDED = "ready, with nothing but discarded batches"
    READY_UNANSWERED = "ready, with a batch that ended in a fault and waits for an answer"
    READY = "ready, with a batch in the document"
    SCANNING = "scanning"
    ASSEMBLING = "assembling"
    PREVIEW = "preview"
    COMMITTING = "committing"
    COMMITTING_NAMED = "committing, and its file has a name in the Inbox"
    PARKED_ASSEMBLING = "parked, to be merged"
    PARKED_PREVIEW = "parked, with a preview"
    PARKED_COMMITTING = "parked, to be moved into the Inbox"
    PARKED_NAMED = "parked, and its file has a name in the Inbox"
    COMMITTED = "committed"
    FAILED = "failed"
    CANCELED = "canceled"
    UNKNOWN = "a status of another program"


RENAMABLE = frozenset(Status) - {Status.COMMITTING, Status.COMMITTED}
"""Stages in which a new title still reaches the document. A merge, which contains it, is made anew."""

_AIMS = {
    Wish.SCAN: Status.SCANNING,
    Wish.FINISH: Status.ASSEMBLING,
    Wish.COMMIT: Status.COMMITTING,
    Wish.CANCEL: Status.CANCELED,
    Wish.REOPEN: Status.READY,
    Wish.RETRY: Status.QUEUED,
}

_QUEUE_IT = "Job {id} is still a draft: scand scan {id} puts it into the queue"
_FOLLOW_OR_STOP = "Job {id} is scanning a batch: scand watch {id} follows it, scand cancel {id} stops it"
_NOTHING_YET = "Job {id} has no page yet: scand scan {id}"
_REOPEN_MERGE = "Job {id} is being merged: scand reopen {id} takes it back from there"
_REOPEN_PREVIEW = "Job {id} is merged and waits in its preview: scand reopen {id} takes it back from there"
_TAKE_BACK = "Job {id} is on its way into the Inbox: scand reopen {id} takes it back"
_MAY_BE_THERE = (
    "Job {id} is on its way into the Inbox, and its document may be there already: "
    "scand reopen {id} takes it back if it is not"
)
_GIVE_UP = _MAY_BE_THERE + "; where the NAS never comes back: sudo scand cancel --unpublished {id}"
_REOPEN_PARKED = "Job {id} is parked, to be merged: scand reopen {id} takes it back from there"
_TAKE_BACK_PARKED = "Job {id} is parked on its way into the Inbox: scand reopen {id} takes it back"
_FINAL = "Job {id} is in the Inbox and never changes again: scand show {id}"
_FAILED = "Job {id} has failed: scand retry {id} queues it again, with the batches that it has"
_CANCELED = "Job {id} is canceled: scand retry {id} queues it again"
_FOREIGN = "Job {id} has a status of another program ({status}): scand retry {id} queues it for scand"

_OF_PREVIEW: dict[Wish | None, str] = {
    Wish.FINISH: "Job {id} is merged already: scand commit {id} puts it into the Inbox, "
    "scand reopen {id} takes it back",
    Wish.RETRY: "Job {id} has not failed, its preview waits for an answer: scand commit {id}, or "
    "scand reopen {id}",
    None: _REOPEN_PREVIEW,
}

_SENTENCES: dict[Place, dict[Wish | None, str]] = {
    Place.DRAFT: {None: _QUEUE_IT},
    Place.QUEUED: {None: "Job {id} still waits in the queue: scand watch {id} follows it"},
    Place.READY_EMPTY: {None: _NOTHING_YET},
    Place.READY_DISCARDED: {
        None: "Every batch of job {id} is discarded: scand restore {id} {seq} takes one in again, "
        "scand scan {id} scans another",
    },
    Place.READY_UNANSWERED: {None: "Job {id} is not finished: {question}"},
    Place.READY: {
        Wish.COMMIT: "Job {id} has no preview yet: scand finish {id}",
        None: "Job {id} has not failed: scand scan {id} scans another batch, scand finish {id} merges what it has",
    },
    Place.SCANNING: {None: _FOLLOW_OR_STOP},
    Place.ASSEMBLING: {
        Wish.COMMIT: "Job {id} is being merged and has no preview yet: scand watch {id} follows it",
        Wish.RETRY: "Job {id} has not failed, it is being merged: scand watch {id} follows it",
        None: _REOPEN_MERGE,
    },
    Place.PREVIEW: _OF_PREVIEW,
    Place.COMMITTING: {None: _TAKE_BACK},
    Place.COMMITTING_NAMED: {Wish.CANCEL: _GIVE_UP, None: _MAY_BE_THERE},
    Place.PARKED_ASSEMBLING: {
        Wish.COMMIT: "Job {id} is parked, to be merged, and has no preview yet: scand watch {id} follows it",
        Wish.RETRY: "Job {id} has not failed, it is parked, to be merged: scand watch {id} follows it",
        None: _REOPEN_PARKED,
    },
    Place.PARKED_PREVIEW: _OF_PREVIEW,
    Place.PARKED_COMMITTING: {None: _TAKE_BACK_PARKED},
    Place.PARKED_NAMED: {Wish.CANCEL: _GIVE_UP, None: _MAY_BE_THERE},
    Place.COMMITTED: {
        Wish.RENAME: "Job {id} is in the Inbox and never changes again: rename the file itself, "
        "scand show {id} tells where it is",
        None: _FINAL,
    },
    Place.FAILED: {None: _FAILED},
    Place.CANCELED: {None: _CANCELED},
    Place.UNKNOWN: {None: _FOREIGN},
}
"""The sentence for a wish that is not possible in a place; None: for every other wish."""


_PARKED = {Status.ASSEMBLING: Place.PARKED_ASSEMBLING, Status.PREVIEW: Place.PARKED_PREVIEW}


def place(view: JobView) -> Place:
    """The place of a job."""
    job = view.job
    if job.status not in set(Status):
        return Place.UNKNOWN
    named = job.inbox_path is not None
    match Status(job.stage):
        case Status.COMMITTING if job.resumes_in is not None:
            return Place.PARKED_NAMED if named else Place.PARKED_COMMITTING
        case status if status in _PARKED and job.resumes_in is not None:
            return _PARKED[status]
        case Status.READY if not view.batches:
            return Place.READY_EMPTY
        case Status.READY if unanswered(view.batches):
            return Place.READY_UNANSWERED
        case Status.READY:
            kept = any(batch.status == BatchStatus.SCANNED for batch in view.batches)
            return Place.READY if kept else Place.READY_DISCARDED
        case Status.COMMITTING if named:
            return Place.COMMITTING_NAMED
        case status:
            return Place(status.value)


def aim(wish: Wish, status: str) -> Status:
    """The status that a wish leads to; the same as `status` where there is nothing to do.

    Args:
        wish: what is asked for.
        status: the job's; of a parked job the one in which it goes on.
    """
    if wish is Wish.SCAN and status == Status.DRAFT:
        return Status.QUEUED
    if wish is Wish.REOPEN and status == Status.COMMITTING:
        return Status.PREVIEW
    return _AIMS[wish]


def refusal(wish: Wish, view: JobView) -> str | None:
    """Why a wish is not possible, with a command that is; None: it is possible."""
    where = place(view)
    if _possible(wish, where, view.job.stage):
        return None
    sentences = _SENTENCES[where]
    discarded = (batch.batch_seq for batch in view.batches if batch.status == BatchStatus.DISCARDED)
    asked = "; ".join(question(view.job.id, batch) for batch in unanswered(view.batches))
    return sentences.get(wish, sentences[None]).format(
        id=view.job.id, status=view.job.status, seq=next(discarded, 1), question=asked
    )


def possible_in(wish: Wish) -> list[Status]:
    """The stages in which a wish is possible and changes something: where no job is named, and for completion."""
    done = aim(wish, "") if wish in _AIMS else None
    return [
        status for status in Status if _possible(wish, _places(status)[-1], status) and status is not done
    ]


def _places(status: Status) -> list[Place]:
    if status is Status.READY:
        return [Place.READY_EMPTY, Place.READY_DISCARDED, Place.READY_UNANSWERED, Place.READY]
    return [Place(status.value)]


def _possible(wish: Wish, where: Place, status: str) -> bool:
    if wish is Wish.RENAME:
        return status in RENAMABLE
    if wish in _OF_READY:
        return where in {Place.READY, Place.READY_DISCARDED, Place.READY_UNANSWERED}
    if where is Place.UNKNOWN:
        return wish is Wish.RETRY  # the database takes such a row in as it takes a new one
    if (where, wish) == (Place.PARKED_COMMITTING, Wish.CANCEL):
        return True  # it is queued, and nothing of it is in the Inbox
    nothing = {Place.READY_EMPTY, Place.READY_DISCARDED, Place.READY_UNANSWERED, Place.PREVIEW}
    if wish is Wish.FINISH and where in nothing:
        return False  # the agent would only send it back, the database refuses it, or it is made already
    wanted = aim(wish, status)
    return wanted == status or is_step(Status(status), wanted, Actor.CLIENT)
