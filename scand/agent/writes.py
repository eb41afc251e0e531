"""The actions that are one statement each."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from scand.decide import actions
from scand.jobs.lifecycle import Actor
from scand.queue import leftovers, pages, waiting

if TYPE_CHECKING:
    from scand.decide.actions import PlainWrite
    from scand.queue.results import AgentQueue


def write(action: PlainWrite, queue: AgentQueue) -> bool:
    """Write a row; False: it had changed since the action was decided on.

    Raises:
        psycopg.Error: the database did not do it, or did not answer.
    """
    match action:
        case actions.Hold(job_id, status, error):
            return waiting.hold(queue, job_id, status, error)
        case actions.LetWait():
            return waiting.let_wait(queue)
        case actions.Park():
            return waiting.park(queue, action)
        case actions.GiveUp():
            return waiting.give_up(queue, action)
        case actions.Advance(actor=Actor.CLIENT):
            return queue.scan_now(action.job_id)
        case actions.Advance():
            return queue.advance(action)
        case actions.Rebound():
            return pages.rebound(queue, action)
        case actions.Postpone():
            return queue.postpone(action)
        case actions.ExpectStaged(job_id, staged):
            return queue.expect_staged(job_id, staged)
        case actions.ForgetStaged(job_id):
            return queue.forget_staged(job_id)
        case actions.ReadBack():
            return leftovers.read_back(queue, action)
        case _:
            assert_never(action)
