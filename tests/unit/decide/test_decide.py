"""Deciding, without any I/O: what the rows and the disk ask for is what is wanted."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from scand import wire
from scand.decide import decide
from scand.decide.actions import (
    AbandonCourier,
    AbandonFeeder,
    Action,
    Advance,
    Claim,
    Commit,
    DropBatch,
    EndBatch,
    Exit,
    ExpectStaged,
    Expire,
    FindScanner,
    KillCourier,
    KillFeeder,
    LookAgain,
    MakeManualJob,
    Name,
    Postpone,
    Progress,
    Record,
    RefuseScan,
    RetireFeeder,
    Scan,
    Send,
    StartFeeder,
    TellFeeder,
)
from scand.decide.occurrences import (
    Configured,
    CourierEnded,
    CourierSaid,
    DatabaseLost,
    Displaced,
    FeederEnded,
    FeederSaid,
    LookDue,
    Looked,
    Occurrence,
    StopAsked,
    Tick,
)
from scand.decide.state import CourierChild, FeederChild, Limits, Run, Snapshot, State, Task
from scand.decide.timeouts import ANSWER_TIME, COURIER_SILENCE, DEVICE_TRIES, DYING_TIME, backoff
from scand.errors import BadData
from scand.faults import ErrorCode
from scand.jobs.lifecycle import STEPS, Actor, Status, Step
from scand.jobs.rows import BatchRow, BatchStatus, Job, StaleFile
from scand.jobs.settings import Settings, resolve
from scand.spool.records import BatchPdf, Document, End, Page, Side, SpooledBatch

NOW = 1000.0
SHA = "0" * 64
PDF = BatchPdf(path="/spool/batch.pdf", pages=4, sha256=SHA)
PAGE = Page(sheet=1, side=Side.FRONT, file="page-0001.jpg", sha256=SHA, size=9, width=9, height=9, dpi=300)


def settings(**asked: Any) -> Settings:
    """Settings as a job would have them."""
    return resolve(asked, {})


def job(status: Status, **fields: Any) -> Job:
    """A row."""
    values: dict[str, Any] = {"id": 42, "title": "T", "settings": {}, "created_at": datetime.now(UTC)}
    return Job(status=status, **{**values, **fields})


def row(seq: int = 1, *, kept: bool = True, pages: int = 4) -> BatchRow:
    """A recorded batch."""
    status = BatchStatus.SCANNED if kept else BatchStatus.DISCARDED
    return BatchRow(seq, f"/spool/{seq}.pdf", pages, status)


def on_disk(
    seq: int = 1, end: End | None = None, *, captured: int = 4, bindable: int | None = None
) -> SpooledBatch:
    """A batch that the database does not know."""
    return SpooledBatch(
        seq=seq,
        duplex=True,
        keep_on_fault=False,
        halves=False,
        end=end,
        captured=captured,
        bindable=captured if bindable is None else bindable,
        blank=0,
        sheets=captured // 2,
    )


def steps(actions: list[Action]) -> list[Advance]:
    """The steps among them."""
    return [action for action in actions if isinstance(action, Advance)]


def state(look: Snapshot | None = None, **fields: Any) -> State:
    """A state of a daemon that serves."""
    values: dict[str, Any] = {"serving": True, "fresh": True, "progressed": NOW}
    return State(**{"limits": Limits(), "look": look or Snapshot(), **values, **fields})


def looked(row_: Job, *, unsettled: tuple[SpooledBatch, ...] = (), asked: Any = None) -> Snapshot:
    """A look at an active job."""
    return Snapshot(
        job=row_,
        settings=asked if asked is not None else settings(),
        unsettled=unsettled,
        next_seq=max([b.seq for b in row_.batches] + [b.seq for b in unsettled], default=0) + 1,
    )


def wants(before: State, occurrence: Occurrence | None = None, now: float = NOW) -> list[Action]:
    """What is wanted, after an occurrence or simply now."""
    return decide(before, occurrence or Tick(), now)[1]


WARM = FeederChild(heard=NOW)


def running(**fields: Any) -> FeederChild:
    """A feeder that scans batch 1 of job 42."""
    return FeederChild(heard=NOW, run=replace(Run(42, 1), **fields))


def courier(task: Task, **fields: Any) -> CourierChild:
    """A courier that runs for job 42."""
    return replace(CourierChild(task, 42, NOW), **fields)


# Nothing active.


def test_an_idle_agent_wants_nothing() -> None:
    """With nothing queued there is nothing to do."""
    assert wants(state()) == []


def test_what_may_have_changed_is_looked_at_first() -> None:
    """A stale state decides nothing but to look."""
    assert wants(state(fresh=False)) == [LookAgain()]


def test_a_queued_job_is_claimed() -> None:
    """Once no job is active."""
    assert wants(state(Snapshot(queued=True))) == [Claim()]


def test_nothing_is_claimed_while_the_feeder_still_runs_for_a_canceled_job() -> None:
    """The scanner is not free before it has stopped."""
    actions = wants(state(Snapshot(queued=True), feeder=running()))
    assert actions == [TellFeeder(wire.Cancel())]


def test_an_idle_feeder_is_let_go() -> None:
    """No job is ready: the scanner is free for other programs."""
    assert wants(state(feeder=WARM)) == [RetireFeeder()]


def test_the_signal_makes_a_job_when_none_is_active() -> None:
    """SIGUSR1 on an idle daemon."""
    assert wants(state(scan_asked=NOW)) == [MakeManualJob()]


def test_the_signal_prefers_the_job_that_waits() -> None:
    """A queued job is claimed first; the signal then scans into it."""
    after, actions = decide(state(Snapshot(queued=True), scan_asked=NOW), Tick(), NOW)
    assert actions == [Claim()]
    assert after.scan_asked == NOW


# Ready.


def test_a_ready_job_gets_a_warm_feeder() -> None:
    """The child is there before it is wanted."""
    assert wants(state(looked(job(Status.READY)))) == [StartFeeder()]


def test_the_signal_scans_into_the_ready_job_as_a_client() -> None:
    """A person's word counts also after a fault."""
    ready = job(Status.READY, error_code="feeder_jammed", error="jam")
    (step,) = wants(state(looked(ready), scan_asked=NOW))
    assert isinstance(step, Advance)
    assert (step.to_status, step.actor) == (Status.SCANNING, Actor.CLIENT)


