"""What the daemon says of what clients did, from one look to the next, and of what it did itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from scand import wire
from scand.agent.log.events import MESSAGES, Event
from scand.agent.log.narrate import narrate, narrate_outcome
from scand.decide.actions import (
    Advance,
    Commit,
    ExpectStaged,
    Expire,
    KillFeeder,
    Park,
    Postpone,
    ReadBack,
    Record,
    RefuseScan,
    Scan,
    Send,
    StartFeeder,
)
from scand.decide.limits import Limits
from scand.decide.occurrences import (
    Claimed,
    CourierSaid,
    DiskRefused,
    FilesExpired,
    LookDue,
    Looked,
    ManualJobMade,
    NotWritten,
    Performed,
    SpoolPutAside,
    StatusRowMade,
    Written,
)
from scand.decide.state import Snapshot, State, Task, TaskResult
from scand.faults import ErrorCode
from scand.jobs.lifecycle import Actor, Status
from scand.jobs.rows import Job
from scand.jobs.settings import Settings
from scand.spool.leaves import Plan
from scand.spool.records import BatchPdf, Document

if TYPE_CHECKING:
    from scand.decide.occurrences import Outcome

JOB = Job(
    id=42, title="T", settings={}, status=Status.READY, created_at=datetime(2026, 1, 1, tzinfo=UTC), entered=7
)
ASSEMBLING = replace(JOB, status=Status.ASSEMBLING, entered_from=Status.READY)
PREVIEW = replace(JOB, status=Status.PREVIEW, entered_from=Status.ASSEMBLING)


def told(
    was: Job | None, job: Job | None, *, queued: bool = False, closed: int = 0, former: str | None = None
) -> list[Event]:
    """The events of a look at `job` after one at `was`."""
    before = State(limits=Limits(), snapshot=Snapshot(job=was), closed=closed)
    look = Snapshot(job=job, queued=queued, former=former)
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


@pytest.mark.parametrize(
    ("status", "event"),
    [
        (Status.CANCELED, Event.JOB_CANCELED),
        (Status.COMMITTED, Event.COMMITTED),
        (Status.FAILED, Event.JOB_TAKEN),
        (None, Event.JOB_DELETED),
    ],
)
def test_what_became_of_a_job_that_is_no_longer_active_is_told(status: Status | None, event: Event) -> None:
    """By its status now; what the daemon did itself it has told already."""
    assert told(PREVIEW, None, former=status) == [event]
    assert told(PREVIEW, replace(JOB, id=43), former=status) == [event]
    assert told(PREVIEW, None, closed=PREVIEW.id, former=status) == []


def test_a_job_that_a_client_has_committed_is_not_called_canceled() -> None:
    """The line is the one of every commit, with the path that the client gave."""
    before = State(limits=Limits(), snapshot=Snapshot(job=replace(PREVIEW, status=Status.COMMITTING)))
    look = Snapshot(former=Status.COMMITTED, former_path="documents/a.pdf")
    lines = list(narrate(before, Looked(look), replace(before, snapshot=look)))
    assert lines == [(Event.COMMITTED, {"job": 42, "path": "documents/a.pdf"})]


def test_a_daemon_that_has_just_started_tells_nothing_of_what_it_finds() -> None:
    """The first look has no former one."""
    assert told(None, ASSEMBLING) == []


SHA = "0" * 64
STAGED = wire.Staged(
    document=Document(path="/m.pdf", pages=4, size=9, sha256=SHA), title="T", staged=".staging/job-42/m.pdf"
)
BATCH = Record(42, Status.SCANNING, 1, BatchPdf(path="/b.pdf", pages=4, sha256=SHA), True, None, None)
JAM = ErrorCode.FEEDER_JAMMED


def step(to_status: Status, code: ErrorCode | None = None, staged: wire.Staged | None = None) -> Advance:
    """A step of the agent."""
    return Advance(
        42, Status.ASSEMBLING, to_status, Actor.AGENT, error=code and "why", code=code, staged=staged
    )


@pytest.mark.parametrize(
    ("outcome", "event", "fields"),
    [
        (Claimed(42, "T", Status.READY), Event.JOB_CLAIMED, {"job": 42, "title": "T"}),
        (
            Claimed(42, "T", Status.COMMITTING),
            Event.JOB_RESUMED,
            {"job": 42, "status": Status.COMMITTING},
        ),
        (
            Written(Park(42, Status.PREVIEW, 1, 120.0)),
            Event.JOB_PARKED,
            {"job": 42, "status": Status.PREVIEW, "why": "its preview waits for an answer"},
        ),
        (Written(ReadBack(42, found=True)), Event.READ_BACK, {"job": 42}),
        (
            Written(ReadBack(42, found=False, code=ErrorCode.NOT_READ_BACK, error="gone")),
            Event.NOT_READ_BACK,
            {"job": 42, "code": ErrorCode.NOT_READ_BACK, "why": "gone"},
        ),
        (ManualJobMade(42, "T"), Event.MANUAL_JOB_MADE, {"job": 42, "title": "T"}),
        (
            Written(replace(step(Status.PREVIEW, staged=STAGED), plan=Plan((), blank=3, dropped=1))),
            Event.PREVIEW_READY,
            {
                "job": 42,
                "pages": 4,
                "path": STAGED.staged,
                "blank": 3,
                "dropped": 1,
                "suspect": 0,
                "holds": "4 pages; 3 blank and 1 dropped left out",
            },
        ),
        (
            Written(
                replace(step(Status.PREVIEW, staged=STAGED), left_out="batch 1: 8 safe pages are not in it")
            ),
            Event.PREVIEW_READY,
            {
                "job": 42,
                "pages": 4,
                "path": STAGED.staged,
                "holds": "4 pages; batch 1: 8 safe pages are not in it",
            },
        ),
        (
            Written(step(Status.PREVIEW, ErrorCode.NAS_FULL)),
            Event.REFUSED,
            {"job": 42, "code": ErrorCode.NAS_FULL, "why": "why"},
        ),
        (
            Written(step(Status.READY, JAM)),
            Event.JOB_READY_WITH_ERROR,
            {"job": 42, "code": JAM, "why": "why"},
        ),
        (Written(step(Status.FAILED, JAM)), Event.JOB_FAILED, {"job": 42, "code": JAM, "why": "why"}),
        (Written(step(Status.CANCELED)), Event.IDLE_TIMEOUT, {"job": 42, "outcome": "canceled"}),
        (NotWritten(step(Status.FAILED)), Event.STEP_REFUSED, {"job": 42, "wanted": Status.FAILED}),
        (
            Written(BATCH),
            Event.BATCH_RECORDED,
            {"job": 42, "batch": 1, "pages": 4, "blank": 0, "holds": "4 pages"},
        ),
        (
            Written(replace(BATCH, code=JAM, error="why")),
            Event.BATCH_FAULT,
            {"job": 42, "batch": 1, "pages": 4, "blank": 0, "code": JAM, "why": "why"},
        ),
        (
            Written(Postpone(42, Status.SCANNING, ErrorCode.DEVICE_BUSY, "why", 2.0, 1)),
            Event.COURIER_RETRY,
            {
                "job": 42,
                "code": ErrorCode.DEVICE_BUSY,
                "why": "why",
                "task": Status.SCANNING,
                "seconds": 2.0,
                "attempt": 1,
            },
        ),
        (
            Written(Commit(42, wire.Published(inbox_path="Inbox/T.pdf", sha256=SHA))),
            Event.COMMITTED,
            {"job": 42, "path": "Inbox/T.pdf", "sha256": SHA},
        ),
        (Performed(Scan(42, 1, Settings())), Event.BATCH_STARTED, {"job": 42, "batch": 1}),
        (Performed(Send(Task.BIND, 42)), Event.COURIER_STARTED, {"job": 42, "task": Task.BIND}),
        (Performed(StartFeeder()), Event.FEEDER_STARTED, {}),
        (StatusRowMade(7), Event.STATUS_ROW_MADE, {"epoch": 7}),
        (Performed(KillFeeder(JAM)), Event.FEEDER_KILLED, {"code": JAM, "why": JAM}),
        (Performed(RefuseScan(None)), Event.SCAN_REFUSED, {"why": "the database is away"}),
        (Performed(RefuseScan(Status.PREVIEW)), Event.SCAN_REFUSED, {"why": "a job is preview"}),
        (SpoolPutAside(42, "/x"), Event.SPOOL_PUT_ASIDE, {"job": 42, "path": "/x"}),
        (FilesExpired(42), Event.FILES_EXPIRED, {"job": 42}),
        (DiskRefused("why"), Event.UNEXPECTED, {"why": "why"}),
    ],
)
def test_what_the_daemon_did_is_one_line(outcome: Outcome, event: Event, fields: dict[str, Any]) -> None:
    """Each with its event and the fields of its wording."""
    assert list(narrate_outcome(outcome)) == [(event, fields)]
    assert set(MESSAGES[event].fields) <= set(fields)


def test_a_job_that_waits_beside_a_complete_batch_is_told() -> None:
    """The batch itself went well: what a person must do is about an earlier one."""
    lines = list(
        narrate_outcome(Written(replace(BATCH, error="batch 1: its 8 pages are not in the document")))
    )
    assert [event for event, _ in lines] == [Event.BATCH_RECORDED, Event.JOB_READY_WITH_ERROR]
    assert lines[1][1]["why"].startswith("batch 1")


@pytest.mark.parametrize(
    "outcome",
    [
        Written(step(Status.COMMITTING)),  # the next look tells it, as it does for a client's step
        Written(Advance(42, Status.READY, Status.SCANNING, Actor.CLIENT)),
        NotWritten(Advance(42, Status.READY, Status.SCANNING, Actor.CLIENT)),
        NotWritten(BATCH),
        Written(Postpone(42, Status.COMMITTING, ErrorCode.NAS_UNAVAILABLE, "why", 2.0, 1)),
        Written(ExpectStaged(42, "s/merged.pdf")),
        Written(Expire(60.0)),
        LookDue(),
    ],
)
def test_what_is_told_elsewhere_or_not_at_all_has_no_line(outcome: Outcome) -> None:
    """That the NAS is away is told once, when it goes, and not at every try."""
    assert list(narrate_outcome(outcome)) == []


@pytest.mark.parametrize(
    ("code", "told"),
    [(ErrorCode.COURIER_CRASHED, [Event.COURIER_FAILED]), (ErrorCode.NAS_UNAVAILABLE, [])],
)
def test_tidying_that_failed_is_told(code: ErrorCode, told: list[Event]) -> None:
    """No job's row tells of it; that the NAS is away is told by an event of its own."""
    before = State(limits=Limits(), snapshot=Snapshot())
    failed = wire.Failed(code=code, sentence="why")
    after = replace(before, done=TaskResult(41, 0, Task.UNSTAGE, failed))
    assert [event for event, _ in narrate(before, CourierSaid(failed), after)] == told
