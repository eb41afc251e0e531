"""The sections, in the order in which they run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.bench import idle, limits, long_job, pickup, pictures, queue, stack, startup, tail

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.bench.bench import Bench
    from tests.bench.line import Line

SECTIONS: Mapping[str, tuple[str, Callable[[Bench], Iterator[Line]]]] = {
    "limits": ("This machine", limits.measure),
    "stack": ("Pages to batch PDF", stack.measure),
    "pictures": ("What pictures cost", pictures.measure),
    "tail": ("When the paper is through", tail.measure),
    "long": ("A long job", long_job.measure),
    "pickup": ("Pickup", pickup.measure),
    "idle": ("Idle", idle.measure),
    "queue": ("1,000,000 finished jobs, 3,000,000 batches", queue.measure),
    "startup": ("Start", startup.measure),
}
"""The title and function of each section, by the name that `--only` takes."""