@pytest.mark.parametrize("status", [Status.SCANNING, Status.ASSEMBLING, Status.PREVIEW, Status.COMMITTING])
def test_the_signal_changes_nothing_while_a_job_is_busy(status: Status) -> None:
    """It is refused in the log and forgotten."""
    busy = state(looked(job(status, batches=(row(),))), scan_asked=NOW, feeder=running(), courier=None)
    after, actions = decide(busy, Tick(), NOW)
    assert actions[0] == RefuseScan(status)
    assert after.scan_asked is None


def test_auto_scans_at_the_claim_and_only_then() -> None:
    """A second batch is a person's word."""
    auto = settings(scan="auto")
    (step,) = wants(state(looked(job(Status.READY, entered_from="queued"), asked=auto)))
    assert isinstance(step, Advance)
    assert step.to_status is Status.SCANNING
    again = job(Status.READY, entered_from="scanning", batches=(row(),))
    assert wants(state(looked(again, asked=auto), feeder=WARM)) == []


@pytest.mark.parametrize("finish", ["preview", "commit"])
def test_finish_acts_after_the_first_complete_batch(finish: str) -> None:
    """ready → assembling by the agent itself."""
    ready = job(Status.READY, entered_from="scanning", batches=(row(),))
    (step,) = wants(state(looked(ready, asked=settings(finish=finish))))
    assert isinstance(step, Advance)
    assert step.to_status is Status.ASSEMBLING


@pytest.mark.parametrize(
    "fields",
    [
        {"error_code": "feeder_jammed"},
        {"entered_from": "queued"},
        {"entered_from": "assembling"},
        {"page_count": 4},
        {"batches": (row(kept=False),)},
        {"batches": ()},
        {"batches": (replace(row(kept=False), error_code="feeder_jammed"), row(2))},
    ],
    ids=["fault", "claimed again", "not now", "reopened", "only discarded", "nothing", "torn batch left out"],
)
def test_finish_never_acts_from_an_unclean_place(fields: dict[str, Any]) -> None:
    """Never does the agent by itself merge a job whose last batch ended in a fault, or that a client holds."""
    values = {"entered_from": "scanning", "batches": (row(),), **fields}
    ready = looked(job(Status.READY, **values), asked=settings(finish="commit"))
    assert wants(state(ready, feeder=WARM)) == []


IDLE = 901.0


def test_finish_waits_for_the_backs() -> None:
    """In manual duplex one batch is half a stack."""
    asked = settings(finish="commit", sides="manual-duplex")
    fronts = job(Status.READY, entered_from="scanning", batches=(row(1),))
    assert not steps(wants(state(looked(fronts, asked=asked))))
    both = job(Status.READY, entered_from="scanning", batches=(row(1), row(2)))
    (step,) = steps(wants(state(looked(both, asked=asked))))
    assert step.to_status is Status.ASSEMBLING


def test_halves_that_do_not_match_stop_at_ready() -> None:
    """With both counts, and nothing is merged."""
    asked = settings(sides="manual-duplex")
    odd = job(Status.ASSEMBLING, batches=(row(1, pages=3), row(2, pages=4)), nas_staging_path="s/T.pdf")
    (step,) = steps(wants(state(looked(odd, asked=asked))))
    assert (step.to_status, step.code) == (Status.READY, ErrorCode.SIDES_MISMATCH)
    assert "3 fronts" in (step.error or "")
    assert "4 backs" in (step.error or "")
    (task,) = wants(state(looked(odd)))
    assert isinstance(task, Send), "two batches of both sides are no halves"


def test_idle_with_kept_batches_is_assembled() -> None:
    """Somebody went home: the document is made."""
    (step,) = wants(state(looked(job(Status.READY, idle=IDLE, batches=(row(),)))))
    assert isinstance(step, Advance)
    assert (step.to_status, step.code) == (Status.ASSEMBLING, None)


def test_idle_with_nothing_scanned_is_canceled() -> None:
    """The scanner is free for the next job."""
    (step,) = wants(state(looked(job(Status.READY, idle=IDLE))))
    assert isinstance(step, Advance)
    assert (step.to_status, step.code) == (Status.CANCELED, ErrorCode.IDLE_TIMEOUT)


