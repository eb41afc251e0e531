"""The times and the numbers of tries that deciding uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scand.faults import ErrorCode, nas_is_away

if TYPE_CHECKING:
    from scand import wire

DEVICE_TRIES = 5
"""Tries of a device that is busy, gone or denied, before a person is asked: 15 s in all, with `backoff`."""

COURIER_TRIES = 5
"""Tries of a task whose result fails verification, or whose courier dies, before the job fails."""

READ_BACK_TRIES = 9
"""Tries to find a document that a client has committed, before a person is told: 4 minutes in all, with `backoff`.
A file that another host has made may take one of them to show on an NFS or SMB mount."""

COURIER_SILENCE = 60.0
"""Seconds of silence after which a courier is taken for hung; it reports at every chunk of a copy."""

STALLED = 5.0
"""Seconds of silence after which a courier on the NAS only waits, where somebody else wants the scanner."""

ANSWER_TIME = 5.0
"""Seconds that a feeder has to end the batch after it was told to cancel."""

RESTING_TIME = 15.0
"""Seconds that a driver has to come to rest after a batch (some eject a sheet) before its feeder is killed."""

DYING_TIME = 5.0
"""Seconds that a killed child has to end; after that it is stuck in the kernel, and left behind. Also the seconds
that a courier which has reported has to end its work on the NAS."""

FEEDER_RESTART = 5.0
"""Seconds before a feeder that has ended by itself is started again ahead of need."""

SCAN_ASKED_FOR = 30.0
"""Seconds for which the signal "scan now" is remembered while it cannot be acted on (the database is away)."""

CHECK_EVERY = 600.0
"""Seconds between two checks of an idle agent whether scanner and NAS are there, while they are."""

CHECK_AWAY_EVERY = 60.0
"""Seconds between two checks of one that is not there."""

CHECK_PARKED_EVERY = 5.0
"""Seconds between two such checks while parked jobs wait for the NAS."""

PROGRESS_EVERY = 1.0
"""Seconds between two writes of progress."""

PAGES_EVERY = 1.0
"""Seconds between two writes of pages while a batch runs."""

PAGES_AT_ONCE = 40
"""Pages that are written at once, with pictures of about 25 kB: within a second also to a database far away."""

SWEEP_EVERY = 600.0
"""Seconds between two searches of an idle agent for expired files; or `staging.keep`, if that is shorter."""

SWEEP_PAUSE = 1.0
"""The shortest such interval, in seconds: with `staging.keep` = "0s", too, the courier has time for the NAS."""

UNSTAGE_EVERY = 60.0
"""Seconds between two tries to remove a stale staged file."""


LONGEST_BACKOFF = 300.0
"""The longest pause between two tries, in seconds. A next try that is further away was set by a wrong clock,
and is due."""


LONGEST_NAS_PAUSE = 20.0
"""The longest pause, in seconds, before a NAS that was away is asked again: it is one look, and costs no work."""


def backoff(attempts: int, code: ErrorCode | None = None) -> float:
    """Seconds to wait after the given number of failed tries: 1, 2, 4 … LONGEST_BACKOFF.

    Args:
        attempts: failed tries for the same reason.
        code: the reason. With a full NAS each try may copy a document in vain.
    """
    quick = nas_is_away(code) and code is not ErrorCode.NAS_FULL
    return float(min(LONGEST_NAS_PAUSE if quick else LONGEST_BACKOFF, 2 ** min(attempts, 10)))


def check_interval(trouble: wire.Failed | None) -> float:
    """Seconds between two checks of the scanner or the NAS, given what is known to be wrong with it."""
    return CHECK_AWAY_EVERY if trouble else CHECK_EVERY
