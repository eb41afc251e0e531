"""When rows of pages are written: while a batch runs, when it has ended, and once for what was recorded before."""

from __future__ import annotations

import math

from scand.decide import decide
from scand.decide.actions import Record, RepairPages, Send, WritePages
from scand.decide.occurrences import DatabaseLost, LookDue, Looked, Tick, Written
from scand.decide.pages import pages_due
from scand.decide.state import BoundBatch, Task
from scand.decide.timeouts import PAGES_AT_ONCE, PAGES_EVERY
from scand.jobs.lifecycle import Status
from scand.spool.records import End
from tests.unit.decide.builders import (
    NOW,
    PDF,
    WAITING,
    courier,
    job,
    on_disk,
    row,
    scanning,
    snapshot,
    state,
    wants,
)


def test_a_running_batch_lists_its_pages_at_most_once_a_second() -> None:
    """All that came since, and nothing where nothing came."""
    running = snapshot(job(Status.SCANNING, listed={1: 2}))
    here = state(running, feeder=scanning(captured=5), pages_written=NOW)
    assert wants(here, now=NOW + PAGES_EVERY - 0.1) == []
    after, actions = decide(here, Tick(), NOW + PAGES_EVERY)
    written = WritePages(42, Status.SCANNING, 1, 2, 5)
    assert actions == [written]
    after, _ = decide(after, Written(written), NOW + PAGES_EVERY)
    listed = snapshot(job(Status.SCANNING, listed={1: 5}))
    assert decide(after, Looked(listed), NOW + 2 * PAGES_EVERY)[1] == []


def test_the_loop_knows_when_pages_are_due() -> None:
    """So that a picture is there a second after its side at the latest."""
    running = snapshot(job(Status.SCANNING, listed={1: 2}))
    assert pages_due(state(running, feeder=scanning(captured=3), pages_written=NOW)) == NOW + PAGES_EVERY
    assert pages_due(state(running, feeder=scanning(captured=2), pages_written=NOW)) == math.inf
    assert pages_due(state(running, feeder=scanning(captured=3), serving=False)) == math.inf
    assert pages_due(state(snapshot(job(Status.READY)), feeder=scanning(captured=3))) == math.inf
    assert pages_due(state(feeder=WAITING)) == math.inf


def test_nothing_is_written_while_the_database_is_away_and_all_of_it_later() -> None:
    """So many at once that a statement stays small, from the first page that has no row."""
    running = snapshot(job(Status.SCANNING, listed={1: 7}))
    away, actions = decide(state(running, feeder=scanning(captured=400)), DatabaseLost(), NOW)
    assert actions == []
    assert wants(away, now=NOW + 60) == []
    back, _ = decide(away, LookDue(), NOW + 60)
    (action,) = decide(back, Looked(running), NOW + 60)[1]
    assert action == WritePages(42, Status.SCANNING, 1, 7, 7 + PAGES_AT_ONCE)


def test_an_ended_batch_is_bound_and_listed_at_the_same_time() -> None:
    """The courier is sent first: if writing fails, it is on its way."""
    ended = snapshot(job(Status.SCANNING, listed={}), unrecorded=(on_disk(end=End()),))
    bind, write = wants(state(ended, feeder=WAITING))
    assert isinstance(bind, Send)
    assert write == WritePages(42, Status.SCANNING, 1, 0, 4)


def test_a_batch_is_recorded_with_its_last_pages_and_not_before_the_others() -> None:
    """What lies between the two fits into the transaction."""
    bound = BoundBatch(42, 1, PDF)
    for lacking, record in ((PAGES_AT_ONCE + 1, False), (PAGES_AT_ONCE, True)):
        batch = on_disk(end=End(), captured=100)
        found = snapshot(job(Status.SCANNING, listed={1: 100 - lacking}), unrecorded=(batch,))
        (action,) = wants(state(found, feeder=WAITING, bound=bound))
        assert isinstance(action, Record) is record
        assert action in {
            WritePages(42, Status.SCANNING, 1, 100 - lacking, 140 - lacking),
            Record(
                42,
                Status.SCANNING,
                1,
                PDF,
                kept=True,
                code=None,
                error=None,
                listed=100 - lacking,
                answers=True,
            ),
        }


def test_what_was_recorded_before_is_compared_once_in_ready() -> None:
    """Once for each job, and again when the session was lost: the database may be an older one then."""
    waiting = job(Status.READY, batches=(row(),))
    here = state(snapshot(waiting), feeder=WAITING, pages_repaired=0)
    after, actions = decide(here, Tick(), NOW)
    assert actions == [RepairPages(waiting)]
    after, actions = decide(after, Looked(here.snapshot), NOW)
    assert actions == []
    after, _ = decide(after, DatabaseLost(), NOW)
    after, _ = decide(after, LookDue(), NOW)
    assert decide(after, Looked(here.snapshot), NOW)[1] == [RepairPages(waiting)]


def test_a_batch_that_still_has_to_be_ended_lists_nothing() -> None:
    """Its end comes first; and a courier that binds is no reason to wait."""
    found = snapshot(job(Status.SCANNING, listed={}), unrecorded=(on_disk(),))
    assert not [action for action in wants(state(found)) if isinstance(action, WritePages)]
    found = snapshot(job(Status.SCANNING, listed={}), unrecorded=(on_disk(end=End()),))
    assert wants(state(found, courier=courier(Task.BIND))) == [WritePages(42, Status.SCANNING, 1, 0, 4)]
