"""Which job is next where the scanner's feeder may still hold the paper of a stack that was stopped.

That paper belongs to nobody but the person who stands there. So a job that would scan by itself waits in the queue
until the feeder says that it is empty, or until somebody scans by hand: a client, or the signal. Others are
claimed past it.
Source: docs/design.md "Paper that is left".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from scand.decide.actions import Claim, Hold, LetWait
from scand.decide.sentences import paper_left
from scand.errors import ScandError
from scand.jobs.lifecycle import Status

if TYPE_CHECKING:
    from scand.decide.decision import Decision
    from scand.jobs.settings import Settings


def next_job(decision: Decision) -> Claim | Hold | LetWait | None:
    """What to do with the queue; None: nothing."""
    seen = decision.state.snapshot
    if seen.paper is None and seen.held:
        return LetWait()
    if seen.paper is None or decision.state.scan_asked is not None:
        return Claim() if seen.queued else None
    if seen.waiting is None:
        return None
    job_id = seen.waiting.job_id
    if not isinstance(seen.waiting.settings, ScandError) and takes_what_is_there(seen.waiting.settings):
        return Hold(job_id, Status.QUEUED, paper_left(seen.paper, job_id))
    return Claim(job_id)


def takes_what_is_there(settings: Settings) -> bool:
    """Whether a job scans from the feeder as soon as it is claimed."""
    return settings.scan == "auto" and settings.source != "flatbed"
