"""No job is stuck: whatever goes wrong, somebody can get the scanner."""

from __future__ import annotations

from dataclasses import replace

import pytest

from scand import wire
from scand.decide.actions import Advance, Park, Postpone
from scand.decide.state import Task, TaskResult
from scand.decide.timeouts import COURIER_TRIES
from scand.faults import FAULTS, ErrorCode, Retry, nas_is_away
from scand.jobs.lifecycle import Actor, Status, legal
from tests.unit.decide.builders import job, pages, row, snapshot, state, wants

ACTIVE = [status for status in Status if status.active]
DELIVERING = {Status.ASSEMBLING: Task.ASSEMBLE, Status.COMMITTING: Task.PUBLISH}


def test_from_every_active_status_clients_get_away() -> None:
    """By their steps alone, whatever `error_code` says: the trigger asks for no code."""
    for status in ACTIVE:
        reached, found = {status}, {status}
        while found:
            found = {to for at in found for to in legal(at, Actor.CLIENT)} - reached
            reached |= found
        assert Status.CANCELED in reached, status


@pytest.mark.parametrize("named", [False, True], ids=["no name in the row", "a name in the row"])
@pytest.mark.parametrize("code", ErrorCode)
@pytest.mark.parametrize("status", DELIVERING)
def test_a_delivery_that_fails_gives_the_scanner_free(
    status: Status, code: ErrorCode, *, named: bool
) -> None:
    """It goes back to a person or fails, after some tries at most; or it is parked as soon as others wait.

    With a name in the row no client can take it away, so this is not left to clients.
    """
    path = "Inbox/T.pdf" if named else None
    failed = wire.Failed(code=code, sentence="why")
    for attempts in range(COURIER_TRIES):
        tried = job(status, attempts=attempts, error_code=code, batches=(row(),), inbox_path=path)
        result = TaskResult(42, 0, DELIVERING[status], failed)
        (action, *_) = wants(state(snapshot(tried), done=result, pages=pages(tried)))
        if isinstance(action, Advance):
            assert action.to_status in {Status.READY, Status.PREVIEW, Status.FAILED}
            return
        assert isinstance(action, Postpone)
    assert FAULTS[code].retry is Retry.FOR_EVER
    if not nas_is_away(code):  # the scan host's own disk: nobody can scan either
        assert code is ErrorCode.STAGING_FULL
        return
    waits = replace(tried, wait=9.0)
    others = replace(snapshot(waits), queued=True)
    (action, *_) = wants(state(others, pages=pages(waits)))
    assert isinstance(action, Park)
