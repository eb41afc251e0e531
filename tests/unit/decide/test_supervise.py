"""Children that are silent, crash, or whose work is not wanted any more."""

from __future__ import annotations

from dataclasses import replace

from scand import wire
from scand.decide import decide
from scand.decide.actions import (
    AbandonCourier,
    AbandonFeeder,
    EndBatch,
    KillCourier,
    KillFeeder,
    Postpone,
    RetireFeeder,
    Scan,
    StartFeeder,
    TellFeeder,
)
from scand.decide.occurrences import (
    CourierEnded,
    DatabaseLost,
    Displaced,
    FeederEnded,
    FeederSaid,
    Looked,
    Tick,
)
from scand.decide.state import (
    CourierChild,
    FeederChild,
    Task,
)
from scand.decide.timeouts import ANSWER_TIME, COURIER_SILENCE, DYING_TIME
from scand.faults import ErrorCode
from scand.jobs.lifecycle import Status
from scand.spool.records import End
from tests.unit.decide.builders import (
    NOW,
    WAITING,
    courier,
    job,
    row,
    scanning,
    snapshot,
    state,
    wants,
)


def test_an_idle_feeder_is_retired() -> None:
    """While no job is ready, other programs can use the scanner."""
    assert wants(state(feeder=WAITING)) == [RetireFeeder()]


def test_a_canceled_job_stops_the_scanner_or_kills_the_feeder() -> None:
    """A feeder that does not cancel in time is killed, and abandoned if it does not end."""
    here = state(snapshot(job(Status.READY)), feeder=scanning())
    after, actions = decide(here, Tick(), NOW)
    assert actions[0] == TellFeeder(wire.Cancel())
    after, actions = decide(after, Tick(), NOW + ANSWER_TIME + 0.1)
    assert KillFeeder(ErrorCode.CANCELED) in actions
    after, actions = decide(after, Tick(), NOW + ANSWER_TIME + DYING_TIME + 0.3)
    assert AbandonFeeder() in actions


def test_silence_kills_the_driver_and_ends_the_batch() -> None:
    """The batch's end, driver_hung, is written to disk at once, with or without a database."""
    here = state(snapshot(job(Status.SCANNING)), feeder=scanning())
    after, actions = decide(here, Tick(), NOW + 61)
    assert actions == [KillFeeder(ErrorCode.DRIVER_HUNG)]
    _, actions = decide(after, FeederEnded("signal 9"), NOW + 61)
    assert actions[0] == EndBatch(42, 1, End(code=ErrorCode.DRIVER_HUNG))


def test_silence_counts_only_while_the_daemon_listened() -> None:
    """While the daemon waited for the database, reports were not read; no child is killed for that time."""
    here = state(snapshot(job(Status.SCANNING)), feeder=scanning())
    for occurrence in (DatabaseLost(), Tick(listened=NOW + 59)):
        here, actions = decide(here, occurrence, NOW + 64)
        assert actions == []
    _, actions = decide(here, Tick(listened=NOW + 64), NOW + 64)
    assert actions == [KillFeeder(ErrorCode.DRIVER_HUNG)]


def test_flowing_data_is_no_silence() -> None:
    """A page at 1200 dpi may take minutes."""
    here = state(snapshot(job(Status.SCANNING)), feeder=scanning())
    after, _ = decide(here, FeederSaid(wire.Alive(step="page 1", done=5)), NOW + 59)
    assert KillFeeder(ErrorCode.DRIVER_HUNG) not in wants(after, now=NOW + 100)


def test_a_driver_that_crashes_ends_the_batch() -> None:
    """The detail of the end says how the process ended."""
    here = state(snapshot(job(Status.SCANNING)), feeder=scanning())
    _, actions = decide(here, FeederEnded("signal 11"), NOW)
    assert actions[0] == EndBatch(42, 1, End(code=ErrorCode.DRIVER_CRASHED, detail="signal 11"))


