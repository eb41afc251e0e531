"""A job between its kept batches and the Inbox: assembling, preview, committing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from scand import wire
from scand.decide.actions import Action, Commit, ExpectStaged, Name, ReadPages, Rebound, Send
from scand.decide.batches import process_first
from scand.decide.parking import give_way
from scand.decide.sentences import NOBODY_ASKED, NOT_ANSWERED, UNPUBLISHED
from scand.decide.state import Task
from scand.errors import ScandError
from scand.faults import ErrorCode
from scand.jobs.answers import pieced
from scand.jobs.lifecycle import Status
from scand.jobs.settings import Settings
from scand.spool.leaves import plan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scand.decide.decision import Decision
    from scand.decide.job_pages import JobPages
    from scand.jobs.rows import Job


def assembling(decision: Decision, job: Job) -> Iterator[Action]:
    """Merge the kept batches into one document on the NAS."""
    if not job.by_step:
        yield decision.advance(job, Status.READY, error=NOBODY_ASKED, code=ErrorCode.INTERRUPTED)
    elif decision.state.snapshot.unrecorded:
        yield from process_first(decision, job)  # a batch that is not recorded yet belongs in the merge, too
    elif failed := decision.failure_of(job, Task.ASSEMBLE) or decision.failure_of(job, Task.BIND):
        yield decision.task_failed(job, failed)
    elif (staged := decision.result_of(job, wire.Staged)) is not None:
        yield decision.advance(job, Status.PREVIEW, staged=staged, plan=decision.state.plan)
    elif parked := list(give_way(decision, job)):
        yield from parked
    elif not job.merged:
        why = "No page is kept: scan or restore a batch, then finish again."
        yield decision.advance(job, Status.READY, error=why, code=ErrorCode.NO_PAGES)
    elif (pages := decision.state.pages) is None or not pages.are_of(job):
        if decision.free_to_send(job):
            yield ReadPages(job)
    elif pages.unbound:
        yield from _bind_anew(decision, job, pages)
    elif decision.free_to_send(job):
        yield _merge(decision, job, pages)


def _bind_anew(decision: Decision, job: Job, pages: JobPages) -> Iterator[Action]:
    """A batch of scand 0.1, whose PDF left blank sides out, or one that has no PDF yet."""
    batch, bound = pages.unbound[0], decision.state.bound
    if bound and (bound.job_id, bound.seq) == (job.id, batch.seq):
        decision.state = replace(decision.state, bound=None, pages=None)
        yield decision.write(Rebound(job.id, job.status, batch.seq, bound.pdf, batch.blank))
    elif decision.free_to_send(job):
        yield decision.send(Send(Task.BIND, job.id, job.entered, seq=batch.seq))


def _merge(decision: Decision, job: Job, pages: JobPages) -> Action:
    """Send a courier with the plan of the merge. Before each try the rows are compared with the disk again."""
    try:
        if pages.trouble is not None:
            raise pages.trouble
        planned = plan(pages.batches)
    except ScandError as error:
        decision.state = replace(decision.state, pages=None)
        return decision.task_failed(job, wire.Failed(code=error.code, sentence=error.sentence))
    if not planned.runs:
        return decision.advance(job, Status.READY, error=_nothing_left(job, pages), code=ErrorCode.NO_PAGES)
    if told := _told(decision, job):
        return told
    decision.state = replace(decision.state, pages=None, plan=planned)
    return decision.send(Send(Task.ASSEMBLE, job.id, job.entered, job, runs=planned.runs))


def _nothing_left(job: Job, pages: JobPages) -> str:
    seq, last = next((batch.seq, len(batch.bound)) for batch in pages.batches if batch.bound)
    which = f"{seq}.1" if last == 1 else f"{seq}.1-{last}"
    return f"Every page is left out, so there is nothing to merge: scand keep {job.id} {which}, then finish again."


def _told(decision: Decision, job: Job) -> Action | None:
    """The row tells where the merge is going to be: so it is found if the job is canceled in mid-copy."""
    place = decision.state.snapshot.place
    if place is None or job.nas_staging_path in {place.path, place.former} - {None}:
        return None
    return decision.write(ExpectStaged(job.id, place.path, place.odd))


def preview(decision: Decision, job: Job) -> Iterator[Action]:
    """Wait for a person, unless the settings say that the agent commits."""
    settings, limits = decision.state.snapshot.settings, decision.state.limits
    if decision.state.stopping:
        return
    first_time = job.entered_from == Status.ASSEMBLING and not job.reopened
    wants = isinstance(settings, Settings) and _commits(settings, job)
    if limits.commits and wants and first_time and job.clean:
        yield decision.advance(job, Status.COMMITTING)
    elif limits.preview_timeout is not None and (job.idle or 0) >= limits.preview_timeout:
        yield decision.fail(job, ErrorCode.IDLE_TIMEOUT, NOT_ANSWERED)
    else:
        yield from give_way(decision, job)


def _commits(settings: Settings, job: Job) -> bool:
    """Whether the settings ask for the Inbox. With a kept batch that ended in a fault, only if they say `on_jam`.

    Where it is kept by default, somebody may have fed the whole stack again: then a person looks first.
    """
    return settings.finish == "commit" and (settings.keeps_on_jam or not pieced(job.batches))


def committing(decision: Decision, job: Job) -> Iterator[Action]:
    """Publish the document in the Inbox, once; or wait for the client that does.

    Once `inbox_path` is in the row, the agent has begun to publish, and ends that whoever commits by now.
    """
    settings, courier = decision.state.snapshot.settings, decision.state.courier
    if not decision.state.limits.commits and job.inbox_path is None:
        yield from _wait_for_client(decision, job)
        return
    if not job.by_step:
        yield decision.advance(job, Status.PREVIEW, error=NOBODY_ASKED, code=ErrorCode.INTERRUPTED)
    elif (failed := decision.failure_of(job, Task.PUBLISH)) is not None:
        yield decision.task_failed(job, failed)
    elif (published := decision.result_of(job, wire.Published)) is not None:
        decision.state = replace(decision.state, closed=job.id)
        yield decision.write(Commit(job.id, published))
    elif decision.result_of(job, wire.Withdrawn) is not None:
        yield decision.advance(job, Status.PREVIEW)
    elif job.withdraw == Status.FAILED and courier is None:
        yield decision.fail(job, ErrorCode.PUBLICATION_UNKNOWN, UNPUBLISHED)
    elif parked := list(give_way(decision, job)):
        yield from parked
    elif isinstance(settings, ScandError) and job.inbox_path is None and courier is None:
        yield decision.fail(job, ErrorCode.BAD_SETTINGS, settings.sentence)
    elif courier and courier.named and not courier.go_given and not courier.killed_for:
        named = courier.named
        decision.state = replace(decision.state, courier=replace(courier, go_given=True, heard=decision.now))
        yield decision.write(Name(job.id, named))
    elif decision.free_to_send(job):
        yield _told(decision, job) or decision.send(Send(Task.PUBLISH, job.id, job.entered, job))


def _wait_for_client(decision: Decision, job: Job) -> Iterator[Action]:
    """A client that has died must not hold the scanner. One that comes late takes the step to committing again."""
    timeout = decision.state.limits.client_timeout
    if timeout is not None and (job.idle or 0) >= timeout and not decision.state.stopping:
        why = (
            "The client that commits by itself was silent for too long. Commit again; see before whether the "
            "document is in its place already."
        )
        yield decision.advance(job, Status.PREVIEW, error=why, code=ErrorCode.CLIENT_TIMEOUT)
