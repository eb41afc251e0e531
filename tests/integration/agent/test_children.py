"""The daemon's children as real processes, and the courier that waits for its next task."""

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
from scand.decide.occurrences import CourierEnded, CourierSaid, FeederEnded
from scand.wire.child import COURIER, FEEDER, Child, clean_environment
from tests.support.site import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scand.decide.occurrences import Occurrence


@pytest.fixture
def children(tmp_path: Path) -> Iterator[Children]:
    """The children of a daemon; they end with the test."""
    lock = os.open(tmp_path, os.O_RDONLY)
    with selectors.DefaultSelector() as selector:
        children = Children(selector, Reporter(Journal(), ""), lock, waiting=0.5)
        yield children
        children.dismiss()
    os.close(lock)


def couriers() -> set[int]:
    """The process ids of this test's couriers."""
    mine, found = str(os.getpid()), set()
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # a process that has just ended
            parent = (process / "stat").read_text().rpartition(")")[2].split()[1]
            if parent == mine and b"scand.courier" in (process / "cmdline").read_bytes():
                found.add(int(process.name))
    return found


def heard_until_the_end(children: Children) -> list[Occurrence]:
    """The occurrences of the courier's task, until it has ended."""
    heard: list[Occurrence] = []

    def ended() -> bool:
        heard.extend(children.hear(COURIER))
        return any(isinstance(one, CourierEnded) for one in heard)

    until(ended, "the task has ended")
    return heard


def run_task(children: Children, jobs: Path) -> None:
    """Have the courier do a task to its end."""
    children.tell(COURIER, wire.Sweep(jobs=str(jobs)))
    assert CourierSaid(wire.Swept()) in heard_until_the_end(children)


def test_a_waiting_courier_takes_every_task(children: Children, tmp_path: Path) -> None:
    """While there is a feeder, no task waits for a process to start: the same courier does them all."""
    children.start(FEEDER)
    children.prepare()
    waiting = couriers()
    for _ in range(3):
        children.start(COURIER)
        run_task(children, tmp_path)
        children.prepare()
        assert couriers() == waiting
    assert len(waiting) == 1


def test_a_courier_that_is_killed_at_its_task_is_replaced(children: Children) -> None:
    """After a courier was killed another is started at once, so that the next task need not wait for it."""
    children.start(FEEDER)
    children.prepare()
    (waiting,) = couriers()
    children.start(COURIER)
    children.kill(COURIER)
    until(lambda: CourierEnded("signal 9") in [*children.hear(COURIER)], "its end is told")
    (other,) = couriers()
    assert other != waiting


def test_a_courier_that_is_killed_after_its_report_takes_no_task(children: Children, tmp_path: Path) -> None:
    """It has reported that it can take another task, but it is dying, so it is not kept."""
    for _ in range(5):  # the kernel may be faster than this process
        children.start(COURIER)
        children.tell(COURIER, wire.Sweep(jobs=str(tmp_path)))
        time.sleep(0.5)
        children.kill(COURIER)
        assert CourierEnded("signal 9") in heard_until_the_end(children)


def test_a_go_that_comes_too_late_is_no_task(children: Children, tmp_path: Path) -> None:
    """`Go` may be sent twice; a waiting courier ignores it, and the next job's task is not disturbed."""
    children.prepare()
    children.start(COURIER)
    run_task(children, tmp_path)
    children.start(COURIER)
    children.tell(COURIER, wire.Go(inbox_path="Inbox/A.pdf"))
    run_task(children, tmp_path)
    assert [*children.hear(COURIER)] == []


def test_a_courier_waits_while_there_is_a_feeder_and_a_little_longer(
    children: Children, tmp_path: Path
) -> None:
    """When scanning is finished the feeder goes, but the merge must not wait; an idle daemon keeps no courier."""
    children.start(FEEDER)
    children.prepare()
    waiting = couriers()
    time.sleep(0.6)
    children.reap()
    assert couriers() == waiting
    children.start(COURIER)
    children.retire(FEEDER)
    run_task(children, tmp_path)
    children.reap()
    assert couriers() == waiting

    def gone() -> bool:
        children.reap()
        return not couriers()

    until(gone, "no courier waits any more")


def test_a_waiting_courier_that_died_is_replaced(children: Children, tmp_path: Path) -> None:
    """Whatever killed it, the task is done."""
    children.prepare()
    (waiting,) = couriers()
    os.kill(waiting, 9)
    os.waitid(os.P_PID, waiting, os.WEXITED | os.WNOWAIT)
    children.start(COURIER)
    run_task(children, tmp_path)


@pytest.mark.parametrize("module", [COURIER, FEEDER])
def test_a_child_that_waits_leaves_quietly_with_its_parent(module: str) -> None:
    """A report that nobody has read is no error, and causes no traceback."""
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


@pytest.mark.parametrize(("role", "ended"), [(FEEDER, FeederEnded), (COURIER, CourierEnded)])
def test_a_child_that_was_never_started_can_be_abandoned(
    children: Children, role: str, ended: type[Occurrence]
) -> None:
    """Killing it does nothing; abandoning it is its end, so that a daemon which believed in it can leave."""
    children.kill(role)
    (occurrence,) = children.abandon(role)
    assert isinstance(occurrence, ended)
