"""What the daemon says of what clients did, from one look to the next."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from scand.agent.log.events import Event
from scand.agent.log.narrate import narrate
from scand.decide.occurrences import Looked
from scand.decide.state import Limits, Snapshot, State
from scand.jobs.lifecycle import Status
from scand.jobs.rows import Job

JOB = Job(
    id=42, title="T", settings={}, status=Status.READY, created_at=datetime(2026, 1, 1, tzinfo=UTC), entered=7
)
ASSEMBLING = replace(JOB, status=Status.ASSEMBLING, entered_from=Status.READY)
PREVIEW = replace(JOB, status=Status.PREVIEW, entered_from=Status.ASSEMBLING)


def told(was: Job | None, job: Job | None, *, queued: bool = False, closed: int = 0) -> list[Event]:
    """The events of a look at `job` after one at `was`."""
    before = State(limits=Limits(), snapshot=Snapshot(job=was), closed=closed)
    look = Snapshot(job=job, queued=queued)
    return [event for event, _ in narrate(before, Looked(look), replace(before, snapshot=look))]


@pytest.mark.parametrize("seen", [ASSEMBLING, PREVIEW, replace(JOB, entered_from=Status.SCANNING)])
def test_a_reopened_job_is_told_whatever_was_seen_before(seen: Job) -> None:
    """A client may reopen before the daemon has looked at its own step to preview."""
    reopened = replace(JOB, entered=9, entered_from=Status.PREVIEW)
    assert told(seen, reopened) == [Event.JOB_REOPENED]
    assert told(reopened, reopened) == []


def test_a_job_finished_again_at_once_is_told() -> None:
    """From assembling, by way of ready, to assembling: the status is the same, the step is another."""
    assert told(ASSEMBLING, replace(ASSEMBLING, entered=9)) == [Event.ASSEMBLING]


def test_a_job_that_is_no_longer_active_was_canceled_unless_the_daemon_closed_it() -> None:
    """What the daemon did itself it has told already."""
    assert told(PREVIEW, None) == [Event.JOB_CANCELED]
    assert told(PREVIEW, replace(JOB, id=43)) == [Event.JOB_CANCELED]
    assert told(PREVIEW, None, closed=PREVIEW.id) == []


def test_a_daemon_that_has_just_started_tells_nothing_of_what_it_finds() -> None:
    """The first look has no former one."""
    assert told(None, ASSEMBLING) == []


def test_a_preview_that_holds_others_up_is_told() -> None:
    """The next job waits for a person to look."""
    assert told(PREVIEW, PREVIEW, queued=True) == [Event.PREVIEW_HOLDS]