def test_a_driver_that_does_not_come_to_rest_is_replaced() -> None:
    """A driver that hangs in sane_cancel after a batch does not hold up the next batch."""
    scanning = snapshot(job(Status.SCANNING))
    here = state(scanning, feeder=replace(WAITING, resting=True), progressed=NOW + 60)
    assert wants(here, now=NOW + 14) == []
    after, actions = decide(here, Tick(), NOW + 16)
    assert actions == [KillFeeder(ErrorCode.DRIVER_HUNG)]
    after, actions = decide(after, FeederEnded("signal 9"), NOW + 17)
    after, actions = decide(after, Looked(scanning), NOW + 17)
    assert [type(action) for action in actions] == [StartFeeder, Scan]
    rested, actions = decide(here, FeederSaid(wire.Idle()), NOW + 1)
    assert [type(action) for action in actions] == [Scan]
    assert not rested.feeder or not rested.feeder.resting


def test_scanning_goes_on_without_a_database() -> None:
    """No action touches a row, and the feeder is left alone."""
    here = state(snapshot(job(Status.SCANNING)), feeder=scanning())
    after, actions = decide(here, DatabaseLost(), NOW)
    assert actions == []
    after, actions = decide(after, FeederSaid(wire.Ended(end=End())), NOW)
    assert actions == []
    assert after.feeder == FeederChild(heard=NOW, resting=True)


def test_a_displaced_daemon_stops_its_children() -> None:
    """When another daemon leads, the feeder is canceled and the courier killed."""
    here = state(snapshot(job(Status.SCANNING)), feeder=scanning(), courier=courier(Task.BIND))
    _, actions = decide(here, Displaced(), NOW)
    assert actions == [TellFeeder(wire.Cancel()), KillCourier(None)]


def test_a_courier_that_dies_is_a_fault_of_its_task() -> None:
    """The task is tried again, with courier_crashed in the row."""
    here = state(snapshot(job(Status.ASSEMBLING, batches=(row(),))), courier=courier(Task.ASSEMBLE))
    after, _ = decide(here, CourierEnded("signal 11"), NOW)
    _, (step,) = decide(after, Looked(here.snapshot), NOW)
    assert isinstance(step, Postpone)
    assert step.code is ErrorCode.COURIER_CRASHED


def test_a_silent_courier_on_the_nas_is_killed_and_left_behind() -> None:
    """The code is nas_hung, and the daemon goes on without the courier."""
    here = state(snapshot(job(Status.ASSEMBLING, batches=(row(),))), courier=courier(Task.ASSEMBLE))
    after, actions = decide(here, Tick(), NOW + COURIER_SILENCE + 1)
    assert actions == [KillCourier(ErrorCode.NAS_HUNG)]
    after, actions = decide(after, Tick(), NOW + COURIER_SILENCE + DYING_TIME + 2)
    assert AbandonCourier() in actions


def test_a_courier_whose_job_was_canceled_is_killed() -> None:
    """Its task is not wanted any more, and its end is no fault."""
    here = state(courier=courier(Task.ASSEMBLE))
    after, actions = decide(here, Tick(), NOW)
    assert actions == [KillCourier(ErrorCode.INTERRUPTED)]
    after, _ = decide(after, CourierEnded("signal 9"), NOW)
    assert (after.courier, after.done) == (None, None)


def test_a_courier_that_has_reported_is_not_killed() -> None:
    """It is about to wait for the next task; if that takes too long, it is killed."""
    here = state(courier=courier(Task.PUBLISH, reported=True))
    after, actions = decide(here, Tick(), NOW)
    assert (after.courier, actions) == (here.courier, [])
    _, actions = decide(after, Tick(), NOW + DYING_TIME + 1)
    assert isinstance(actions[0], KillCourier)


def test_a_job_is_not_kept_waiting_by_a_sweep() -> None:
    """A sweep is stopped when there is a job; another sweep removes the rest."""
    sweeping = CourierChild(Task.SWEEP, 0, NOW)
    actions = wants(state(snapshot(job(Status.READY)), courier=sweeping))
    assert KillCourier(ErrorCode.INTERRUPTED) in actions
