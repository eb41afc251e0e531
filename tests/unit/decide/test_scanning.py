"""A job that is ready, and a job that is scanning."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from scand import wire
from scand.decide import decide
from scand.decide.actions import (
    Advance,
    Postpone,
    Scan,
    StartFeeder,
)
from scand.decide.limits import Limits
from scand.decide.occurrences import (
    Configured,
    FeederEnded,
    FeederSaid,
    Looked,
    Tick,
)
from scand.decide.state import (
    EndedRun,
    FeederChild,
)
from scand.decide.timeouts import DEVICE_TRIES
from scand.errors import BadData
from scand.faults import ErrorCode
from scand.jobs.lifecycle import Actor, Status
from scand.spool.records import End
from tests.unit.decide.builders import (
    IDLE,
    NOW,
    WAITING,
    job,
    on_disk,
    row,
    scanning,
    settings,
    snapshot,
    state,
    steps,
    wants,
)


def test_a_job_that_no_step_has_put_to_scanning_does_not_start_the_scanner() -> None:
    """FIELD P10: left by another program. Nobody clicked, so it waits in ready and says why."""
    (step,) = steps(wants(state(snapshot(job(Status.SCANNING, by_step=False)))))
    assert (step.to_status, step.code) == (Status.READY, ErrorCode.INTERRUPTED)
    assert "Another program" in (step.error or "")


def test_a_ready_job_starts_the_feeder_ahead_of_need() -> None:
    """The feeder is started before there is anything to scan."""
    assert wants(state(snapshot(job(Status.READY)))) == [StartFeeder()]


def test_the_signal_scans_into_the_ready_job_as_a_client() -> None:
    """The signal is a person's decision, so it counts also after a fault."""
    ready = job(Status.READY, error_code="feeder_jammed", error="jam")
    (step,) = wants(state(snapshot(ready), scan_asked=NOW))
    assert isinstance(step, Advance)
    assert (step.to_status, step.actor) == (Status.SCANNING, Actor.CLIENT)


def test_auto_scans_at_the_claim_and_only_then() -> None:
    """`scan: auto` starts the first batch; a second one is a person's decision."""
    auto = settings(scan="auto")
    (step,) = wants(state(snapshot(job(Status.READY, entered_from="queued"), asked=auto)))
    assert isinstance(step, Advance)
    assert step.to_status is Status.SCANNING
    again = job(Status.READY, entered_from="scanning", batches=(row(),))
    assert wants(state(snapshot(again, asked=auto), feeder=WAITING)) == []


@pytest.mark.parametrize("finish", ["preview", "commit"])
def test_finish_acts_after_the_first_complete_batch(finish: str) -> None:
    """The agent itself moves the job from ready to assembling."""
    ready = job(Status.READY, entered_from="scanning", batches=(row(),))
    (step,) = wants(state(snapshot(ready, asked=settings(finish=finish))))
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
        {"batches": (replace(row(kept=False), error_code="feeder_jammed", answered=False), row(2))},
        {"batches": (replace(row(), error_code="feeder_jammed", answered=False),)},
    ],
    ids=[
        "fault",
        "claimed again",
        "not now",
        "reopened",
        "only discarded",
        "nothing",
        "torn batch left out",
        "torn batch kept",
    ],
)
def test_finish_never_acts_where_a_person_has_to_decide(fields: dict[str, Any]) -> None:
    """The agent never merges a job by itself after a fault, or once a client has taken over."""
    values = {"entered_from": "scanning", "batches": (row(),), **fields}
    ready = snapshot(job(Status.READY, **values), asked=settings(finish="commit"))
    assert wants(state(ready, feeder=WAITING)) == []


def test_what_a_person_has_answered_is_in_nobodys_way() -> None:
    """Left out by a person, or kept with the rest behind it: the agent goes on."""
    for kept in (True, False):
        torn = replace(row(kept=kept), error_code="feeder_jammed")
        ready = job(Status.READY, entered_from="scanning", batches=(torn, row(2)))
        (step,) = steps(wants(state(snapshot(ready, asked=settings(finish="preview")))))
        assert step.to_status is Status.ASSEMBLING


