"""What `scand trigger` says where the job that holds the scanner gives way, or is done in a moment."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from scand.cli import trigger
from scand.cli.outcome import Came, of_silence, parked
from scand.queue.intents import ClientQueue, StepRow
from tests.shell import beat, step

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from scand.cli.outcome import Outcome
    from tests.shell import Connection


@pytest.fixture
def queue(migrated_url: str) -> Iterator[ClientQueue]:
    """A client's session."""
    with ClientQueue.open(migrated_url) as opened:
        yield opened


def holder(queue: ClientQueue, agent: Connection, *way: str) -> int:
    """A job that holds the scanner, brought along a way."""
    beat(agent)
    job = queue.submit("a", {})
    for status in ("ready", *way):
        step(agent, job, status)
    return job


def came(queue: ClientQueue, happens: Callable[[], object], after: float) -> Outcome:
    """What came of a signal after which something happens."""
    before = queue.mark()
    timer = threading.Timer(after, happens)
    timer.start()
    try:
        return trigger._what_came(queue, before, {}, by_path=False)
    finally:
        timer.join()


def scan(agent: Connection) -> None:
    """What the agent does with a signal that it remembers: a job of its own, and a page."""
    row = agent.execute(
        "INSERT INTO scan_jobs (title, status) VALUES ('Scan', 'queued') RETURNING id"
    ).fetchone()
    assert row
    step(agent, row[0], "ready")
    step(agent, row[0], "scanning")
    agent.execute("UPDATE scan_jobs SET pages_scanned = 1 WHERE id = %s", row)


@pytest.mark.parametrize(
    "way", [("assembling",), ("assembling", "preview", "committing"), ("assembling", "preview")]
)
def test_a_job_that_is_parked_for_the_signal_is_told(
    queue: ClientQueue, agent: Connection, way: tuple[str, ...]
) -> None:
    """With the job that is scanned in its place."""
    first = holder(queue, agent, *way)

    def give_way() -> None:
        step(agent, first, "queued")
        scan(agent)

    outcome = came(queue, give_way, 0.3)
    assert outcome.came is Came.SCANS
    assert outcome.sentence == (
        f"job {first} is parked (scand show {first}); job {first + 1} 'Scan' scans, 1 page so far: "
        f"scand watch {first + 1}"
    )


def test_a_document_on_its_way_is_waited_for(
    queue: ClientQueue, agent: Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    """Longer than for a job that keeps the scanner; once it is committed, the signal is obeyed."""
    first = holder(queue, agent, "assembling", "preview", "committing")

    def arrive() -> None:
        step(agent, first, "committed", inbox_path="Inbox/a.pdf")
        threading.Event().wait(0.5)
        scan(agent)

    assert came(queue, arrive, 3.5).came is Came.SCANS
    assert f"job {first} is on its way to the NAS" in capsys.readouterr().err


def test_a_preview_that_is_looked_at_keeps_the_scanner(queue: ClientQueue, agent: Connection) -> None:
    """Told at once, with what can be done."""
    holder(queue, agent, "assembling", "preview")
    outcome = came(queue, lambda: None, 0.0)
    assert outcome.came is Came.NOTHING
    assert "agent.preview_hold" in outcome.sentence
    assert of_silence(None, queue.health(), by_path=False).came is Came.NOT_TAKEN


def test_only_what_gave_way_is_parked() -> None:
    """A retry queues a job, too."""
    assert parked([StepRow(1, "client", "failed", "queued", None)]) is None
    assert parked([StepRow(1, "agent", "preview", "queued", None)]) == 1
