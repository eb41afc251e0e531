"""A job on its way from the kept batches into the Inbox: assembling, preview, committing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from scand import wire
from scand.decide.actions import Commit, ExpectStaged, Intent, Name, Send
from scand.decide.batches import settle
from scand.decide.state import Errand
from scand.errors import (
    ErrorCode,
    ScandError,
)
from scand.jobs.lifecycle import Status
from scand.spool.sheets import unmatched

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scand.decide.decision import Draft
    from scand.jobs.rows import Job


def assembling(draft: Draft, job: Job) -> Iterator[Intent]:
    """The kept batches become one document on the NAS."""
    if draft.view.look.unsettled:
        yield from settle(draft, job)  # a batch that is not recorded yet belongs in, too
    elif (failed := draft.failed(job, Errand.ASSEMBLE)) is not None:
        yield draft.errand_failed(job, failed)
    elif (staged := draft.came_back(job, wire.Staged)) is not None:
        yield draft.advance(job, Status.PREVIEW, staged=staged)
    elif not job.merged:
        why = "No page is kept: scan or restore a batch, then finish again."
        yield draft.advance(job, Status.READY, error=why, code=ErrorCode.NO_PAGES)
    elif (odd := _unmatched(draft, job)) is not None:
        yield draft.advance(job, Status.READY, error=odd, code=ErrorCode.SIDES_MISMATCH)
    elif draft.free_to_send(job):
        if job.nas_staging_path is None:  # whoever cancels the job in mid-copy must find what is there
            yield draft.write(ExpectStaged(job.id))
        else:
            yield draft.send(Send(Errand.ASSEMBLE, job.id, job.entered, job))


def _unmatched(draft: Draft, job: Job) -> str | None:
    counts = [(batch.label, batch.page_count) for batch in job.merged]
    return unmatched(counts) if draft.in_halves else None


def preview(draft: Draft, job: Job) -> Iterator[Intent]:
    """A person may look."""
    settings, limits = draft.view.look.settings, draft.view.limits
    if draft.view.stopping:
        return
    first_time = job.entered_from == Status.ASSEMBLING and not job.reopened
    wants = settings is not None and not isinstance(settings, ScandError) and settings.finish == "commit"
    if limits.commits and wants and first_time and job.clean:
        yield draft.advance(job, Status.COMMITTING)
    elif limits.preview_timeout is not None and (job.idle or 0) >= limits.preview_timeout:
        why = "The preview was not answered in time, and the scanner is needed. Nothing is deleted."
        yield draft.fail(job, ErrorCode.IDLE_TIMEOUT, why)


def committing(draft: Draft, job: Job) -> Iterator[Intent]:
    """Into the Inbox, once."""
    settings, courier = draft.view.look.settings, draft.view.courier
    if not draft.view.limits.commits:
        return
    if (failed := draft.failed(job, Errand.PUBLISH)) is not None:
        yield draft.errand_failed(job, failed)
    elif (published := draft.came_back(job, wire.Published)) is not None:
        draft.view = replace(draft.view, closed=job.id)
        yield draft.write(Commit(job.id, published))
    elif isinstance(settings, ScandError) and job.inbox_path is None and courier is None:
        yield draft.fail(job, ErrorCode.BAD_SETTINGS, settings.sentence)
    elif courier and courier.named and not courier.told and not courier.killed_for:
        named = courier.named
        draft.view = replace(draft.view, courier=replace(courier, told=True, heard=draft.now))
        yield draft.write(Name(job.id, named))
    elif draft.free_to_send(job):
        yield draft.send(Send(Errand.PUBLISH, job.id, job.entered, job))