@pytest.mark.parametrize(
    "fields",
    [
        {"error_code": "feeder_jammed", "error": "jam", "batches": (row(),)},
        {"batches": (row(kept=False),)},
        {"error_code": "feeder_empty", "error": "empty"},
        {"batches": (replace(row(kept=False), error_code="feeder_jammed"), row(2))},
    ],
    ids=["fault with kept pages", "only discarded", "fault and nothing scanned", "torn batch left out"],
)
def test_idle_with_an_unanswered_fault_fails(fields: dict[str, Any]) -> None:
    """Nothing is deleted, and no document comes out short."""
    (step,) = wants(state(looked(job(Status.READY, idle=IDLE, **fields))))
    assert isinstance(step, Advance)
    assert (step.to_status, step.code) == (Status.FAILED, ErrorCode.IDLE_TIMEOUT)


def test_bad_settings_fail_a_ready_job() -> None:
    """The scanner must be free; the sentence is the refusal's."""
    refusal = BadData("sides may be duplex, …", ErrorCode.BAD_SETTINGS)
    (step,) = wants(state(looked(job(Status.READY), asked=refusal)))
    assert isinstance(step, Advance)
    assert (step.to_status, step.code, step.error) == (
        Status.FAILED,
        ErrorCode.BAD_SETTINGS,
        refusal.sentence,
    )


# Scanning.


def test_scanning_starts_a_feeder_and_a_batch() -> None:
    """Both at once: the socket holds the command until the child has started."""
    actions = wants(state(looked(job(Status.SCANNING, batches=(row(),)))))
    assert actions == [StartFeeder(), Scan(42, 2, settings())]


def test_a_run_under_way_is_left_alone() -> None:
    """What is being done is not started twice, whatever the disk shows of it."""
    here = looked(job(Status.SCANNING), unsettled=(on_disk(),))
    assert wants(state(here, feeder=running())) == []


def test_a_finished_batch_is_bound_then_recorded() -> None:
    """end.json → batch.pdf → the row, one step at a time."""
    here = state(looked(job(Status.SCANNING), unsettled=(on_disk(end=End()),)), feeder=WARM)
    after, actions = decide(here, Tick(), NOW)
    assert actions == [Send(Task.BIND, 42, seq=1)]
    after, actions = decide(after, CourierSaid(wire.BoundPdf(pdf=PDF)), NOW)
    assert actions == [LookAgain()]
    after, actions = decide(after, CourierEnded("exit status 0"), NOW)
    _, actions = decide(after, Looked(here.look), NOW)
    assert actions == [Record(42, Status.SCANNING, 1, PDF, kept=True, code=None, error=None)]


def test_a_jammed_batch_is_recorded_as_discarded_with_its_story() -> None:
    """The error says which sheet, how many are safe, from where to feed again."""
    jam = on_disk(end=End(code=ErrorCode.FEEDER_JAMMED), captured=24)
    here = state(looked(job(Status.SCANNING), unsettled=(jam,)), feeder=WARM, bound=(42, 1, PDF))
    (record,) = wants(here)
    assert isinstance(record, Record)
    assert (record.kept, record.code) == (False, ErrorCode.FEEDER_JAMMED)
    assert record.error is not None
    assert "sheet 13 jammed" in record.error
    assert "12 sheets (24 pages) are safe" in record.error
    assert "re-feed from sheet 13" in record.error


def test_on_jam_keep_keeps_the_batch() -> None:
    """The batch counts as scanned; the fault still waits for a person."""
    jam = replace(on_disk(end=End(code=ErrorCode.COVER_OPEN)), keep_on_fault=True)
    (record,) = wants(state(looked(job(Status.SCANNING), unsettled=(jam,)), feeder=WARM, bound=(42, 1, PDF)))
    assert isinstance(record, Record)
    assert record.kept
    assert record.error


def test_a_batch_without_end_was_interrupted() -> None:
    """The daemon was killed, or the power went: the disk says so, and the next start finishes it."""
    here = state(looked(job(Status.SCANNING), unsettled=(on_disk(),)), feeder=WARM)
    assert wants(here) == [EndBatch(42, 1, End(code=ErrorCode.INTERRUPTED)), LookAgain()]


def test_a_batch_of_one_torn_sheet_is_recorded_without_a_pdf() -> None:
    """Its front stays in the spool; there is nothing whole to bind."""
    torn = on_disk(end=End(code=ErrorCode.FEEDER_JAMMED), captured=1, bindable=0)
    (record,) = wants(state(looked(job(Status.SCANNING), unsettled=(torn,)), feeder=WARM))
    assert isinstance(record, Record)
    assert (record.pdf, record.kept) == (None, False)


def test_an_empty_feeder_brings_the_job_back_to_ready() -> None:
    """No batch; its empty directory goes after the row has said so."""
    empty = on_disk(end=End(code=ErrorCode.FEEDER_EMPTY), captured=0)
    step, drop, look = wants(state(looked(job(Status.SCANNING), unsettled=(empty,)), feeder=WARM))
    assert isinstance(step, Advance)
    assert (step.to_status, step.code) == (Status.READY, ErrorCode.FEEDER_EMPTY)
    assert (drop, look) == (DropBatch(42, 1), LookAgain())


def test_a_busy_device_is_tried_again_and_then_a_person_is_asked() -> None:
    """Some tries with backoff, then ready with the mend."""
    ended = wire.Ended(end=End(code=ErrorCode.DEVICE_BUSY))
    (step,) = wants(state(looked(job(Status.SCANNING)), feeder=WARM, ended=(42, ended)))
    assert isinstance(step, Postpone)
    assert step.seconds == 1
    last = job(Status.SCANNING, attempts=DEVICE_TRIES - 1)
    (end,) = wants(state(looked(last), feeder=WARM, ended=(42, ended)))
    assert isinstance(end, Advance)
    assert (end.to_status, end.code) == (Status.READY, ErrorCode.DEVICE_BUSY)


