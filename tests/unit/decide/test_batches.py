"""Batches that are on disk and not in the database."""

from __future__ import annotations

from dataclasses import replace

from scand import wire
from scand.decide import decide
from scand.decide.actions import (
    Advance,
    DropBatch,
    EndBatch,
    LookAgain,
    Record,
    Send,
)
from scand.decide.occurrences import (
    CourierEnded,
    CourierSaid,
    Looked,
    Tick,
)
from scand.decide.state import (
    BoundBatch,
    Task,
    TaskResult,
)
from scand.faults import ErrorCode
from scand.jobs.lifecycle import Status
from scand.spool.records import End
from tests.unit.decide.builders import (
    NOW,
    PDF,
    WAITING,
    job,
    on_disk,
    row,
    settings,
    snapshot,
    state,
    wants,
)


def test_a_finished_batch_is_bound_then_recorded() -> None:
    """end.json, then batch.pdf, then the row: one step at a time."""
    here = state(snapshot(job(Status.SCANNING), unrecorded=(on_disk(end=End()),)), feeder=WAITING)
    after, actions = decide(here, Tick(), NOW)
    assert actions == [Send(Task.BIND, 42, seq=1)]
    after, actions = decide(after, CourierSaid(wire.BoundPdf(pdf=PDF)), NOW)
    assert actions == [LookAgain()]
    after, actions = decide(after, CourierEnded("exit status 0"), NOW)
    _, actions = decide(after, Looked(here.snapshot), NOW)
    assert actions == [
        Record(42, Status.SCANNING, 1, PDF, kept=True, code=None, error=None, listed=4, answers=True)
    ]


def test_a_jammed_batch_is_recorded_as_discarded_with_a_sentence() -> None:
    """The error says which sheet jammed, what became of those before it, and from where to feed again."""
    jam = on_disk(end=End(code=ErrorCode.FEEDER_JAMMED), captured=24)
    here = state(
        snapshot(job(Status.SCANNING), unrecorded=(jam,)), feeder=WAITING, bound=BoundBatch(42, 1, PDF)
    )
    (record,) = wants(here)
    assert isinstance(record, Record)
    assert (record.kept, record.code) == (False, ErrorCode.FEEDER_JAMMED)
    assert record.error is not None
    assert "sheet 13 jammed" in record.error
    assert "12 sheets (24 pages) are discarded" in record.error
    assert "feed again from sheet 13" in record.error
    assert record.fault == record.error
    assert (record.answered, record.answers) == (False, False)


def test_on_jam_keep_keeps_the_batch() -> None:
    """The batch counts as scanned, and the fault still waits for a person."""
    jam = replace(on_disk(end=End(code=ErrorCode.COVER_OPEN)), keep_on_fault=True)
    (record,) = wants(
        state(snapshot(job(Status.SCANNING), unrecorded=(jam,)), feeder=WAITING, bound=BoundBatch(42, 1, PDF))
    )
    assert isinstance(record, Record)
    assert record.kept
    assert not record.answered
    assert record.error


def test_half_a_stack_is_never_kept_after_a_fault() -> None:
    """In manual duplex the whole half is fed again, and that answers it."""
    half = replace(on_disk(end=End(code=ErrorCode.COVER_OPEN)), keep_on_fault=True, halves=True, duplex=False)
    here = state(
        snapshot(job(Status.SCANNING), unrecorded=(half,)), feeder=WAITING, bound=BoundBatch(42, 1, PDF)
    )
    (record,) = wants(here)
    assert isinstance(record, Record)
    assert (record.kept, record.answered) == (False, False)
    again = replace(half, end=End(), seq=2)
    torn = replace(row(1, kept=False), error_code="cover_open", answered=False)
    here = state(
        snapshot(job(Status.SCANNING, batches=(torn,)), unrecorded=(again,)),
        feeder=WAITING,
        bound=BoundBatch(42, 2, PDF),
    )
    (record,) = wants(here)
    assert isinstance(record, Record)
    assert (record.answers, record.halves, record.error) == (True, True, None)


