"""What an agent does next: without a job, beside a job, and when it is to stop."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from scand import wire
from scand.decide import decide
from scand.decide.actions import (
    Advance,
    Claim,
    Exit,
    LookAgain,
    MakeManualJob,
    Postpone,
    Progress,
    Record,
    RefuseScan,
    Send,
    TellFeeder,
)
from scand.decide.occurrences import (
    CourierSaid,
    FeederSaid,
    Looked,
    StopAsked,
    Tick,
)
from scand.decide.state import (
    EndedRun,
    Snapshot,
    Task,
    TaskResult,
)
from scand.errors import BadData
from scand.faults import ErrorCode
from scand.jobs.lifecycle import STEPS, Status, Step
from scand.spool.records import End
from tests.unit.decide.builders import (
    IDLE,
    NOW,
    PAGE,
    PDF,
    job,
    on_disk,
    row,
    scanning,
    settings,
    snapshot,
    state,
    wants,
)


def test_an_idle_agent_wants_nothing() -> None:
    """With nothing queued there is nothing to do."""
    assert wants(state()) == []


def test_an_outdated_snapshot_is_renewed_first() -> None:
    """With an outdated snapshot, the only action is to look again."""
    assert wants(state(fresh=False)) == [LookAgain()]


def test_a_queued_job_is_claimed() -> None:
    """A queued job is claimed when no job is active."""
    assert wants(state(Snapshot(queued=True))) == [Claim()]


def test_nothing_is_claimed_while_the_feeder_still_runs_for_a_canceled_job() -> None:
    """The scanner is not free before the feeder has stopped."""
    actions = wants(state(Snapshot(queued=True), feeder=scanning()))
    assert actions == [TellFeeder(wire.Cancel())]


def test_the_signal_makes_a_job_when_none_is_active() -> None:
    """SIGUSR1 makes an idle daemon start a job from `[manual]`."""
    assert wants(state(scan_asked=NOW)) == [MakeManualJob()]


def test_the_signal_goes_to_a_queued_job_first() -> None:
    """With a queued job, the signal waits until that is claimed, and then scans into it."""
    after, actions = decide(state(Snapshot(queued=True), scan_asked=NOW), Tick(), NOW)
    assert actions == [Claim()]
    assert after.scan_asked == NOW


@pytest.mark.parametrize("status", [Status.SCANNING, Status.PREVIEW])
def test_the_signal_changes_nothing_while_a_job_is_busy(status: Status) -> None:
    """The signal is refused in the log, and forgotten."""
    busy = state(snapshot(job(status, batches=(row(),))), scan_asked=NOW, feeder=scanning(), courier=None)
    after, actions = decide(busy, Tick(), NOW)
    assert actions[0] == RefuseScan(status)
    assert after.scan_asked is None


def test_a_signal_during_an_outage_is_forgotten_after_a_while() -> None:
    """A scan that starts unexpectedly ten minutes later would be worse than none."""
    away = state(serving=False, scan_asked=NOW)
    assert wants(away, now=NOW + 20) == []
    assert wants(away, now=NOW + 31) == [RefuseScan(None)]


@pytest.mark.parametrize("status", [Status.READY, Status.SCANNING, Status.ASSEMBLING])
def test_a_directory_that_cannot_be_read_or_written_stops_only_its_job(status: Status) -> None:
    """With a damaged directory the job fails; with a full disk it waits, and nothing is begun meanwhile."""
    damaged = replace(snapshot(job(status)), trouble=BadData("x", ErrorCode.SPOOL_DAMAGED))
    (step,) = wants(state(damaged))
    assert isinstance(step, Advance)
    assert (step.to_status, step.code) == (Status.FAILED, ErrorCode.SPOOL_DAMAGED)
    full = replace(snapshot(job(status)), trouble=BadData("x", ErrorCode.STAGING_FULL))
    (wait,) = wants(state(full))
    assert isinstance(wait, Postpone)
    waiting = replace(full, job=job(status, wait=3.0, error_code="staging_full"))
    assert wants(state(waiting)) == []


def test_progress_is_written_at_most_once_a_second() -> None:
    """The number counts kept pages and those of the batch under way; not every page is a write."""
    here = state(
        snapshot(job(Status.SCANNING, batches=(row(pages=4),))), feeder=scanning(), progressed=NOW - 2
    )
    after, _ = decide(here, FeederSaid(wire.Captured(page=PAGE)), NOW - 1.5)
    after, actions = decide(after, FeederSaid(wire.Captured(page=PAGE)), NOW)
    assert actions == [Progress(42, 6)]
    after, actions = decide(after, FeederSaid(wire.Captured(page=PAGE)), NOW + 0.9)
    assert actions == []


def test_stop_finishes_the_sheet_records_the_batch_and_leaves() -> None:
    """SIGTERM in mid-batch ends the batch after the sheet under way, and records it."""
    here = state(snapshot(job(Status.SCANNING)), feeder=scanning(), progressed=NOW + 10)
    after, actions = decide(here, StopAsked(), NOW)
    assert actions == [TellFeeder(wire.Finish())]
    after, actions = decide(after, Tick(), NOW + 1)
    assert actions == []
    after, _ = decide(after, FeederSaid(wire.Ended(end=End(code=ErrorCode.INTERRUPTED))), NOW + 2)
    batch = on_disk(end=End(code=ErrorCode.INTERRUPTED))
    after, actions = decide(after, Looked(snapshot(job(Status.SCANNING), unrecorded=(batch,))), NOW + 2)
    assert actions == [Send(Task.BIND, 42, seq=1)]
    after, _ = decide(after, CourierSaid(wire.BoundPdf(pdf=PDF)), NOW + 3)
    after, (record,) = decide(after, Looked(snapshot(job(Status.SCANNING), unrecorded=(batch,))), NOW + 3)
    assert isinstance(record, Record)
    done = snapshot(job(Status.READY, error_code="interrupted", batches=(row(kept=False),)))
    after = replace(after, courier=None)
    after, actions = decide(after, Looked(done), NOW + 4)
    assert actions == [Exit()]


def test_stop_while_idle_leaves_at_once() -> None:
    """An idle daemon has nothing to finish."""
    assert wants(state(), StopAsked()) == [Exit()]


def test_stop_without_a_database_waits_only_for_the_sheet() -> None:
    """The batch is recorded by the next start."""
    here = state(serving=False, feeder=scanning())
    after, actions = decide(here, StopAsked(), NOW)
    assert actions == [TellFeeder(wire.Finish())]
    _, actions = decide(after, FeederSaid(wire.Ended(end=End(code=ErrorCode.INTERRUPTED))), NOW)
    assert actions == [Exit()]


@pytest.mark.parametrize("status", [s for s in Status if s.active])
def test_every_step_that_is_wanted_is_in_the_table(status: Status) -> None:
    """Whatever the state is, the agent never wants a step that is not in the table."""
    rows = [
        job(status, entered_from=came, idle=idle, error_code=code, batches=batches, page_count=pages)
        for came in ("queued", "scanning", "assembling", "committing")
        for idle in (0.0, IDLE)
        for code in (None, "feeder_jammed")
        for batches in ((), (row(),), (row(kept=False),))
        for pages in (None, 4)
    ]
    faults = [
        TaskResult(42, 0, task, wire.Failed(code=code, sentence="x")) for task in Task for code in ErrorCode
    ]
    ends = [EndedRun(42, wire.Ended(end=End(code=code))) for code in ErrorCode]
    more: list[dict[str, Any]] = [{}, {"scan_asked": NOW}]
    more += [{"done": done} for done in faults] + [{"ended": ended} for ended in ends]
    refusal = BadData("no", ErrorCode.BAD_SETTINGS)
    for one in rows:
        for asked in (settings(finish="commit", scan="auto"), refusal):
            for fields in more:
                for action in wants(state(snapshot(one, asked=asked), **fields)):
                    if isinstance(action, Advance):
                        assert Step(action.from_status, action.to_status, action.actor) in STEPS
