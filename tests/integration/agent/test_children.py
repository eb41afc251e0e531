"""The daemon's children as real processes: a courier that waits for its task before there is one."""

from __future__ import annotations

import os
import select
import selectors
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from scand import wire
from scand.agent.children import Children
from scand.agent.log.journal import Journal
from scand.agent.log.reporter import Reporter
from scand.decide.occurrences import CourierEnded, CourierSaid
from scand.wire.child import COURIER, FEEDER, Child, clean_environment
from tests.support.site import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scand.decide.occurrences import Occurrence


@pytest.fixture
def crew(tmp_path: Path) -> Iterator[Children]:
    """A crew of a daemon's; its children end with the test."""
    lock = os.open(tmp_path, os.O_RDONLY)
    with selectors.DefaultSelector() as selector:
        crew = Children(selector, Reporter(Journal(), ""), lock, waiting=0.5)
        yield crew
        crew.dismiss()
    os.close(lock)


def couriers() -> set[int]:
    """The courier processes of this test."""
    mine, found = str(os.getpid()), set()
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # somebody's that has just ended
            parent = (process / "stat").read_text().rpartition(")")[2].split()[1]
            if parent == mine and b"scand.courier" in (process / "cmdline").read_bytes():
                found.add(int(process.name))
    return found


def heard_until_the_end(crew: Children) -> list[Occurrence]:
    """All that the courier's errand brings."""
    heard: list[Occurrence] = []

    def ended() -> bool:
        heard.extend(crew.hear(COURIER))
        return any(isinstance(one, CourierEnded) for one in heard)

    until(ended, "the errand has ended")
    return heard


def errand(crew: Children, jobs: Path) -> None:
    """Run one to its end, by whichever courier is there."""
    crew.tell(COURIER, wire.Sweep(jobs=str(jobs)))
    assert CourierSaid(wire.Swept()) in heard_until_the_end(crew)


def test_a_prepared_courier_takes_every_errand(crew: Children, tmp_path: Path) -> None:
    """While there is a feeder, no errand waits for a process to start: the one that came back goes again."""
    crew.start(FEEDER)
    crew.prepare()
    waiting = couriers()
    for _ in range(3):
        crew.start(COURIER)
        errand(crew, tmp_path)
        crew.prepare()
        assert couriers() == waiting
    assert len(waiting) == 1


def test_a_courier_that_is_killed_at_its_errand_is_replaced(crew: Children) -> None:
    """The next errand does not wait for a process to start either."""
    crew.start(FEEDER)
    crew.prepare()
    (waiting,) = couriers()
    crew.start(COURIER)
    crew.kill(COURIER)
    until(lambda: CourierEnded("signal 9") in [*crew.hear(COURIER)], "its end is told")
    (other,) = couriers()
    assert other != waiting


def test_a_courier_that_is_killed_on_its_way_back_takes_no_errand(crew: Children, tmp_path: Path) -> None:
    """It has said that there is room for another, and is dying: it is not kept."""
    for _ in range(5):  # the kernel may be quicker than the crew
        crew.start(COURIER)
        crew.tell(COURIER, wire.Sweep(jobs=str(tmp_path)))
        time.sleep(0.5)
        crew.kill(COURIER)
        assert CourierEnded("signal 9") in heard_until_the_end(crew)


def test_a_word_that_comes_too_late_is_no_errand(crew: Children, tmp_path: Path) -> None:
    """The word to publish may be said twice; heard by a courier that waits, it ends no errand of the next job."""
    crew.prepare()
    crew.start(COURIER)
    errand(crew, tmp_path)
    crew.start(COURIER)
    crew.tell(COURIER, wire.Go(inbox_path="Inbox/A.pdf"))
    errand(crew, tmp_path)
    assert [*crew.hear(COURIER)] == []


def test_a_courier_waits_while_there_is_a_feeder_and_a_little_longer(crew: Children, tmp_path: Path) -> None:
    """At `finish` the feeder goes, and the merge must not wait for a process; but an idle daemon keeps none."""
    crew.start(FEEDER)
    crew.prepare()
    waiting = couriers()
    time.sleep(0.6)
    crew.reap()
    assert couriers() == waiting
    crew.start(COURIER)
    crew.retire(FEEDER)
    errand(crew, tmp_path)
    crew.reap()
    assert couriers() == waiting

    def gone() -> bool:
        crew.reap()
        return not couriers()

    until(gone, "no courier waits any more")


def test_a_waiting_courier_that_died_is_replaced(crew: Children, tmp_path: Path) -> None:
    """Whatever killed it, the errand is run."""
    crew.prepare()
    (waiting,) = couriers()
    os.kill(waiting, 9)
    os.waitid(os.P_PID, waiting, os.WEXITED | os.WNOWAIT)
    crew.start(COURIER)
    errand(crew, tmp_path)


@pytest.mark.parametrize("module", [COURIER, FEEDER])
def test_a_child_that_waits_leaves_quietly_with_its_parent(module: str) -> None:
    """Also when it had said something that nobody read: that is no error of its own, and no traceback."""
    child = Child(module, clean_environment())
    try:
        assert select.select([child.socket], [], [], 30)[0], "it says something"
        time.sleep(0.2)
        child.hang_up()
        child.reap(30)
        assert child.ended() == os.EX_OK
        assert child.printed(last=True) == []
    finally:
        child.kill()
        child.close()
