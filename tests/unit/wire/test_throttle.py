"""How often a child says that it is alive."""

from __future__ import annotations

import time

from scand.wire.throttle import ALIVE_EVERY, Throttle


def test_it_is_due_at_once_and_then_once_in_every_interval() -> None:
    """The first call lets one report through, a second call at once lets none, and a later call the next."""
    throttle = Throttle()
    assert throttle.due()
    assert not throttle.due()
    time.sleep(ALIVE_EVERY)
    assert throttle.due()
    assert not throttle.due()
