"""What an agent does besides jobs."""

from __future__ import annotations

from dataclasses import replace

from scand import wire
from scand.decide import decide
from scand.decide.actions import (
    Action,
    Expire,
    FindScanner,
    LookAgain,
    ReadBack,
    Send,
    StartFeeder,
)
from scand.decide.limits import Limits
from scand.decide.occurrences import (
    CourierEnded,
    CourierSaid,
    FeederSaid,
    Looked,
    Tick,
)
from scand.decide.state import (
    CourierChild,
    Snapshot,
    Task,
    TaskResult,
)
from scand.faults import ErrorCode
from scand.jobs.rows import StaleFile, UnreadDocument
from tests.unit.decide.builders import (
    NOW,
    SHA,
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
    assert (actions, after.fresh) == ([], False)
    assert wants(after) == [LookAgain(41)], "the staged files of other jobs come first"
    after = replace(after, fresh=True)
    assert wants(after, now=NOW + 59) == []
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


UNREAD = UnreadDocument(41, "documents/41.pdf", SHA)
LOOK_FOR = Send(Task.READ_BACK, 41, unread=UNREAD)


def outcome(report: wire.Report, attempts: int = 0) -> Action:
    """What is written after a courier was sent for a document of job 41."""
    unread = replace(UNREAD, attempts=attempts)
    done = TaskResult(41, 0, Task.READ_BACK, report)
    (action,) = wants(state(Snapshot(unread=unread), done=done))
    return action


def test_a_document_that_a_client_has_committed_is_read_back() -> None:
    """By an agent that is idle or waits in ready; never beside another task."""
    here = state(Snapshot(unread=UNREAD))
    after, actions = decide(here, Tick(), NOW)
    assert actions == [LOOK_FOR]
    after, _ = decide(after, CourierSaid(wire.Found()), NOW)
    after, _ = decide(after, CourierEnded("exit status 0"), NOW)
    after, actions = decide(after, Looked(here.snapshot), NOW)
    assert actions == [ReadBack(41, found=True)]
    assert not after.fresh
    assert wants(state(Snapshot(unread=UNREAD), courier=CourierChild(Task.CHECK, 0, NOW))) == []


def test_a_document_that_is_not_found_is_told_after_some_tries() -> None:
    """Each pause is longer; a NAS that is away counts for nothing."""
    gone = wire.Failed(code=ErrorCode.NOT_READ_BACK, sentence="It is not there.")
    assert outcome(gone) == ReadBack(41, found=False, attempts=1, seconds=1.0)
    assert outcome(gone, 7) == ReadBack(41, found=False, attempts=8, seconds=128.0)
    last = outcome(gone, 8)
    assert isinstance(last, ReadBack)
    assert (last.seconds, last.code) == (None, ErrorCode.NOT_READ_BACK)
    assert (last.error or "").startswith("It is not there. Its pages stay")
    away = wire.Failed(code=ErrorCode.NAS_UNAVAILABLE, sentence="away")
    assert outcome(away, 8) == ReadBack(41, found=False, attempts=8, seconds=60.0)


def test_a_commit_from_before_that_names_no_file_is_told_at_once() -> None:
    """Clients of 0.1 could say committed without path and hash: there is nothing to look for."""
    (action,) = wants(state(Snapshot(unread=replace(UNREAD, sha256=None))))
    assert isinstance(action, ReadBack)
    assert (action.found, action.seconds, action.code) == (False, None, ErrorCode.NOT_READ_BACK)
