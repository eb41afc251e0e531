"""What an agent does besides jobs."""

from __future__ import annotations

from dataclasses import replace

from scand import wire
from scand.decide import decide
from scand.decide.actions import (
    Expire,
    FindScanner,
    LookAgain,
    Send,
    StartFeeder,
)
from scand.decide.occurrences import (
    CourierEnded,
    CourierSaid,
    FeederSaid,
    Looked,
    Tick,
)
from scand.decide.state import (
    CourierChild,
    Limits,
    Snapshot,
    Task,
)
from scand.faults import ErrorCode
from scand.jobs.rows import StaleFile
from tests.unit.decide.builders import (
    NOW,
    state,
    wants,
)


def test_a_stale_staged_file_is_removed_as_soon_as_the_nas_is_back() -> None:
    """A failed try is repeated after a minute, or as soon as any task reaches the NAS."""
    stale = StaleFile(41, ".scan-staging/job-41/merged.pdf")
    remove = Send(Task.UNSTAGE, 41, staged=stale.path)
    here = state(Snapshot(stale=stale))
    after, actions = decide(here, Tick(), NOW)
    assert actions == [remove]
    hung = wire.Failed(code=ErrorCode.NAS_HUNG, sentence="It does not answer.")
    after, actions = decide(after, CourierSaid(hung), NOW)
    after, actions = decide(after, CourierEnded("exit status 0"), NOW)
    after, actions = decide(replace(after, snapshot=here.snapshot, fresh=True), Tick(), NOW)
    assert actions == wants(after, now=NOW + 59) == []
    assert wants(after, now=NOW + 60) == [remove]
    after = replace(after, courier=CourierChild(Task.CHECK, 0, NOW))
    after, _ = decide(after, CourierSaid(wire.Checked()), NOW + 1)
    after, _ = decide(after, CourierEnded("exit status 0"), NOW + 1)
    assert wants(replace(after, snapshot=here.snapshot, fresh=True), now=NOW + 1) == [remove]


def test_an_idle_agent_sweeps_its_disk() -> None:
    """Every ten minutes or as often as files may expire; never without `staging.keep`, nor beside another task."""
    swept = [Expire(86400.0), Send(Task.SWEEP, 0)]
    week = Limits(keep=86400.0)
    assert wants(state(limits=week, swept=NOW - 599)) == []
    after, actions = decide(state(limits=week, swept=NOW - 600), Tick(), NOW)
    assert actions == swept
    assert not after.fresh
    assert wants(after, now=NOW + 1) == [LookAgain()]
    assert wants(state(swept=NOW - 10_000)) == []
    busy = CourierChild(Task.CHECK, 0, NOW)
    assert wants(state(limits=week, swept=NOW - 600, courier=busy)) == []
    short = Limits(keep=2.0)
    assert wants(state(limits=short, swept=NOW - 3)) == [Expire(2.0), Send(Task.SWEEP, 0)]


def test_files_that_are_not_kept_at_all_leave_time_for_the_nas() -> None:
    """With `staging.keep` = "0s" there is a pause between two sweeps, in which the NAS is asked."""
    at_once = Limits(keep=0.0)
    assert wants(state(limits=at_once, swept=NOW - 1)) == [Expire(0.0), Send(Task.SWEEP, 0)]
    assert wants(state(limits=at_once, swept=NOW - 0.9)) == []
    assert wants(state(limits=at_once, swept=NOW - 0.9, nas_checked=NOW - 601)) == [Send(Task.CHECK, 0)]


def test_an_idle_agent_checks_scanner_and_nas_and_more_often_while_one_is_away() -> None:
    """So a missing scanner or NAS is noticed before a person stands at the scanner."""
    here = state(scanner_checked=NOW - 601, nas_checked=NOW - 601)
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
