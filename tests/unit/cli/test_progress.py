"""How far a job is, and whether it rests, from its rows alone."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from scand import wire
from scand.cli.progress import QUIET, exit_status, pages, progress, rests
from scand.decide import decide
from scand.decide.actions import Progress
from scand.decide.limits import Limits
from scand.decide.occurrences import CourierSaid
from scand.decide.state import CourierChild, Snapshot, State, Task
from scand.jobs.lifecycle import Status
from scand.jobs.rows import BatchRow as Kept
from scand.jobs.rows import BatchStatus, Job
from scand.queue.intents import BatchRow, EventRow, JobRow, JobView

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
JOB = JobRow(
    id=7,
    title="Invoices",
    settings={},
    status="queued",
    steps=0,
    batch_count=0,
    page_count=None,
    pages_scanned=None,
    staging_path=None,
    nas_staging_path=None,
    inbox_path=None,
    file_hash=None,
    read_back=None,
    doc_id=None,
    left_out=0,
    error=None,
    error_code=None,
    attempts=0,
    next_attempt_at=None,
    last_activity_at=NOW,
    last_progress_at=NOW,
    step=None,
    step_done=None,
    step_total=None,
    step_since=None,
    created_at=NOW,
    updated_at=NOW,
    seen_at=NOW,
)


BATCH = Kept(1, "/spool/1.pdf", 4, BatchStatus.SCANNED)


def job(status: str, **values: object) -> JobRow:
    """A job in some status."""
    return replace(JOB, status=status, **values)  # type: ignore[arg-type]


def later(seconds: float) -> datetime:
    """So long after the job last moved."""
    return NOW + timedelta(seconds=seconds)


def batch(seq: int, page_count: int, status: str = "scanned") -> BatchRow:
    """A batch."""
    return BatchRow(seq, status, page_count, None, None, None, None, NOW)


def step(seconds: float, to_status: str) -> EventRow:
    """A step of the agent."""
    return EventRow(later(seconds), "agent", None, to_status, None)


@pytest.mark.parametrize("status", ["queued", "scanning", "assembling", "committing"])
def test_a_job_under_way_does_not_rest(status: str) -> None:
    """However long nothing was heard of it, and also with an error that is retried."""
    assert not rests(job(status, seen_at=later(3600)))
    assert not rests(job(status, seen_at=later(3600), error_code="nas_unavailable", error="away"))


@pytest.mark.parametrize("status", ["draft", "committed", "failed", "canceled"])
def test_an_ended_job_rests_at_once(status: str) -> None:
    """Nothing comes after these by itself."""
    assert rests(job(status))


@pytest.mark.parametrize("status", ["ready", "preview"])
def test_a_fault_that_needs_a_person_is_rest(status: str) -> None:
    """At once: the agent does not go on from a fault."""
    assert rests(job(status, error_code="feeder_jammed", error="jam"))


@pytest.mark.parametrize("status", ["ready", "preview"])
def test_where_the_agent_may_go_on_only_quiet_tells(status: str) -> None:
    """A `finish` of the job would have taken it further within a second."""
    assert not rests(job(status, batch_count=1, seen_at=later(QUIET / 2)))
    assert rests(job(status, batch_count=1, seen_at=later(QUIET + 0.1)))


def test_a_job_that_waits_for_paper_does_not_rest() -> None:
    """Somebody is on the way to the scanner."""
    assert not rests(job("ready", seen_at=later(600)))


def test_a_job_that_never_moved_is_as_old_as_its_row() -> None:
    """last_progress_at may be NULL in a row from before scand's time."""
    assert rests(job("preview", last_progress_at=None, seen_at=later(600)))


@pytest.mark.parametrize(
    ("row", "status"),
    [
        (job("committed"), os.EX_OK),
        (job("preview"), os.EX_OK),
        (job("ready", batch_count=1), os.EX_OK),
        (job("ready", error_code="feeder_jammed"), os.EX_TEMPFAIL),
        (job("ready", batch_count=1, error="batch 1: its 4 pages are not in the document"), os.EX_TEMPFAIL),
        (job("preview", error_code="staged_file_gone"), os.EX_TEMPFAIL),
        (job("canceled"), os.EX_TEMPFAIL),
        (job("draft"), os.EX_TEMPFAIL),
        (job("failed", error_code="bad_settings"), os.EX_DATAERR),
    ],
)
def test_the_end_of_a_job_is_an_exit_status(row: JobRow, status: int) -> None:
    """0 well, 75 a person first, 65 failed."""
    assert exit_status(row) == status