def test_a_postponed_scan_waits() -> None:
    """next_attempt_at is not yet."""
    assert wants(state(looked(job(Status.SCANNING, wait=3.0)), feeder=WARM)) == []


def test_settings_that_the_device_cannot_do_fail_the_job() -> None:
    """With the feeder's own sentence."""
    refused = wire.Ended(end=End(code=ErrorCode.UNSUPPORTED_SETTINGS, detail="no duplex here"))
    (step,) = wants(state(looked(job(Status.SCANNING)), feeder=WARM, ended=(42, refused)))
    assert isinstance(step, Advance)
    assert (step.to_status, step.error) == (Status.FAILED, "no duplex here")


def test_a_canceled_job_stops_the_scanner_and_a_deaf_one_is_killed() -> None:
    """Within a page, or by force."""
    here = state(looked(job(Status.READY)), feeder=running())
    after, actions = decide(here, Tick(), NOW)
    assert actions[0] == TellFeeder(wire.Cancel())
    after, actions = decide(after, Tick(), NOW + ANSWER_TIME + 0.1)
    assert KillFeeder(ErrorCode.CANCELED) in actions
    after, actions = decide(after, Tick(), NOW + ANSWER_TIME + DYING_TIME + 0.3)
    assert AbandonFeeder() in actions


def test_silence_kills_the_driver_and_ends_the_batch() -> None:
    """driver_hung; the end is written on disk at once, with or without a database."""
    here = state(looked(job(Status.SCANNING)), feeder=running())
    after, actions = decide(here, Tick(), NOW + 61)
    assert actions == [KillFeeder(ErrorCode.DRIVER_HUNG)]
    _, actions = decide(after, FeederEnded("signal 9"), NOW + 61)
    assert actions[0] == EndBatch(42, 1, End(code=ErrorCode.DRIVER_HUNG))


def test_nobody_is_silent_for_what_was_not_heard() -> None:
    """The daemon itself has waited for the database: what its children said meanwhile is still to be heard."""
    here = state(looked(job(Status.SCANNING)), feeder=running())
    for occurrence in (DatabaseLost(), Tick(listened=NOW + 59)):
        here, actions = decide(here, occurrence, NOW + 64)
        assert actions == []
    _, actions = decide(here, Tick(listened=NOW + 64), NOW + 64)
    assert actions == [KillFeeder(ErrorCode.DRIVER_HUNG)]


def test_data_that_flows_is_no_silence() -> None:
    """A 1200 dpi page may take minutes."""
    here = state(looked(job(Status.SCANNING)), feeder=running())
    after, _ = decide(here, FeederSaid(wire.Alive(step="page 1", done=5)), NOW + 59)
    assert KillFeeder(ErrorCode.DRIVER_HUNG) not in wants(after, now=NOW + 100)


def test_a_person_does_not_wait_for_a_feeder_that_ended_a_moment_ago() -> None:
    """Only warming one up for nobody is put off; a batch that is asked for has its new child at once."""
    ready_, scanning = (
        state(looked(job(status)), feeder_after=NOW + 5) for status in (Status.READY, Status.SCANNING)
    )
    assert StartFeeder() not in wants(ready_)
    assert StartFeeder() in wants(scanning)


def test_a_driver_that_crashes_ends_the_batch() -> None:
    """The exit is told in the detail."""
    here = state(looked(job(Status.SCANNING)), feeder=running())
    _, actions = decide(here, FeederEnded("signal 11"), NOW)
    assert actions[0] == EndBatch(42, 1, End(code=ErrorCode.DRIVER_CRASHED, detail="signal 11"))


def test_progress_is_written_at_most_once_a_second() -> None:
    """Kept pages and the batch under way; never one write a page."""
    here = state(looked(job(Status.SCANNING, batches=(row(pages=4),))), feeder=running(), progressed=NOW - 2)
    after, _ = decide(here, FeederSaid(wire.Captured(page=PAGE)), NOW - 1.5)
    after, actions = decide(after, FeederSaid(wire.Captured(page=PAGE)), NOW)
    assert actions == [Progress(42, 6)]
    after, actions = decide(after, FeederSaid(wire.Captured(page=PAGE)), NOW + 0.9)
    assert actions == []


# The database goes away.


def test_scanning_goes_on_without_a_database() -> None:
    """No action touches a row; the run is left alone."""
    here = state(looked(job(Status.SCANNING)), feeder=running())
    after, actions = decide(here, DatabaseLost(), NOW)
    assert actions == []
    after, actions = decide(after, FeederSaid(wire.Ended(end=End())), NOW)
    assert actions == []
    assert after.feeder == FeederChild(heard=NOW, resting=True)


def test_a_displaced_daemon_stops_its_children() -> None:
    """Another leads: the feeder is canceled, the courier killed."""
    here = state(looked(job(Status.SCANNING)), feeder=running(), courier=courier(Task.BIND))
    _, actions = decide(here, Displaced(), NOW)
    assert actions == [TellFeeder(wire.Cancel()), KillCourier(None)]


def test_a_signal_during_an_outage_is_forgotten_after_a_while() -> None:
    """A scan that starts by surprise ten minutes later would be worse than none."""
    away = state(serving=False, scan_asked=NOW)
    assert wants(away, now=NOW + 20) == []
    assert wants(away, now=NOW + 31) == [RefuseScan(None)]


