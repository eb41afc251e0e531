"""The table of a job's steps."""

from __future__ import annotations

from scand.jobs.lifecycle import CLIENT_COMMITS, STEPS, Actor, Status, is_step, legal


def test_a_committed_job_never_changes() -> None:
    """Nothing follows committed."""
    assert legal(Status.COMMITTED) == []


def test_a_new_job_starts_as_draft_or_queued() -> None:
    """A client makes a job as draft or queued, the agent makes none."""
    assert legal(None, Actor.CLIENT) == [Status.DRAFT, Status.QUEUED]
    assert legal(None, Actor.AGENT) == []


def test_what_a_client_may_do_with_a_ready_job() -> None:
    """A refused command names these three, in this order."""
    assert legal(Status.READY, Actor.CLIENT) == [Status.SCANNING, Status.ASSEMBLING, Status.CANCELED]


def test_only_the_agent_says_committed() -> None:
    """A client may take that step only where a site has added the row."""
    assert is_step(Status.COMMITTING, Status.COMMITTED, Actor.AGENT)
    assert not is_step(Status.COMMITTING, Status.COMMITTED, Actor.CLIENT)
    assert CLIENT_COMMITS not in STEPS


def test_every_status_can_be_reached_and_all_but_committed_can_be_left() -> None:
    """No status is a dead end but committed, and none is unreachable."""
    assert {step.to_status for step in STEPS} == set(Status)
    assert {step.from_status for step in STEPS} == {None, *Status} - {Status.COMMITTED}
