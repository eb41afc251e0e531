"""Which job is next where the feeder may still hold the paper of a stopped stack."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from scand.decide import decide
from scand.decide.actions import (
    Action,
    Advance,
    Claim,
    Hold,
    LetWait,
    MakeManualJob,
    RecordCanceled,
    TellFeeder,
)
from scand.decide.occurrences import FeederEnded, FeederSaid, Looked, Written
from scand.decide.state import Snapshot, WaitingJob
from scand.errors import BadData
from scand.faults import ErrorCode
from scand.jobs.lifecycle import Status
from scand.jobs.rows import OF_SIGNAL
from scand.spool.records import End, PaperLeft
from scand.wire import Ended
from tests.unit.decide.builders import NOW, job, row, scanning, settings, snapshot, state, steps, wants

LEFT = PaperLeft(job_id=7, batch_seq=2)
AUTO = WaitingJob(42, settings(scan="auto"))


def queue(**fields: Any) -> Snapshot:
    """A queue in which jobs wait, while the feeder may hold paper of job 7."""
    return Snapshot(**{"queued": True, "paper": LEFT, **fields})


@pytest.mark.parametrize(
    ("waiting", "wanted"),
    [
        (WaitingJob(42, settings(scan="manual")), [Claim(42)]),
        (WaitingJob(42, settings(scan="auto", source="flatbed")), [Claim(42)]),
        (WaitingJob(42, BadData("a misspelt key", ErrorCode.BAD_SETTINGS)), [Claim(42)]),
        (None, []),
    ],
    ids=["by hand", "from the glass", "with bad settings, so that it fails", "all were told to wait"],
)
def test_whoever_does_not_take_what_is_there_is_claimed(
    waiting: WaitingJob | None, wanted: list[Action]
) -> None:
    """Only a job that would scan from the feeder by itself has to wait."""
    assert wants(state(queue(waiting=waiting))) == wanted


def test_a_job_that_would_scan_by_itself_is_told_to_wait() -> None:
    """Its row says whose paper it may be, and the command with which a person starts it."""
    (hold,) = wants(state(queue(waiting=AUTO)))
    assert isinstance(hold, Hold)
    assert (hold.job_id, hold.status) == (42, Status.QUEUED)
    assert "paper of job 7, batch 2" in hold.error
    assert hold.error.endswith("scand scan 42")


def test_the_signal_takes_the_oldest_job_whatever_is_in_the_feeder() -> None:
    """Whoever presses stands at the scanner; without a job in the queue one is made, and then scanned."""
    assert wants(state(queue(waiting=AUTO), scan_asked=NOW)) == [Claim()]
    after, actions = decide(state(queue(queued=False), scan_asked=NOW), Looked(queue(queued=False)), NOW)
    assert actions == [MakeManualJob()]
    assert after.scan_asked == NOW


def test_an_empty_feeder_lets_them_all_go_on() -> None:
    """Rows that say otherwise are put right first."""
    assert wants(state(Snapshot(queued=True, held=True))) == [LetWait()]
    assert wants(state(Snapshot(queued=True))) == [Claim()]


def test_a_claimed_job_that_finds_paper_waits_too() -> None:
    """The daemon was killed after the claim that the signal had asked for: the signal is forgotten."""
    claimed = replace(snapshot(job(Status.READY, entered_from="queued"), asked=AUTO.settings), paper=LEFT)
    (hold,) = wants(state(claimed))
    assert isinstance(hold, Hold)
    assert hold.status is Status.READY


@pytest.mark.parametrize(("signal", "status"), [(True, Status.CANCELED), (False, None)])
def test_a_job_of_the_signal_does_not_wait_with_an_empty_feeder(
    *, signal: bool, status: Status | None
) -> None:
    """Nobody may come back to it; a client's job keeps the scanner, since somebody sees its page."""
    made = {OF_SIGNAL: True} if signal else {}
    ready = job(Status.READY, settings=made, entered_from="scanning", error_code="feeder_empty", error="e")
    taken = steps(wants(state(snapshot(ready, asked=AUTO.settings))))
    assert [step.to_status for step in taken] == ([status] if status else [])
    with_pages = replace(ready, batches=(row(),))
    assert steps(wants(state(snapshot(with_pages, asked=AUTO.settings)))) == []


@pytest.mark.parametrize(
    "end",
    [FeederSaid(Ended(end=End(code=ErrorCode.CANCELED))), FeederEnded("signal 9")],
    ids=["told", "killed"],
)
def test_a_canceled_batch_is_recorded_as_soon_as_its_feeder_is_done(end: Any) -> None:
    """Not before: it still writes. And again until it is written, whatever fails meanwhile."""
    here, actions = decide(state(Snapshot(), feeder=scanning()), Looked(Snapshot()), NOW)
    assert [type(action) for action in actions] == [TellFeeder]
    here, _ = decide(here, end, NOW + 1)
    here, actions = decide(here, Looked(Snapshot()), NOW + 1)
    assert RecordCanceled(42) in actions
    here, again = decide(here, Looked(Snapshot()), NOW + 2)
    assert RecordCanceled(42) in again
    here, _ = decide(here, Written(RecordCanceled(42)), NOW + 3)
    here, actions = decide(here, Looked(Snapshot()), NOW + 3)
    assert RecordCanceled(42) not in actions


def test_a_daemon_that_begins_looks_for_what_was_canceled_before() -> None:
    """It may have been killed, or the job canceled while no daemon ran."""
    assert wants(state(Snapshot(), canceled=0))[0] == RecordCanceled(0)


def test_a_step_that_is_not_the_signals_is_taken_as_ever() -> None:
    """Without paper in the feeder a job that scans by itself does."""
    (step,) = wants(state(snapshot(job(Status.READY, entered_from="queued"), asked=AUTO.settings)))
    assert isinstance(step, Advance)
    assert step.to_status is Status.SCANNING