# Assembling.


def test_assembling_sends_a_courier_and_goes_to_preview() -> None:
    """The merge, staged and verified, is the result."""
    assembling = job(Status.ASSEMBLING, batches=(row(),), nas_staging_path="s/merged.pdf")
    here = state(looked(assembling))
    after, actions = decide(here, Tick(), NOW)
    assert actions == [Send(Task.ASSEMBLE, 42, job=assembling)]
    staged = wire.Staged(document=Document(path="/m.pdf", pages=4, sha256=SHA, size=9), staged="s/T.pdf")
    after, _ = decide(after, CourierSaid(staged), NOW)
    after, _ = decide(after, CourierEnded("exit status 0"), NOW)
    _, (step,) = decide(after, Looked(here.look), NOW)
    assert isinstance(step, Advance)
    assert (step.to_status, step.staged) == (Status.PREVIEW, staged)


def test_where_a_copy_is_going_to_be_is_in_the_row_first() -> None:
    """A job canceled in mid-copy can then be tidied up after; the courier is sent after another look."""
    before = state(looked(job(Status.ASSEMBLING, batches=(row(),))))
    after, actions = decide(before, Tick(), NOW)
    assert actions == [ExpectStaged(42)]
    assert not after.fresh


def test_nothing_kept_cannot_be_assembled() -> None:
    """Back to ready, with no_pages."""
    (step,) = wants(state(looked(job(Status.ASSEMBLING, batches=(row(kept=False),)))))
    assert isinstance(step, Advance)
    assert (step.to_status, step.code) == (Status.READY, ErrorCode.NO_PAGES)


@pytest.mark.parametrize("attempts", [0, 4, 400])
def test_a_nas_that_is_away_is_waited_for_for_ever(attempts: int) -> None:
    """The job stays, with backoff."""
    failed = wire.Failed(code=ErrorCode.NAS_UNAVAILABLE, sentence="away")
    here = state(
        looked(job(Status.ASSEMBLING, attempts=attempts, error_code="nas_unavailable", batches=(row(),))),
        done=(42, 0, Task.ASSEMBLE, failed),
    )
    (step,) = wants(here)
    assert isinstance(step, Postpone)
    assert step.seconds == backoff(attempts)


def test_a_copy_that_never_verifies_fails_after_five_tries() -> None:
    """Then a person is needed."""
    failed = wire.Failed(code=ErrorCode.VERIFY_FAILED, sentence="differs")
    done = (42, 0, Task.ASSEMBLE, failed)
    tried = job(Status.ASSEMBLING, error_code="verify_failed", batches=(row(),))
    (again,) = wants(state(looked(replace(tried, attempts=3)), done=done))
    (last,) = wants(state(looked(replace(tried, attempts=4)), done=done))
    waited = replace(tried, attempts=400, error_code="nas_unavailable")
    (first,) = wants(state(looked(waited), done=done))
    assert isinstance(again, Postpone)
    assert isinstance(last, Advance)
    assert last.to_status is Status.FAILED
    assert isinstance(first, Postpone), "waiting for the NAS is no try of a copy"


def test_a_courier_that_dies_is_a_fault_of_its_errand() -> None:
    """courier_crashed, tried again from the source."""
    here = state(looked(job(Status.ASSEMBLING, batches=(row(),))), courier=courier(Task.ASSEMBLE))
    after, _ = decide(here, CourierEnded("signal 11"), NOW)
    _, (step,) = decide(after, Looked(here.look), NOW)
    assert isinstance(step, Postpone)
    assert step.code is ErrorCode.COURIER_CRASHED


def test_a_silent_courier_on_the_nas_is_killed_and_left_behind() -> None:
    """nas_hung; the daemon goes on without it."""
    here = state(looked(job(Status.ASSEMBLING, batches=(row(),))), courier=courier(Task.ASSEMBLE))
    after, actions = decide(here, Tick(), NOW + COURIER_SILENCE + 1)
    assert actions == [KillCourier(ErrorCode.NAS_HUNG)]
    after, actions = decide(after, Tick(), NOW + COURIER_SILENCE + DYING_TIME + 2)
    assert AbandonCourier() in actions


def test_a_courier_whose_job_was_canceled_is_called_back() -> None:
    """Its task is nobody's any more, and its end is no fault."""
    here = state(courier=courier(Task.ASSEMBLE))
    after, actions = decide(here, Tick(), NOW)
    assert actions == [KillCourier(ErrorCode.INTERRUPTED)]
    after, _ = decide(after, CourierEnded("signal 9"), NOW)
    assert (after.courier, after.done) == (None, None)


def test_a_courier_that_has_reported_is_not_killed() -> None:
    """It is on its way back, and goes again; should it not come, its silence tells."""
    here = state(courier=courier(Task.PUBLISH, reported=True))
    after, actions = decide(here, Tick(), NOW)
    assert (after.courier, actions) == (here.courier, [])
    _, actions = decide(after, Tick(), NOW + DYING_TIME + 1)
    assert isinstance(actions[0], KillCourier)


def test_a_merge_of_a_former_stay_in_assembling_is_not_taken() -> None:
    """The client took the job back, discarded a batch and finished again, all between two looks."""
    staged = wire.Staged(document=Document(path="/m.pdf", pages=4, sha256=SHA, size=9), staged="s/T.pdf")
    row_ = job(Status.ASSEMBLING, entered=9, batches=(row(),), nas_staging_path="s/T.pdf")
    here = state(looked(row_))
    old = replace(here, done=(42, 7, Task.ASSEMBLE, staged))
    (send,) = wants(old)
    assert isinstance(send, Send)
    still_running = replace(here, courier=courier(Task.ASSEMBLE, entered=7))
    assert wants(still_running) == [KillCourier(ErrorCode.INTERRUPTED)]


