"""Which job gives way, whose turn it is then, and when the NAS is asked."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from scand import wire
from scand.decide import decide
from scand.decide.actions import (
    Action,
    Advance,
    Claim,
    Commit,
    GiveUp,
    KillCourier,
    Park,
    RefuseScan,
    Send,
)
from scand.decide.limits import Limits
from scand.decide.occurrences import CourierSaid, Looked, Tick
from scand.decide.state import CourierChild, ParkedJob, Snapshot, State, Task, TaskResult
from scand.errors import BadData
from scand.faults import ErrorCode
from scand.jobs.lifecycle import Status
from tests.unit.decide.builders import (
    NOW,
    SHA,
    courier,
    job,
    pages,
    row,
    settings,
    snapshot,
    state,
    steps,
    wants,
)

if TYPE_CHECKING:
    from scand.jobs.rows import Job

AWAY = wire.Failed(code=ErrorCode.NAS_UNAVAILABLE, sentence="away")
FULL = wire.Failed(code=ErrorCode.NAS_FULL, sentence="full")
DELIVERY = ParkedJob(7, Status.ASSEMBLING, room=1000)
PREVIEW = ParkedJob(7, Status.PREVIEW)


def waits(status: Status = Status.ASSEMBLING, **fields: Any) -> Job:
    """A job in a pause since the NAS is away."""
    values = {"error_code": "nas_unavailable", "error": "away", "wait": 9.0, "batches": (row(),), **fields}
    return job(status, **values)


def here(active: Job, *, queued: bool = True, delivery: ParkedJob | None = None, **fields: Any) -> State:
    """A daemon with this active job, while others wait."""
    seen = replace(snapshot(active), queued=queued, delivery=delivery)
    return state(seen, pages=pages(active), **fields)


def parks(actions: list[Action]) -> list[Park]:
    """The parkings among the actions."""
    return [action for action in actions if isinstance(action, Park)]


@pytest.mark.parametrize("status", [Status.ASSEMBLING, Status.COMMITTING])
@pytest.mark.parametrize(
    "who",
    [{"queued": True}, {"queued": False, "scan_asked": NOW}, {"queued": False, "delivery": DELIVERY}],
    ids=["a job", "the signal", "an older delivery"],
)
def test_a_job_that_waits_for_the_nas_gives_way(status: Status, who: dict[str, Any]) -> None:
    """To whoever wants the scanner, and to deliveries that are to be in the Inbox before it."""
    after, actions = decide(here(waits(status), **who), Tick(), NOW)
    assert parks(actions) == [Park(42, status, 0, 120.0)]
    assert after.closed == 42
    assert not after.fresh


@pytest.mark.parametrize(
    "active",
    [
        waits(wait=0.0, error_code=None),
        waits(error_code="verify_failed"),
        job(Status.READY, idle=800.0),
        job(Status.PREVIEW, idle=119.0),
    ],
    ids=[
        "it is about to be merged",
        "it is copied again",
        "somebody is at the scanner",
        "it was just merged",
    ],
)
def test_a_job_that_does_not_only_wait_keeps_the_scanner(active: Job) -> None:
    """It works, or a person is about to do something with it."""
    assert parks(wants(here(active))) == []


def test_nobody_waits_so_nothing_is_parked() -> None:
    """Parking is for others; a job alone waits where it is. Nor is it parked while the daemon stops."""
    for status in (Status.ASSEMBLING, Status.COMMITTING):
        assert parks(wants(here(waits(status), queued=False))) == []
        assert parks(wants(here(waits(status), stopping=True))) == []
    assert parks(wants(here(job(Status.PREVIEW, idle=999.0), queued=False))) == []


def test_a_job_that_is_finished_while_the_nas_is_away_is_parked_untried() -> None:
    """The row then says why it waits."""
    untried = here(job(Status.ASSEMBLING, batches=(row(),)), nas_trouble=AWAY)
    assert parks(wants(untried)) == [Park(42, Status.ASSEMBLING, 0, 120.0, ErrorCode.NAS_UNAVAILABLE, "away")]
    assert parks(wants(replace(untried, snapshot=replace(untried.snapshot, queued=False)))) == []


def test_a_preview_gives_way_after_its_time() -> None:
    """Unless the agent is to commit it by itself."""
    limits = Limits(preview_hold=5.0)
    held = job(Status.PREVIEW, idle=5.0, batches=(row(),), entered_from="assembling")
    assert parks(wants(here(held, limits=limits))) == [Park(42, Status.PREVIEW, 0, 5.0)]
    by_itself = replace(
        here(held, limits=limits), snapshot=replace(here(held).snapshot, settings=settings(finish="commit"))
    )
    (step,) = steps(wants(by_itself))
    assert step.to_status is Status.COMMITTING


@pytest.mark.parametrize(
    ("task", "progress", "given_up"),
    [
        (Task.ASSEMBLE, None, True),
        (Task.ASSEMBLE, wire.Alive(step="merging"), False),
        (Task.ASSEMBLE, wire.Alive(step="copying"), True),
        (Task.PUBLISH, wire.Alive(step="verifying"), True),
    ],
)
def test_a_courier_that_makes_no_progress_on_the_nas(
    task: Task, progress: wire.Alive | None, *, given_up: bool
) -> None:
    """It is killed first; merging is local work, and has its own time."""
    status = Status.ASSEMBLING if task is Task.ASSEMBLE else Status.COMMITTING
    busy = here(job(status, batches=(row(),)), courier=replace(courier(task), progress=progress))
    assert parks(wants(busy, now=NOW + 4.9)) == []
    after, actions = decide(busy, Tick(), NOW + 5.1)
    if given_up:
        assert actions[0] == KillCourier(ErrorCode.NAS_HUNG)
        (park,) = parks(actions)
        assert park.code is ErrorCode.NAS_HUNG
        assert after.nas_trouble
        assert not after.nas_well
    else:
        assert parks(actions) == []


def test_a_document_that_a_client_publishes_is_not_parked() -> None:
    """With `[commit] by = "client"`: the agent cannot know what it is doing."""
    limits = Limits(commits=False)
    assert parks(wants(here(waits(Status.COMMITTING), limits=limits))) == []


def test_the_signal_is_remembered_while_the_job_may_give_way() -> None:
    """For as long as somebody waits for it; then it is refused."""
    busy = here(
        job(Status.ASSEMBLING, batches=(row(),)), queued=False, scan_asked=NOW, courier=courier(Task.ASSEMBLE)
    )
    after, actions = decide(busy, Tick(), NOW + 1)
    assert (after.scan_asked, actions) == (NOW, [])
    late = replace(busy, courier=replace(courier(Task.ASSEMBLE), heard=NOW + 31))
    after, actions = decide(late, Tick(), NOW + 31)
    assert after.scan_asked is None
    assert RefuseScan(Status.ASSEMBLING) in actions


# Whose turn it is.


def queue(**fields: Any) -> Snapshot:
    """No job is active."""
    return Snapshot(**fields)


WELL: dict[str, Any] = {"nas_proved": True, "nas_checked": NOW}


@pytest.mark.parametrize(
    ("seen", "known", "wanted"),
    [
        (queue(queued=True, delivery=DELIVERY), WELL, [Claim(delivery=True)]),
        (queue(queued=True, delivery=DELIVERY), {**WELL, "delivered": True}, [Claim()]),
        (queue(queued=False, delivery=DELIVERY), {**WELL, "delivered": True}, [Claim(delivery=True)]),
        (queue(queued=True, delivery=DELIVERY), {**WELL, "scan_asked": NOW}, [Claim()]),
        (queue(queued=True, delivery=DELIVERY), {"nas_proved": False, "nas_checked": NOW}, [Claim()]),
        (queue(queued=True, delivery=DELIVERY), {**WELL, "nas_trouble": AWAY}, [Claim()]),
    ],
    ids=["a delivery", "in turns", "nobody else", "the signal", "not checked yet", "the NAS is away"],
)
def test_whose_turn_it_is(seen: Snapshot, known: dict[str, Any], wanted: list[Action]) -> None:
    """One who wants to scan, one delivery; a delivery only while the NAS is known to be well."""
    after, actions = decide(state(seen, **known), Tick(), NOW)
    assert actions[: len(wanted)] == wanted
    assert after.delivered == any(isinstance(claim, Claim) and claim.delivery for claim in wanted)


def check(actions: list[Action]) -> list[Send]:
    """The checks of the NAS among the actions."""
    return [action for action in actions if isinstance(action, Send) and action.task is Task.CHECK]


def test_parked_deliveries_have_the_nas_asked() -> None:
    """At once after a start, then every few seconds, also while somebody scans; with room for the next merge."""
    idle = state(queue(delivery=DELIVERY), nas_checked=NOW - 600, scanner_checked=NOW)
    assert check(wants(idle)) == [Send(Task.CHECK, 0, room=1000)]
    asked = replace(idle, nas_checked=NOW, nas_trouble=AWAY)
    assert check(wants(asked, now=NOW + 4.9)) == []
    assert check(wants(asked, now=NOW + 5.0)) == [Send(Task.CHECK, 0, room=1000)]
    at_scanner = here(job(Status.READY), delivery=DELIVERY, nas_checked=NOW - 60)
    assert check(wants(at_scanner)) == [Send(Task.CHECK, 0, room=1000)]
    checking = replace(at_scanner, courier=CourierChild(Task.CHECK, 0, NOW))
    assert not any(isinstance(action, KillCourier) for action in wants(checking))


def test_a_nas_that_refuses_after_each_check_is_asked_ever_more_seldom() -> None:
    """Else jobs would take turns copying in vain. A check that fails ends that: the NAS is away again."""
    known = state(queue(delivery=DELIVERY), nas_proved=True)
    for number in range(1, 6):
        busy = replace(known, courier=courier(Task.ASSEMBLE), nas_trouble=None, nas_proved=True)
        known, _ = decide(busy, CourierSaid(FULL), NOW)
        assert known.nas_refusals == number
        assert not known.nas_well
        known = replace(known, courier=None, done=None, fresh=True, nas_checked=NOW)
    assert check(wants(known, now=NOW + 31)) == []
    assert check(wants(known, now=NOW + 33)) != []
    failed, _ = decide(replace(known, courier=CourierChild(Task.CHECK, 0, NOW)), CourierSaid(AWAY), NOW)
    assert failed.nas_refusals == 0


def test_a_parked_job_that_waited_for_too_long_fails() -> None:
    """A preview that nobody answers, and one that an operator gives up."""
    limits = Limits(preview_timeout=600.0)
    (late,) = wants(state(queue(overdue=PREVIEW), limits=limits))
    assert isinstance(late, GiveUp)
    assert (late.job_id, late.code, late.preview_timeout) == (7, ErrorCode.IDLE_TIMEOUT, 600.0)
    (unknown,) = wants(state(queue(overdue=ParkedJob(7, Status.COMMITTING))))
    assert isinstance(unknown, GiveUp)
    assert unknown.code is ErrorCode.PUBLICATION_UNKNOWN


# On its way into the Inbox.


def on_its_way(**fields: Any) -> Job:
    """A job whose document may be in the Inbox."""
    values = {"inbox_path": "Inbox/T.pdf", "file_hash": SHA, "batches": (row(),), **fields}
    return job(Status.COMMITTING, **values)


@pytest.mark.parametrize(
    ("report", "wanted"),
    [(wire.Withdrawn(), Advance), (wire.Published(inbox_path="Inbox/T.pdf", sha256=SHA), Commit)],
)
def test_what_a_look_into_the_inbox_means(report: wire.Report, wanted: type[Action]) -> None:
    """It is taken back, or it was too late."""
    looked = here(on_its_way(withdraw="preview"), done=TaskResult(42, 0, Task.PUBLISH, report))
    (action,) = [action for action in wants(looked) if isinstance(action, Advance | Commit)]
    assert isinstance(action, wanted)
    if isinstance(action, Advance):
        assert (action.to_status, action.error) == (Status.PREVIEW, None)


def test_what_an_operator_gives_up_fails() -> None:
    """Nothing is tried once more; but a courier that is at it is not disturbed."""
    given_up = here(on_its_way(withdraw="failed"), queued=False)
    (step,) = steps(wants(given_up))
    assert (step.to_status, step.code) == (Status.FAILED, ErrorCode.PUBLICATION_UNKNOWN)
    assert steps(wants(replace(given_up, courier=courier(Task.PUBLISH)))) == []


def test_a_job_that_was_taken_back_scans_nothing_by_itself() -> None:
    """Taking back is a word of a person, who scans when there is paper."""
    back = job(Status.READY, taken_back=True, entered_from="queued")
    auto = replace(snapshot(back), settings=settings(scan="auto"))
    assert steps(wants(state(auto))) == []
    assert steps(wants(state(replace(auto, job=replace(back, taken_back=False))))) != []


def test_bad_settings_do_not_keep_a_parked_preview_waiting_for_others() -> None:
    """A preview gives way whatever its settings are."""
    held = replace(
        here(job(Status.PREVIEW, idle=500.0)).snapshot, settings=BadData("a typo", ErrorCode.BAD_SETTINGS)
    )
    assert parks(wants(state(held), Looked(held))) == [Park(42, Status.PREVIEW, 0, 120.0)]