def test_auto_does_not_scan_beside_an_unanswered_batch() -> None:
    """Queued again after a fault: which sheets are in the feeder now, only a person knows."""
    torn = replace(row(), error_code="feeder_jammed", answered=False)
    ready = job(Status.READY, entered_from="queued", batches=(torn,))
    assert not steps(wants(state(snapshot(ready, asked=settings(scan="auto")))))


def test_finish_waits_for_the_backs() -> None:
    """In manual duplex, the first batch is only the fronts."""
    asked = settings(finish="commit", sides="manual-duplex")
    fronts = job(Status.READY, entered_from="scanning", batches=(row(1),))
    assert not steps(wants(state(snapshot(fronts, asked=asked))))
    both = job(Status.READY, entered_from="scanning", batches=(row(1), row(2)))
    (step,) = steps(wants(state(snapshot(both, asked=asked))))
    assert step.to_status is Status.ASSEMBLING


def test_idle_with_kept_batches_is_assembled() -> None:
    """When nobody comes back to a job with pages, its document is made."""
    (step,) = wants(state(snapshot(job(Status.READY, idle=IDLE, batches=(row(),)))))
    assert isinstance(step, Advance)
    assert (step.to_status, step.code) == (Status.ASSEMBLING, None)


def test_idle_with_nothing_scanned_is_canceled() -> None:
    """An idle job without a batch is canceled, so that the scanner is free for the next."""
    (step,) = wants(state(snapshot(job(Status.READY, idle=IDLE))))
    assert isinstance(step, Advance)
    assert (step.to_status, step.code) == (Status.CANCELED, ErrorCode.IDLE_TIMEOUT)


@pytest.mark.parametrize(
    "fields",
    [
        {"error_code": "feeder_jammed", "error": "jam", "batches": (row(),)},
        {"batches": (row(kept=False),)},
        {"error_code": "feeder_empty", "error": "empty"},
        {"batches": (replace(row(kept=False), error_code="feeder_jammed", answered=False), row(2))},
        {"batches": (replace(row(), error_code="feeder_jammed", answered=False, error="feed again"),)},
    ],
    ids=[
        "fault with kept pages",
        "only discarded",
        "fault and nothing scanned",
        "torn batch left out",
        "queued again after a fault",
    ],
)
def test_idle_with_an_unanswered_fault_fails(fields: dict[str, Any]) -> None:
    """Nothing is deleted, and no document comes out short."""
    (step,) = wants(state(snapshot(job(Status.READY, idle=IDLE, **fields))))
    assert isinstance(step, Advance)
    assert (step.to_status, step.code) == (Status.FAILED, ErrorCode.IDLE_TIMEOUT)


def test_bad_settings_fail_a_ready_job() -> None:
    """The job fails with the sentence of the refusal, and the scanner is free."""
    refusal = BadData("sides may be duplex, …", ErrorCode.BAD_SETTINGS)
    (step,) = wants(state(snapshot(job(Status.READY), asked=refusal)))
    assert isinstance(step, Advance)
    assert (step.to_status, step.code, step.error) == (
        Status.FAILED,
        ErrorCode.BAD_SETTINGS,
        refusal.sentence,
    )


def test_scanning_starts_a_feeder_and_a_batch() -> None:
    """Both at once: the socket keeps the command until the child has started."""
    actions = wants(state(snapshot(job(Status.SCANNING, batches=(row(),)))))
    assert actions == [StartFeeder(), Scan(42, 2, settings())]


def test_a_batch_that_is_being_scanned_is_left_alone() -> None:
    """A batch under way is not begun twice, whatever the disk shows of it."""
    here = snapshot(job(Status.SCANNING), unrecorded=(on_disk(),))
    assert wants(state(here, feeder=scanning())) == []