def test_how_a_canceled_run_ended_is_no_fault_of_the_next() -> None:
    """Canceled before the first page, queued again, and scanned: a new run."""
    canceled = wire.Ended(end=End(code=ErrorCode.CANCELED))
    here = state(feeder=FeederChild(heard=NOW), ended=(42, canceled))
    after, _ = decide(here, Looked(looked(job(Status.READY))), NOW)
    _, actions = decide(after, Looked(looked(job(Status.SCANNING))), NOW)
    assert [type(action) for action in actions] == [Scan]


def test_a_driver_that_does_not_come_to_rest_is_replaced() -> None:
    """A hang after a batch (sane_cancel) must not cost the next batch its time."""
    scanning = looked(job(Status.SCANNING))
    here = state(scanning, feeder=replace(WARM, resting=True), progressed=NOW + 60)
    assert wants(here, now=NOW + 14) == []
    after, actions = decide(here, Tick(), NOW + 16)
    assert actions == [KillFeeder(ErrorCode.DRIVER_HUNG)]
    after, actions = decide(after, FeederEnded("signal 9"), NOW + 17)
    after, actions = decide(after, Looked(scanning), NOW + 17)
    assert [type(action) for action in actions] == [StartFeeder, Scan]
    rested, actions = decide(here, FeederSaid(wire.Idle()), NOW + 1)
    assert [type(action) for action in actions] == [Scan]
    assert not rested.feeder or not rested.feeder.resting


def test_a_staged_file_that_nobody_wants_goes_as_soon_as_the_nas_is_back() -> None:
    """A try while it was away is made again after a minute, or when any task finds the NAS there."""
    stale = StaleFile(41, ".scan-staging/job-41/merged.pdf")
    remove = Send(Task.UNSTAGE, 41, staged=stale.path)
    here = state(Snapshot(stale=stale))
    after, actions = decide(here, Tick(), NOW)
    assert actions == [remove]
    hung = wire.Failed(code=ErrorCode.NAS_HUNG, sentence="It does not answer.")
    after, actions = decide(after, CourierSaid(hung), NOW)
    after, actions = decide(after, CourierEnded("exit status 0"), NOW)
    after, actions = decide(replace(after, look=here.look, fresh=True), Tick(), NOW)
    assert actions == wants(after, now=NOW + 59) == []
    assert wants(after, now=NOW + 60) == [remove]
    after = replace(after, courier=CourierChild(Task.CHECK, 0, NOW))
    after, _ = decide(after, CourierSaid(wire.Checked()), NOW + 1)
    after, _ = decide(after, CourierEnded("exit status 0"), NOW + 1)
    assert wants(replace(after, look=here.look, fresh=True), now=NOW + 1) == [remove]


def test_the_device_that_was_good_for_another_name_is_not_tried() -> None:
    """Not even when the config was read again while a batch was about to open it."""
    one = Limits(scanner="fi-*")
    waiting = state(looked(job(Status.SCANNING)), limits=one, feeder=WARM)
    after, actions = decide(waiting, Tick(), NOW)
    assert actions == [Scan(42, 1, settings(), "fi-*")]
    opened = FeederSaid(wire.Opened(device="fujitsu:fi-7160:1", duplex=True, applied=()))
    for limits, last in ((one, "fujitsu:fi-7160:1"), (Limits(scanner="DR-*"), "")):
        seen, _ = decide(after, Configured(limits), NOW)
        seen, _ = decide(seen, opened, NOW)
        seen = replace(seen, look=waiting.look, feeder=WARM, fresh=True)
        assert wants(seen) == [Scan(42, 1, settings(), limits.scanner, last)]


def test_an_idle_agent_sweeps_its_disk() -> None:
    """Every ten minutes, or as often as files may expire; never without a time, nor beside another task."""
    swept = [Expire(86400.0), Send(Task.SWEEP, 0)]
    week = Limits(keep=86400.0)
    assert wants(state(limits=week, swept_at=NOW - 599)) == []
    after, actions = decide(state(limits=week, swept_at=NOW - 600), Tick(), NOW)
    assert actions == swept
    assert not after.fresh
    assert wants(after, now=NOW + 1) == [LookAgain()]
    assert wants(state(swept_at=NOW - 10_000)) == []
    busy = CourierChild(Task.CHECK, 0, NOW)
    assert wants(state(limits=week, swept_at=NOW - 600, courier=busy)) == []
    short = Limits(keep=2.0)
    assert wants(state(limits=short, swept_at=NOW - 3)) == [Expire(2.0), Send(Task.SWEEP, 0)]


def test_a_job_is_not_kept_waiting_by_a_sweep() -> None:
    """What is left on disk then is removed later."""
    sweeping = CourierChild(Task.SWEEP, 0, NOW)
    actions = wants(state(looked(job(Status.READY)), courier=sweeping))
    assert KillCourier(ErrorCode.INTERRUPTED) in actions


