"""Whose turn it is at the scanner: jobs to be scanned, and parked jobs that are to be delivered.

Where both wait they take turns. A parked job is delivered only while the NAS is known to be well, and not while
somebody at the scanner has asked for it.

The feeder may still hold the paper of a stack that was stopped. That paper belongs to nobody but the person who
stands there. So a job that would scan by itself waits in the queue until the feeder says that it is empty, or
until somebody scans by hand: a client, or the signal. Others are claimed past it.
Source: docs/design.md "Parking", "Paper that is left".
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from scand.decide.actions import Claim, Hold, LetWait
from scand.decide.sentences import paper_left
from scand.errors import ScandError
from scand.jobs.lifecycle import Status

if TYPE_CHECKING:
    from scand.decide.decision import Decision
    from scand.decide.state import State
    from scand.jobs.settings import Settings


def next_job(decision: Decision) -> Claim | Hold | LetWait | None:
    """What to do with the queue; None: nothing."""
    state = decision.state
    if state.snapshot.paper is None and state.snapshot.held:
        return LetWait()
    scan = _next_to_scan(state)
    if isinstance(scan, Hold):
        return scan
    deliverable = state.snapshot.delivery is not None and state.nas_well and state.scan_asked is None
    if deliverable and (scan is None or not state.delivered):
        scan = Claim(delivery=True)
    if scan is not None:
        decision.state = replace(state, delivered=scan.delivery)
    return scan


def scanner_is_wanted(state: State) -> bool:
    """Whether somebody wants the scanner, and could have it if no job were active."""
    return state.scan_asked is not None or isinstance(_next_to_scan(state), Claim)


def takes_what_is_there(settings: Settings) -> bool:
    """Whether a job scans from the feeder as soon as it is claimed."""
    return settings.scan == "auto" and settings.source != "flatbed"


def _next_to_scan(state: State) -> Claim | Hold | None:
    seen = state.snapshot
    if seen.paper is None or state.scan_asked is not None:
        return Claim() if seen.queued else None
    if seen.waiting is None:
        return None
    job_id = seen.waiting.job_id
    if not isinstance(seen.waiting.settings, ScandError) and takes_what_is_there(seen.waiting.settings):
        return Hold(job_id, Status.QUEUED, paper_left(seen.paper, job_id))
    return Claim(job_id)
