"""`[hooks] on_event` as real processes: what they are given, how their end is told, what is left of them."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from scand.agent.log import hooks
from scand.agent.log.events import Event
from scand.agent.log.hooks import Hooks
from scand.agent.log.journal import Journal
from scand.agent.log.reporter import Reporter
from scand.jobs.lifecycle import Status
from scand.jobs.rows import BatchRow, BatchStatus, Job

if TYPE_CHECKING:
    from collections.abc import Callable

    Program = Callable[[str], str]


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """A program for the hook, and the command that runs it."""

    def make(script: str) -> str:
        path = tmp_path / "hook"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return str(path)

    return make


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two seconds are as good as ten."""
    monkeypatch.setattr(hooks, "LONGEST_RUN", 2.0)


def told(hook: Hooks, patience: float = 6.0) -> list[str]:
    """What goes wrong until no run is left."""
    said: list[str] = []
    end = time.monotonic() + patience
    while hook.running():
        assert time.monotonic() < end
        said += hook.reap()
        time.sleep(0.02)
    return said


def alive(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def test_it_is_given_one_object(program: Program, tmp_path: Path) -> None:
    """JSON on one line, in UTF-8, whatever the title holds; all is well, and nothing is said."""
    hook = Hooks(program(f"cat >{tmp_path}/heard"))
    event = {"event": "committed", "title": "Büro “2026”\n", "pages": 12}
    assert hook.tell(event) is None
    assert told(hook) == []
    heard = (tmp_path / "heard").read_text()
    assert json.loads(heard) == event
    assert heard.count("\n") == 1


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("exit 3", "exit status 3"),
        ("kill -TERM $$", "ended by SIGTERM"),
        ("kill -SEGV $$", "ended by SIGSEGV"),
        ("kill -40 $$", "ended by signal 40"),
    ],
)
def test_how_it_ended_is_told(program: Program, script: str, said: str) -> None:
    """Its exit status, or the signal that killed it; once."""
    hook = Hooks(program(script))
    hook.tell({})
    assert told(hook) == [said]


def test_what_takes_too_long_is_killed_with_all_that_it_started(program: Program, tmp_path: Path) -> None:
    """FIELD H11: not the shell only, but its children and theirs."""
    hook = Hooks(
        program(
            f"sleep 600 & (sleep 600 & echo $! >{tmp_path}/inner; wait) & echo $! >{tmp_path}/outer; wait"
        )
    )
    hook.tell({})
    assert told(hook) == ["it took longer than 2 s and was killed"]
    pids = [int((tmp_path / name).read_text()) for name in ("inner", "outer")]
    time.sleep(0.1)
    assert [alive(pid) for pid in pids] == [False, False]


def test_what_it_leaves_in_the_background_has_as_long(program: Program, tmp_path: Path) -> None:
    """The program is well when it has ended well; what it left is killed when its time is over."""
    hook = Hooks(program(f"sleep 600 & echo $! >{tmp_path}/left"))
    hook.tell({})
    time.sleep(0.5)
    assert list(hook.reap()) == []
    pid = int((tmp_path / "left").read_text())
    assert alive(pid)
    assert told(hook) == []
    time.sleep(0.1)
    assert not alive(pid)


def test_runs_that_have_ended_are_in_nobodys_way(program: Program) -> None:
    """Eight at the same time; what has ended counts no more, though its group is still watched."""
    hook = Hooks(program("sleep 0.2"))
    assert [hook.tell({}) for _ in range(9)] == [None] * 8 + ["8 runs of it have not ended yet"]
    time.sleep(0.6)
    assert list(hook.reap()) == []
    assert hook.tell({}) is None
    assert told(hook) == []


def test_what_cannot_be_started_is_told() -> None:
    """No such program; and a file that is none."""
    assert "No such file" in str(Hooks("/no/such/program").tell({}))
    assert "Permission denied" in str(Hooks(f"{Path(__file__)} x").tell({}))
    assert Hooks("").tell({}) is None
    hook = Hooks(f"{sys.executable} -c 'pass'")
    assert hook.tell({}) is None
    assert told(hook) == []


def test_it_is_told_what_is_not_in_the_document(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a job with a discarded batch that ended in a fault, with every event about it."""
    monkeypatch.setattr(hooks, "LONGEST_RUN", 0.0)
    out = BatchRow(1, "/b.pdf", 8, BatchStatus.DISCARDED, error_code="feeder_jammed")
    job = Job(42, "T", {}, Status.COMMITTING, datetime.now(UTC), page_count=4)
    reporter = Reporter(Journal(), program(f"cat >> {tmp_path}/given"))
    given: list[str] = []
    for batches in ((), (out,)):
        reporter.looked(replace(job, batches=batches))
        reporter.say(Event.COMMITTED, job=42, path="Inbox/T.pdf", sha256="0" * 64)
        end = time.monotonic() + 20
        while len(given) <= len(batches):
            assert time.monotonic() < end
            time.sleep(0.02)
            found = tmp_path / "given"
            given = found.read_text().splitlines() if found.exists() else []
    reporter.turn("", stopping=False)  # the runs are over, and are reaped
    without, with_ = map(json.loads, given)
    assert "left_out" not in without
    assert (with_["pages"], with_["left_out"]) == (4, "batch 1: 8 safe pages are not in it")