def test_an_idle_agent_asks_for_scanner_and_nas_and_more_often_while_one_is_missing() -> None:
    """Alive is not ready: what is missing is found out before a person is at the scanner."""
    here = state(found_at=NOW - 601, checked_at=NOW - 601)
    after, actions = decide(here, Tick(), NOW)
    assert actions == [Send(Task.CHECK, 0), StartFeeder(), FindScanner()]
    assert after.ready
    away = wire.Failed(code=ErrorCode.NAS_UNAVAILABLE, sentence="away")
    after, _ = decide(after, CourierSaid(away), NOW)
    after, _ = decide(after, CourierEnded("exit status 0"), NOW)
    after, _ = decide(after, FeederSaid(wire.FoundDevice(device="x")), NOW)
    after, _ = decide(after, Looked(Snapshot()), NOW)
    assert not after.ready
    assert wants(after, now=NOW + 59) == []
    assert wants(after, now=NOW + 61) == [Send(Task.CHECK, 0)]


def test_a_batch_that_is_not_recorded_yet_belongs_into_the_merge() -> None:
    """The client finished while it was still being bound."""
    batch = on_disk(seq=2, end=End())
    here = state(looked(job(Status.ASSEMBLING, batches=(row(),)), unsettled=(batch,)))
    assert wants(here) == [Send(Task.BIND, 42, seq=2)]
    (record,) = wants(replace(here, bound=(42, 2, PDF)))
    assert isinstance(record, Record)
    assert (record.status, record.kept) == (Status.ASSEMBLING, True)


def test_a_batch_with_a_damaged_page_is_set_aside_and_the_job_fails_with_it() -> None:
    """After a retry the other batches can still become a document."""
    damaged = wire.Failed(code=ErrorCode.SPOOL_DAMAGED, sentence="page-0003.jpg is damaged")
    batch = on_disk(end=End())
    here = state(looked(job(Status.READY), unsettled=(batch,)), feeder=WARM, done=(42, 0, Task.BIND, damaged))
    (record,) = wants(here)
    assert isinstance(record, Record)
    assert (record.pdf, record.kept, record.code) == (None, False, ErrorCode.SPOOL_DAMAGED)
    told = job(Status.READY, error_code="spool_damaged", error="page-0003.jpg is damaged")
    (step,) = wants(state(looked(told), feeder=WARM))
    assert isinstance(step, Advance)
    assert (step.to_status, step.error) == (Status.FAILED, told.error)


@pytest.mark.parametrize("status", [Status.READY, Status.SCANNING, Status.ASSEMBLING])
def test_a_directory_that_cannot_be_read_or_written_stops_only_its_job(status: Status) -> None:
    """Damaged: failed. Full: waited for, and nothing is begun meanwhile."""
    damaged = replace(looked(job(status)), trouble=BadData("x", ErrorCode.SPOOL_DAMAGED))
    (step,) = wants(state(damaged))
    assert isinstance(step, Advance)
    assert (step.to_status, step.code) == (Status.FAILED, ErrorCode.SPOOL_DAMAGED)
    full = replace(looked(job(status)), trouble=BadData("x", ErrorCode.STAGING_FULL))
    (wait,) = wants(state(full))
    assert isinstance(wait, Postpone)
    waiting = replace(full, job=job(status, wait=3.0, error_code="staging_full"))
    assert wants(state(waiting)) == []


def test_a_feeder_that_ends_by_itself_is_not_warmed_up_at_once() -> None:
    """A machine that cannot start it must not be kept busy with trying."""
    here = state(looked(job(Status.READY)), feeder=WARM)
    after, _ = decide(here, FeederEnded("exit status 1"), NOW)
    after, actions = decide(after, Looked(here.look), NOW)
    assert actions == []
    _, actions = decide(after, Looked(here.look), NOW + 6)
    assert actions == [StartFeeder()]


# Preview and committing.


def test_finish_commit_goes_on_from_the_first_preview_only() -> None:
    """After a reopen, or a commit taken back, the client decides."""
    commit = settings(finish="commit")
    fresh = job(Status.PREVIEW, entered_from="assembling", page_count=4)
    (step,) = wants(state(looked(fresh, asked=commit)))
    assert isinstance(step, Advance)
    assert step.to_status is Status.COMMITTING
    for held in (
        replace(fresh, reopened=True),
        replace(fresh, entered_from="committing"),
        replace(fresh, error_code="staged_file_gone"),
    ):
        assert wants(state(looked(held, asked=commit))) == []
    assert wants(state(looked(fresh))) == []


def test_a_site_that_commits_by_itself_is_left_to_it() -> None:
    """by = "client": the agent stops at preview."""
    limits = Limits(commits=False)
    fresh = job(Status.PREVIEW, entered_from="assembling")
    assert wants(state(looked(fresh, asked=settings(finish="commit")), limits=limits)) == []
    assert wants(state(looked(job(Status.COMMITTING)), limits=limits)) == []


def test_publishing_waits_for_the_row() -> None:
    """The courier names the file, the row gets the name, and only then is the word given."""
    committing = job(Status.COMMITTING, nas_staging_path="s/T.pdf")
    here = state(looked(committing))
    after, actions = decide(here, Tick(), NOW)
    assert actions == [Send(Task.PUBLISH, 42, job=committing)]
    named = wire.Named(inbox_path="Inbox/T.pdf", sha256=SHA)
    after, actions = decide(after, CourierSaid(named), NOW)
    assert actions == [LookAgain()]
    after, actions = decide(after, Looked(here.look), NOW)
    assert actions == [Name(42, named)]
    after, actions = decide(after, Looked(here.look), NOW)
    assert actions == []
    published = wire.Published(inbox_path="Inbox/T.pdf", sha256=SHA)
    after, _ = decide(after, CourierSaid(published), NOW)
    after, actions = decide(after, Looked(here.look), NOW)
    assert actions == [Commit(42, published)]