def test_the_batch_under_way_is_counted_for_itself() -> None:
    """Kept batches are taken off the live count, discarded ones never were in it."""
    view = JobView(
        job("scanning", pages_scanned=34, last_progress_at=later(10), settings={"max_pages": 50}),
        [batch(1, 24), batch(2, 8, "discarded")],
        [step(-60, "scanning"), step(-30, "ready"), step(0, "scanning")],
    )
    now = progress(view)
    assert now[:5] == (34, 3, 10, 60.0, 40.0)


def test_a_merge_tells_how_far_it_is_and_how_long_it_will_take() -> None:
    """From the step's own beginning; what the row says of an earlier stay is not told."""
    row = job(
        "assembling", page_count=None, pages_scanned=200, step="copying", step_done=30, step_total=120,
        step_since=later(2), last_progress_at=later(12),
    )  # fmt: skip
    now = progress(JobView(row, [], [step(1, "assembling")]))
    assert (now.step, now.share, now.left) == ("copying", 0.25, 30.0)
    assert progress(JobView(row, [], [step(3, "assembling")])).step is None
    assert progress(JobView(replace(row, step_total=0), [], [step(1, "assembling")])).step is None
    assert progress(JobView(replace(row, step_done=0), [], [step(1, "assembling")])).left is None


def test_a_courier_that_speaks_is_progress() -> None:
    """What it says of itself goes into the row, once a second."""
    said = wire.Alive(step="merging", done=3, total=10)
    courier = CourierChild(Task.ASSEMBLE, 7, 0.0, entered=1)
    here = State(
        Limits(),
        Snapshot(job=Job(7, "T", {}, Status.ASSEMBLING, NOW, entered=1, batches=(BATCH,))),
        serving=True,
        fresh=True,
        courier=courier,
    )
    _, intents = decide(here, CourierSaid(said), 2.0)
    assert Progress(7, None, said) in intents


@pytest.mark.parametrize("pages_scanned", [None, 0, 5])
def test_a_rate_is_told_only_once_there_is_one(pages_scanned: int | None) -> None:
    """Not before a page, not within the first second, not without the step that began the batch."""
    row = job("scanning", pages_scanned=pages_scanned, last_progress_at=later(0.5))
    assert progress(JobView(row, [], [step(0, "scanning")])).per_minute is None
    assert progress(JobView(row, [], [])).per_minute is None


def test_a_count_from_before_a_discard_is_not_negative() -> None:
    """The client's discard does not move the agent's count."""
    row = job("scanning", pages_scanned=3)
    assert progress(JobView(row, [batch(1, 12)], [step(0, "scanning")])).batch_pages == 0


def test_pages_are_the_merges_while_it_counts() -> None:
    """After a reopen the merge is of the past."""
    assert pages(job("preview", page_count=20, pages_scanned=24)) == 20
    assert pages(job("ready", page_count=20, pages_scanned=24)) == 24
    assert pages(job("queued")) is None
    assert progress(JobView(job("committed", page_count=20), [batch(1, 20)], [])).pages == 20


def test_every_status_is_judged() -> None:
    """A new status must be given a place in these functions."""
    judged = {status: (rests(job(status, seen_at=later(9))), exit_status(job(status))) for status in Status}
    assert len(judged) == 10


def test_a_parked_preview_rests_and_a_parked_delivery_does_not() -> None:
    """The one waits for a client, the other for the NAS; the pages are those of the merge."""
    preview = job("queued", resumes_in="preview", page_count=4, pages_scanned=6)
    assert rests(preview)
    assert exit_status(preview) == os.EX_OK
    assert pages(preview) == 4
    for resumes_in in ("assembling", "committing"):
        waits = job("queued", resumes_in=resumes_in, error_code="nas_unavailable", error="away")
        assert not rests(replace(waits, seen_at=later(3600)))
