"""Hints, held against what the agent really decides, over all combinations of what they are made of."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING

import pytest

from scand.cli.hints import Asked, asked, goes_on_to, hint
from scand.cli.progress import QUIET
from scand.cli.wishes import Wish, refusal
from scand.decide import decide
from scand.decide.actions import Advance
from scand.decide.limits import Limits
from scand.decide.occurrences import Tick
from scand.decide.state import Snapshot, State
from scand.jobs.lifecycle import Actor, Status
from scand.jobs.rows import BatchRow as Kept
from scand.jobs.rows import BatchStatus, Job
from scand.jobs.settings import Finish, OnJam, Settings, Sides, Trigger
from scand.queue.intents import BatchRow, EventRow, JobRow, JobView
from tests.unit.cli.test_progress import JOB, NOW, later

if TYPE_CHECKING:
    from collections.abc import Iterator

_COMMAND = re.compile(r"scand ([a-z]+) (\d+)(?: (\d+))?")
_HISTORIES: dict[str, list[tuple[str | None, str]]] = {
    "new": [(None, "queued")],
    "claimed": [(None, "queued"), ("queued", "ready")],
    "scanned": [(None, "queued"), ("queued", "ready"), ("ready", "scanning"), ("scanning", "ready")],
    "merged": [("queued", "ready"), ("ready", "scanning"), ("scanning", "ready"), ("ready", "assembling"),
               ("assembling", "preview")],
    "reopened": [("ready", "assembling"), ("assembling", "preview"), ("preview", "ready")],
    "scanned more": [("ready", "assembling"), ("assembling", "preview"), ("preview", "ready"),
                     ("ready", "scanning"), ("scanning", "ready")],
    "merged again": [("ready", "assembling"), ("assembling", "preview"), ("preview", "ready"),
                     ("ready", "assembling"), ("assembling", "preview")],
    "taken back": [("assembling", "preview"), ("preview", "committing"), ("committing", "preview")],
    "another title": [("assembling", "preview"), ("preview", "assembling"), ("assembling", "preview")],
    "parked": [("assembling", "preview"), ("preview", "queued")],
    "parked and merged": [("ready", "assembling"), ("assembling", "queued"), ("queued", "assembling"),
                          ("assembling", "preview")],
    "parked and taken back": [("ready", "assembling"), ("assembling", "queued"), ("assembling", "ready"),
                              ("queued", "ready")],
    "parked and reopened": [("assembling", "preview"), ("preview", "queued"), ("preview", "ready"),
                            ("queued", "ready")],
}  # fmt: skip
_JAM = "feeder_jammed"
_BATCHES: dict[str, list[tuple[str, str | None, bool]]] = {
    "none": [],
    "one": [("scanned", None, True)],
    "two": [("scanned", None, True), ("scanned", None, True)],
    "discarded": [("discarded", None, True)],
    "torn": [("discarded", _JAM, False)],
    "torn and one": [("discarded", _JAM, False), ("scanned", None, True)],
    "kept": [("scanned", _JAM, False)],
    "kept and one": [("scanned", _JAM, True), ("scanned", None, True)],
    "over and one": [("discarded", _JAM, True), ("scanned", None, True)],
}
"""Of each batch its status, its fault, and whether it is answered."""


def _events(history: str) -> list[EventRow]:
    return [EventRow(NOW, "agent", before, after, None) for before, after in _HISTORIES[history]]


def _view(status: str, history: str, batches: str, error: str | None, merged: int | None) -> JobView:
    kept = sum(kind == "scanned" for kind, *_ in _BATCHES[batches])
    row = replace(
        JOB,
        status=status,
        batch_count=kept,
        error_code=error,
        error=error,
        page_count=merged,
        seen_at=later(0.1),
    )
    rows = [
        BatchRow(seq, kind, 4, None, "/x.pdf", code, "h", NOW, answered)
        for seq, (kind, code, answered) in enumerate(_BATCHES[batches], 1)
    ]
    return JobView(row, rows, _events(history))


def _decided(view: JobView, wish: Asked) -> Status | None:
    """The step that the agent takes by itself from there."""
    row, steps = view.job, [(event.from_status, event.to_status) for event in view.events]
    job = Job(
        row.id, row.title, {}, Status(row.status), NOW, page_count=row.page_count, error_code=row.error_code,
        idle=0.0, entered=1, entered_from=steps[-1][0],
        assembled=any(after == "assembling" for _before, after in steps),
        reopened=("preview", "ready") in steps or ("preview", "assembling") in steps,
        taken_back=steps[-1][0] == "queued" and len(steps) > 1 and steps[-2][1] == "ready",
        batches=tuple(
            Kept(
                row.batch_seq, row.staging_path, row.page_count, BatchStatus(row.status), row.error_code,
                answered=row.answered,
            )
            for row in view.batches
        ),
    )  # fmt: skip
    sides = Sides.MANUAL_DUPLEX if wish.halves else Sides.DUPLEX
    said = {"on_jam": OnJam.KEEP} if wish.keeps else {}
    settings = Settings(scan=wish.scan, finish=wish.finish, sides=sides, **said)
    here = State(Limits(ready_timeout=None), Snapshot(job=job, settings=settings), serving=True, fresh=True)
    _, actions = decide(here, Tick(), 1.0)
    taken = [action for action in actions if isinstance(action, Advance)]
    assert all(action.actor is Actor.AGENT for action in taken)
    return taken[0].to_status if taken else None


def _combinations() -> Iterator[tuple[JobView, Asked]]:
    wishes = [Asked(*values) for values in product(Trigger, Finish, (False, True), (False, True))]
    for history, batches in product(_HISTORIES, _BATCHES):
        status = _HISTORIES[history][-1][1]
        for error, merged in product((None, "feeder_empty"), (None, 4)):
            for wish in wishes:
                yield _view(status, history, batches, error, merged), wish


def test_what_goes_on_by_itself_is_what_the_agent_decides() -> None:
    """In ready and preview, whatever the settings, batches, faults and history."""
    tried = 0
    for view, wish in _combinations():
        if view.job.status in {"ready", "preview"}:
            tried += 1
            assert goes_on_to(view, wish) == _decided(view, wish), (view, wish)
    assert tried > 5000


def test_nobody_is_asked_for_what_happens_by_itself() -> None:
    """And where a person must say what is next, the hint has a command."""
    for view, wish in _combinations():
        said = hint(view, wish)
        if view.job.status in {"ready", "preview"}:
            assert bool(_COMMAND.search(said)) == (goes_on_to(view, wish) is None), (said, view, wish)
            assert ("by itself" in said) or goes_on_to(view, wish) is None


def test_every_command_of_a_hint_is_legal() -> None:
    """In every combination and status; a queued job is scanned as soon as it is claimed, for which scan waits."""
    statuses: set[str] = set()
    for view, wish in _combinations():
        for status in Status:
            there = view._replace(job=replace(view.job, status=status))
            for name, job, _seq in _COMMAND.findall(hint(there, wish)):
                assert int(job) == view.job.id
                statuses.add(status)
                if (status, name) != (Status.QUEUED, "scan"):
                    assert refusal(Wish(name), there) is None, (name, there)
    assert statuses == {"draft", "queued", "ready", "preview", "failed", "canceled"}


def test_who_looks_at_the_document_is_told_what_is_not_in_it() -> None:
    """At preview, on the way and after; and where sheets may be in it twice, that they may."""
    for status in ("preview", "committing", "committed"):
        left = replace(_view("preview", "merged", "over and one", None, 4).job, status=status)
        view = _view("preview", "merged", "over and one", None, 4)._replace(job=left)
        assert hint(view, Asked()).startswith("batch 1: 4 safe pages are not in it")
        assert "not in it" not in hint(view._replace(batches=view.batches[1:]), Asked())
    twice = _view("preview", "merged", "kept and one", None, 8)
    assert hint(twice, Asked(finish=Finish.COMMIT)).startswith(
        "look whether each sheet is in it once: batch 1"
    )
    assert hint(twice, Asked(finish=Finish.COMMIT, keeps=True)) == "goes into the Inbox by itself"


def test_a_batch_that_waits_for_an_answer_has_three() -> None:
    """Kept: the rest, that was all, start over. Half a stack is fed again."""
    kept = _view("ready", "scanned", "kept", None, None)
    assert hint(kept, Asked(finish=Finish.COMMIT)) == (
        "batch 1 ended in a fault: feed the rest: scand scan 7 · that was all: scand restore 7 1 · "
        "start over: scand discard 7 1, then scand scan 7"
    )
    again = kept._replace(batches=[replace(kept.batches[0], error="batch 1: feed again from sheet 3")])
    assert hint(again, Asked()).startswith("batch 1: feed again from sheet 3 · batch 1 ended in a fault: ")
    half = _view("ready", "scanned", "torn", None, None)
    assert "feed the whole stack again: scand scan 7" in hint(half, Asked(halves=True))
    assert "its pages belong in: scand restore 7 1" in hint(half, Asked())


@pytest.mark.parametrize(
    ("scan", "holder", "said"),
    [
        (Trigger.AUTO, None, "put the paper in: it starts by itself as soon as the scanner is free"),
        (Trigger.MANUAL, None, "put the paper in, then: scand scan 7"),
        (Trigger.AUTO, 3, "waits: the scanner is job 3's (scand show 3), then it starts by itself"),
        (Trigger.MANUAL, 3, "waits: the scanner is job 3's (scand show 3)"),
    ],
)
def test_a_queued_job_is_told_when_it_starts(scan: Trigger, holder: int | None, said: str) -> None:
    """`scan: "auto"` starts once, at the claim."""
    view = _view("queued", "new", "none", None, None)
    assert hint(view, Asked(scan), holder) == said


def test_a_job_that_waits_since_paper_was_left_is_scanned_by_hand() -> None:
    """It does not start by itself any more, whatever holds the scanner now."""
    view = _view("queued", "new", "none", "paper_left", None)
    assert hint(view, Asked(Trigger.AUTO), 3) == "when the feeder holds its paper and no other: scand scan 7"


def test_a_start_by_itself_happens_once() -> None:
    """After an empty feeder the job waits for a person, whatever `scan` says."""
    view = _view("ready", "scanned", "none", "feeder_empty", None)
    assert "then: scand scan 7" in hint(view, Asked(Trigger.AUTO))


def test_where_the_agent_stays_quiet_a_person_is_asked() -> None:
    """Where a site's web commits, or a profile says otherwise, nothing comes of what was expected."""
    view = _view("preview", "merged", "one", None, 4)
    wish = Asked(finish=Finish.COMMIT)
    assert hint(view, wish) == "goes into the Inbox by itself"
    quiet = view._replace(job=replace(view.job, seen_at=later(QUIET + 1)))
    assert "scand commit 7" in hint(quiet, wish)