def test_a_complete_batch_beside_a_discarded_one_leaves_a_question() -> None:
    """The rest was fed, or the whole stack? Only a person knows: the job says so, without a code."""
    torn = replace(row(1, kept=False), error_code="feeder_jammed", answered=False)
    here = state(
        snapshot(job(Status.SCANNING, batches=(torn,)), unrecorded=(on_disk(2, end=End()),)),
        feeder=WAITING,
        bound=BoundBatch(42, 2, PDF),
    )
    (record,) = wants(here)
    assert isinstance(record, Record)
    assert (record.code, record.fault, record.answers) == (None, None, True)
    assert record.error == (
        "batch 1: its 4 pages are not in the document: scand restore 42 1 takes them in, scand discard 42 1 "
        "leaves them out"
    )


def test_a_canceled_batch_is_no_clean_place() -> None:
    """Queued again, the job says from which sheet to feed, and does not scan by itself."""
    canceled = on_disk(end=End(code=ErrorCode.CANCELED))
    here = state(
        snapshot(
            job(Status.READY, entered_from="queued"), unrecorded=(canceled,), asked=settings(scan="auto")
        ),
        bound=BoundBatch(42, 1, PDF),
    )
    (record,) = wants(here)
    assert isinstance(record, Record)
    assert "feed again from sheet 3" in (record.error or "")


def test_a_batch_without_end_was_interrupted() -> None:
    """After a kill or a power cut, the next start ends the batch."""
    here = state(snapshot(job(Status.SCANNING), unrecorded=(on_disk(),)), feeder=WAITING)
    assert wants(here) == [EndBatch(42, 1, End(code=ErrorCode.INTERRUPTED)), LookAgain()]


def test_a_batch_of_one_torn_sheet_is_recorded_without_a_pdf() -> None:
    """The front stays in the spool, and there is no whole sheet to bind."""
    torn = on_disk(end=End(code=ErrorCode.FEEDER_JAMMED), captured=1, bindable=0)
    (record,) = wants(state(snapshot(job(Status.SCANNING), unrecorded=(torn,)), feeder=WAITING))
    assert isinstance(record, Record)
    assert (record.pdf, record.kept, record.answered) == (None, False, True)


def test_an_empty_feeder_returns_the_job_to_ready() -> None:
    """No batch is recorded; its directory is removed after the row is written."""
    empty = on_disk(end=End(code=ErrorCode.FEEDER_EMPTY), captured=0)
    step, drop, look = wants(state(snapshot(job(Status.SCANNING), unrecorded=(empty,)), feeder=WAITING))
    assert isinstance(step, Advance)
    assert (step.to_status, step.code) == (Status.READY, ErrorCode.FEEDER_EMPTY)
    assert (drop, look) == (DropBatch(42, 1), LookAgain())


def test_a_batch_that_is_not_recorded_yet_belongs_in_the_merge() -> None:
    """A client may finish while the last batch is still being bound."""
    batch = on_disk(seq=2, end=End())
    here = state(snapshot(job(Status.ASSEMBLING, batches=(row(),)), unrecorded=(batch,)))
    assert wants(here) == [Send(Task.BIND, 42, seq=2)]
    (record,) = wants(replace(here, bound=BoundBatch(42, 2, PDF)))
    assert isinstance(record, Record)
    assert (record.status, record.kept) == (Status.ASSEMBLING, True)


def test_a_batch_with_a_damaged_page_is_discarded_and_the_job_fails() -> None:
    """When the job is queued again, the other batches can still become a document."""
    damaged = wire.Failed(code=ErrorCode.SPOOL_DAMAGED, sentence="page-0003.jpg is damaged")
    batch = on_disk(end=End())
    here = state(
        snapshot(job(Status.READY), unrecorded=(batch,)),
        feeder=WAITING,
        done=TaskResult(42, 0, Task.BIND, damaged),
    )
    (record,) = wants(here)
    assert isinstance(record, Record)
    assert (record.pdf, record.kept, record.code) == (None, False, ErrorCode.SPOOL_DAMAGED)
    told = job(Status.READY, error_code="spool_damaged", error="page-0003.jpg is damaged")
    (step,) = wants(state(snapshot(told), feeder=WAITING))
    assert isinstance(step, Advance)
    assert (step.to_status, step.error) == (Status.FAILED, told.error)
