"""One fault of every group, out of the hundreds that `make crashtest` injects."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from tests.crash.enumeration import every_fault, spread
from tests.crash.faults import CallFault, Moment, Statement, StatementFault
from tests.crash.installation import installation
from tests.crash.steps import nameless

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.crash.faults import Fault
    from tests.crash.installation import Installation
    from tests.crash.steps import Step

GROUPS = 9
"""How many there are of `CallFault.group` and `StatementFault.group`."""


TRIES = 3
"""How often a fault is tried until its step is hit: on a busy machine, a task of the idle daemon may interfere."""


@dataclass(frozen=True)
class Recorded:
    """An installation, the steps of a clean run in it, and all faults that follow from them."""

    installation: Installation
    steps: list[Step]
    faults: list[Fault]


@pytest.fixture(scope="module")
def recorded(server_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorded]:
    """One clean run, recorded call by call."""
    with installation(server_url, tmp_path_factory.mktemp("crash") / "site") as made:
        steps, statements = made.record()
        yield Recorded(made, steps, every_fault(steps, statements))


def test_every_step_of_a_job_is_known(recorded: Recorded) -> None:
    """Every step from a job's directory to its staged file is recorded, and hundreds of faults follow."""
    known = {(step.role, step.kind, nameless(step.place).replace("{root}/", "")) for step in recorded.steps}
    job = "staging/jobs/{job}"
    assert {
        ("daemon", "rename", "staging/jobs/.{job}.new"),
        ("feeder", "fsync", "staging/jobs"),
        ("feeder", "write", f"{job}/batch-0001/.page-0001.jpg.part"),
        ("feeder", "fsync", f"{job}/batch-0002/pages.jsonl"),
        ("feeder", "rename", f"{job}/batch-0002/.end.json.part"),
        ("courier", "rename", f"{job}/batch-0002/.batch.pdf.part"),
        ("courier", "rename", f"{job}/batch-0002/.bound.json.part"),
        ("courier", "fsync", f"{job}/.merged.pdf.part"),
        ("courier", "mkdir", "nas/Inbox/.directory.part"),
        ("courier", "rename", "nas/.scan-staging/.*/merged.pdf"),
        ("courier", "rename", f"{job}/.publishing.json.part"),
        ("courier", "fsync", f"{job}/.publishing.json.part"),
    } <= known
    assert StatementFault(Statement("commit", 1), Moment.AFTER, kills=True) in recorded.faults
    assert len(recorded.faults) > 300
    assert len({fault.group for fault in recorded.faults}) == GROUPS


@pytest.mark.parametrize("number", range(GROUPS))
def test_no_fault_loses_or_doubles_a_page(recorded: Recorded, number: int) -> None:
    """After a kill or an error at this step, every side arrives once, and every invariant holds all the time."""
    fault = spread(recorded.faults, GROUPS)[number]
    for _ in range(TRIES):
        result = recorded.installation.inject(fault)
        assert result.violations == (), f"{result}\n{recorded.installation.last_log()}"
        if result.hit:
            return
    pytest.skip(f"{fault}: not hit")


def test_a_fault_that_misses_is_reported_as_not_hit(recorded: Recorded) -> None:
    """A fault at a call that is never made is reported as not hit, and the job is committed."""
    (first, *_) = [step for step in recorded.steps if step.role == "courier"]
    result = recorded.installation.inject(CallFault(replace(first, when=99)))
    assert (result.hit, result.violations) == (False, ())