def test_a_busy_device_is_tried_again_and_then_a_person_is_asked() -> None:
    """After some tries with growing pauses, the job is ready with an error."""
    ended = wire.Ended(end=End(code=ErrorCode.DEVICE_BUSY))
    (step,) = wants(state(snapshot(job(Status.SCANNING)), feeder=WAITING, ended=EndedRun(42, ended)))
    assert isinstance(step, Postpone)
    assert step.seconds == 1
    last = job(Status.SCANNING, attempts=DEVICE_TRIES - 1)
    (end,) = wants(state(snapshot(last), feeder=WAITING, ended=EndedRun(42, ended)))
    assert isinstance(end, Advance)
    assert (end.to_status, end.code) == (Status.READY, ErrorCode.DEVICE_BUSY)


def test_a_postponed_scan_waits() -> None:
    """Nothing is done before next_attempt_at."""
    assert wants(state(snapshot(job(Status.SCANNING, wait=3.0)), feeder=WAITING)) == []


def test_settings_that_the_device_cannot_do_fail_the_job() -> None:
    """The job's error is the feeder's own sentence."""
    refused = wire.Ended(end=End(code=ErrorCode.UNSUPPORTED_SETTINGS, detail="no duplex here"))
    (step,) = wants(state(snapshot(job(Status.SCANNING)), feeder=WAITING, ended=EndedRun(42, refused)))
    assert isinstance(step, Advance)
    assert (step.to_status, step.error) == (Status.FAILED, "no duplex here")


def test_a_person_does_not_wait_for_a_feeder_that_ended_a_moment_ago() -> None:
    """Starting a feeder ahead of need is put off; for a batch that is asked for, it is started at once."""
    ready_, scanning = (
        state(snapshot(job(status)), feeder_after=NOW + 5) for status in (Status.READY, Status.SCANNING)
    )
    assert StartFeeder() not in wants(ready_)
    assert StartFeeder() in wants(scanning)


def test_a_feeder_that_ends_by_itself_is_not_started_again_at_once() -> None:
    """A machine that cannot start a feeder is not kept busy with trying."""
    here = state(snapshot(job(Status.READY)), feeder=WAITING)
    after, _ = decide(here, FeederEnded("exit status 1"), NOW)
    after, actions = decide(after, Looked(here.snapshot), NOW)
    assert actions == []
    _, actions = decide(after, Looked(here.snapshot), NOW + 6)
    assert actions == [StartFeeder()]


def test_the_end_of_a_canceled_batch_is_no_fault_of_the_next() -> None:
    """A job that was canceled before its first page and queued again is scanned anew."""
    canceled = wire.Ended(end=End(code=ErrorCode.CANCELED))
    here = state(feeder=FeederChild(heard=NOW), ended=EndedRun(42, canceled))
    after, _ = decide(here, Looked(snapshot(job(Status.READY))), NOW)
    _, actions = decide(after, Looked(snapshot(job(Status.SCANNING))), NOW)
    assert [type(action) for action in actions] == [Scan]


def test_the_device_opened_for_another_name_is_not_tried() -> None:
    """This holds also when the config is read again while a batch is about to open the device."""
    one = Limits(scanner="fi-*")
    waiting = state(snapshot(job(Status.SCANNING)), limits=one, feeder=WAITING)
    after, actions = decide(waiting, Tick(), NOW)
    assert actions == [Scan(42, 1, settings(), "fi-*")]
    opened = FeederSaid(wire.Opened(device="fujitsu:fi-7160:1", duplex=True, applied=()))
    for limits, last in ((one, "fujitsu:fi-7160:1"), (Limits(scanner="DR-*"), "")):
        seen, _ = decide(after, Configured(limits), NOW)
        seen, _ = decide(seen, opened, NOW)
        seen = replace(seen, snapshot=waiting.snapshot, feeder=WAITING, fresh=True)
        assert wants(seen) == [Scan(42, 1, settings(), limits.scanner, last)]