def _row(settings: object) -> JobRow:
    return replace(JOB, settings=settings)


def test_a_profile_says_what_the_job_does_not() -> None:
    """Where it is known; else, or where the settings are bad, the job's own words count."""
    profiles = {"quick": {"scan": "auto", "finish": "commit"}}
    assert asked(_row({"profile": "quick"}), profiles) == Asked(Trigger.AUTO, Finish.COMMIT)
    assert asked(_row({"profile": "quick", "finish": "hold"}), profiles) == Asked(Trigger.AUTO, Finish.HOLD)
    assert asked(_row({"profile": "quick", "scan": "auto"}), {}) == Asked(Trigger.AUTO)
    assert asked(_row({"sides": "manual-duplex", "x": 1}), {}) == Asked(halves=True)
    assert asked(_row({"scan": "later"}), {}) == Asked()
    assert asked(_row({"on_jam": "keep"}), {}).keeps
    assert asked(_row({"profile": "quick", "on_jam": "keep", "scan": None}), {}).keeps
    assert not asked(_row({"finish": "commit"}), {}).keeps
    assert asked(_row({}), {"default": {"on_jam": "keep"}}).keeps
    assert asked(_row(["no", "object"]), {}) == Asked()


def test_a_parked_job_has_the_hint_of_where_it_goes_on() -> None:
    """A preview is answered, a delivery goes on by itself, and what is to be taken back says what comes first."""
    view = _view("queued", "parked", "one", None, 4)

    def parked(resumes_in: str, withdraw: str | None = None) -> str:
        there = view._replace(job=replace(view.job, resumes_in=resumes_in, withdraw=withdraw))
        return hint(there, Asked(finish=Finish.COMMIT))

    assert parked("preview") == "as it should be: scand commit 7 · not yet: scand reopen 7"
    assert parked("assembling") == "goes on by itself once the NAS is well"
    assert parked("committing") == "goes on by itself once the NAS is well"
    assert parked("committing", "preview").startswith("the agent looks into the Inbox first")
    assert parked("committing", "failed").startswith("it is given up")
