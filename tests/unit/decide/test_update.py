"""What became of the daemon's own writes makes its snapshot outdated, and changes nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from scand.decide.actions import ForgetStaged
from scand.decide.occurrences import Claimed, ManualJobMade, NotWritten, Written
from scand.decide.update import update
from scand.jobs.lifecycle import Status
from tests.unit.decide.builders import NOW, state

if TYPE_CHECKING:
    from scand.decide.occurrences import Occurrence


@pytest.mark.parametrize(
    "outcome",
    [
        Written(ForgetStaged(42)),
        NotWritten(ForgetStaged(42)),
        Claimed(42, "T", Status.READY),
        ManualJobMade(42, "T"),
    ],
)
def test_after_a_write_the_rows_are_read_again(outcome: Occurrence) -> None:
    """Whether it was done or not: the daemon believes only what it reads."""
    before = state()
    assert update(before, outcome, NOW) == (replace(before, fresh=False), [])