def test_another_name_needs_another_word() -> None:
    """Somebody took the first: the row gets the second, and then the courier."""
    first = wire.Named(inbox_path="Inbox/T.pdf", sha256=SHA)
    second = wire.Named(inbox_path="Inbox/T (2).pdf", sha256=SHA)
    here = state(looked(job(Status.COMMITTING)), courier=courier(Task.PUBLISH, named=first, told=True))
    after, _ = decide(here, CourierSaid(second), NOW)
    _, actions = decide(after, Looked(here.look), NOW)
    assert actions == [Name(42, second)]


def test_a_document_that_may_be_published_never_fails_for_its_settings() -> None:
    """The row has the name: only the courier can say whether the file is in the Inbox."""
    refusal = BadData("no", ErrorCode.BAD_SETTINGS)
    named = job(Status.COMMITTING, inbox_path="Inbox/T.pdf", file_hash=SHA)
    assert wants(state(looked(named, asked=refusal))) == [Send(Task.PUBLISH, 42, job=named)]


def test_the_word_is_given_again_after_an_outage() -> None:
    """Whether the row got the name is unknown: naming it again is the same."""
    named = wire.Named(inbox_path="Inbox/T.pdf", sha256=SHA)
    here = state(looked(job(Status.COMMITTING)), courier=courier(Task.PUBLISH, named=named, told=True))
    after, _ = decide(here, DatabaseLost(), NOW)
    after, _ = decide(after, LookDue(), NOW)
    _, actions = decide(after, Looked(here.look), NOW)
    assert actions == [Name(42, named)]


def test_a_staged_file_that_is_gone_refuses_the_commit() -> None:
    """Back to preview, with the reason."""
    failed = wire.Failed(code=ErrorCode.STAGED_FILE_GONE, sentence="gone")
    (step,) = wants(state(looked(job(Status.COMMITTING)), done=(42, 0, Task.PUBLISH, failed)))
    assert isinstance(step, Advance)
    assert (step.to_status, step.error) == (Status.PREVIEW, "gone")


# Leaving.


def test_stop_finishes_the_sheet_records_the_batch_and_leaves() -> None:
    """SIGTERM in mid-batch."""
    here = state(looked(job(Status.SCANNING)), feeder=running(), progressed=NOW + 10)
    after, actions = decide(here, StopAsked(), NOW)
    assert actions == [TellFeeder(wire.Finish())]
    after, actions = decide(after, Tick(), NOW + 1)
    assert actions == []
    after, _ = decide(after, FeederSaid(wire.Ended(end=End(code=ErrorCode.INTERRUPTED))), NOW + 2)
    batch = on_disk(end=End(code=ErrorCode.INTERRUPTED))
    after, actions = decide(after, Looked(looked(job(Status.SCANNING), unsettled=(batch,))), NOW + 2)
    assert actions == [Send(Task.BIND, 42, seq=1)]
    after, _ = decide(after, CourierSaid(wire.BoundPdf(pdf=PDF)), NOW + 3)
    after, (record,) = decide(after, Looked(looked(job(Status.SCANNING), unsettled=(batch,))), NOW + 3)
    assert isinstance(record, Record)
    done = looked(job(Status.READY, error_code="interrupted", batches=(row(kept=False),)))
    after = replace(after, courier=None)
    after, actions = decide(after, Looked(done), NOW + 4)
    assert actions == [Exit()]


def test_stop_while_idle_leaves_at_once() -> None:
    """Nothing has to be put in order."""
    assert wants(state(), StopAsked()) == [Exit()]


def test_stop_without_a_database_waits_only_for_the_sheet() -> None:
    """The next start records the batch."""
    here = state(serving=False, feeder=running())
    after, actions = decide(here, StopAsked(), NOW)
    assert actions == [TellFeeder(wire.Finish())]
    _, actions = decide(after, FeederSaid(wire.Ended(end=End(code=ErrorCode.INTERRUPTED))), NOW)
    assert actions == [Exit()]


# The table.


@pytest.mark.parametrize("status", [s for s in Status if s.active])
def test_every_step_that_is_wanted_is_in_the_table(status: Status) -> None:
    """Whatever a state holds, the agent never wants an illegal step."""
    rows = [
        job(status, entered_from=came, idle=idle, error_code=code, batches=batches, page_count=pages)
        for came in ("queued", "scanning", "assembling", "committing")
        for idle in (0.0, IDLE)
        for code in (None, "feeder_jammed")
        for batches in ((), (row(),), (row(kept=False),))
        for pages in (None, 4)
    ]
    faults = [(42, 0, task, wire.Failed(code=code, sentence="x")) for task in Task for code in ErrorCode]
    ends = [(42, wire.Ended(end=End(code=code))) for code in ErrorCode]
    more: list[dict[str, Any]] = [{}, {"scan_asked": NOW}]
    more += [{"done": done} for done in faults] + [{"ended": ended} for ended in ends]
    refusal = BadData("no", ErrorCode.BAD_SETTINGS)
    for one in rows:
        for asked in (settings(finish="commit", scan="auto"), refusal):
            for fields in more:
                for action in wants(state(looked(one, asked=asked), **fields)):
                    if isinstance(action, Advance):
                        assert Step(action.from_status, action.to_status, action.actor) in STEPS
