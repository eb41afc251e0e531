"""How long, and how often: the times and tries of deciding, in one place."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scand import wire

DEVICE_TRIES = 5
"""Tries of a device that is busy, gone or denied, before a person is asked: 15 s in all, with `backoff`."""

COURIER_TRIES = 5
"""Tries of a merge or copy that fails its proof, or whose courier dies, before the job fails."""

COURIER_SILENCE = 60.0
"""Seconds without a word after which a courier is taken for hung; it speaks at every chunk of a copy."""

ANSWER_TIME = 5.0
"""Seconds that a feeder has to stop within a page when it is canceled."""

RESTING_TIME = 15.0
"""Seconds that a driver has to come to rest after a batch (some eject a sheet), before a new child is better."""

DYING_TIME = 5.0
"""Seconds that a killed child has to end (then it is stuck in the kernel, and left behind), and a courier that has
reported to let go of the NAS."""

SCAN_ASKED_FOR = 30.0
"""Seconds for which "scan now" is remembered while it cannot be acted on (the database is away)."""

ASK_EVERY, ASK_AGAIN = 600.0, 60.0
"""Seconds between two questions of an idle agent for scanner and NAS: while all is well, and while not."""

PROGRESS_EVERY = 1.0
"""Seconds between two writes of progress."""

SWEEP_EVERY = 600.0
"""Seconds between two looks of an idle agent for files that are past their time; or `staging.keep`, if shorter."""

UNSTAGE_EVERY = 60.0
"""Seconds between two tries to remove a staged file that nobody wants."""


def backoff(attempts: int) -> float:
    """Seconds to wait after the given number of tries: 1, 2, 4 … 300."""
    return float(min(300, 2 ** min(attempts, 10)))


def every(trouble: wire.Failed | None) -> float:
    """Seconds between two questions, as things stand."""
    return ASK_AGAIN if trouble else ASK_EVERY
