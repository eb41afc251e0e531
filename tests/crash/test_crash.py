"""A blow of every sort, out of the hundreds that `make crashtest` deals."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from tests.crash.blows import Cut, Moment, Statement, Strike
from tests.crash.enumeration import every_blow, spread
from tests.crash.scene import installation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.crash.blows import Blow
    from tests.crash.scene import Scene
    from tests.crash.steps import Step

SORTS = 9
"""Of blows, as `Strike.sort` and `Cut.sort` tell them apart."""


TRIES = 3
"""For a blow that does not come about: on a busy machine an idle daemon's errand may come in between."""


@dataclass(frozen=True)
class Recorded:
    """An installation, and what a clean run in it did."""

    scene: Scene
    steps: list[Step]
    blows: list[Blow]


@pytest.fixture(scope="module")
def recorded(server_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorded]:
    """One clean run, taken down call by call."""
    with installation(server_url, tmp_path_factory.mktemp("crash") / "scene") as scene:
        steps, statements = scene.record()
        yield Recorded(scene, steps, every_blow(steps, statements))


def test_every_step_of_the_road_is_known(recorded: Recorded) -> None:
    """From the first page's file to the one rename into the Inbox, and far more than a hundred blows."""
    known = {(step.role, step.kind, step.place.replace("{root}/", "")) for step in recorded.steps}
    job = "staging/jobs/{job}"
    assert {
        ("daemon", "rename", "staging/jobs/.{job}.new"),
        ("feeder", "fsync", "staging/jobs"),
        ("feeder", "write", f"{job}/batch-0001/.page-0001.jpg.part"),
        ("feeder", "fsync", f"{job}/batch-0002/pages.jsonl"),
        ("feeder", "rename", f"{job}/batch-0002/.end.json.part"),
        ("courier", "rename", f"{job}/batch-0002/.batch.pdf.part"),
        ("courier", "fsync", f"{job}/.merged.pdf.part"),
        ("courier", "mkdir", "nas/Inbox/.directory.part"),
        ("courier", "rename", "nas/.scan-staging/job-{job}/merged.pdf"),
    } <= known
    assert Cut(Statement("commit", 1), Moment.AFTER, kills=True) in recorded.blows
    assert len(recorded.blows) > 300
    assert len({blow.sort for blow in recorded.blows}) == SORTS


@pytest.mark.parametrize("number", range(SORTS))
def test_no_blow_loses_or_doubles_a_page(recorded: Recorded, number: int) -> None:
    """Killed or failed just there, everything arrives once, and every invariant holds on the way."""
    blow = spread(recorded.blows, SORTS)[number]
    for _ in range(TRIES):
        result = recorded.scene.deal(blow)
        assert result.violations == (), f"{result}\n{recorded.scene.last_log()}"
        if result.struck:
            return
    pytest.skip(f"{blow}: not hit")


def test_a_blow_that_misses_is_not_taken_for_one_that_was_borne(recorded: Recorded) -> None:
    """A call that never comes is not hit, and the job goes through as if nothing were to happen."""
    (first, *_) = [step for step in recorded.steps if step.role == "courier"]
    result = recorded.scene.deal(Strike(replace(first, when=99)))
    assert (result.struck, result.violations) == (False, ())
