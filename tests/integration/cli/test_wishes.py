"""What a person is told where a wish cannot be fulfilled: every place of a job, every wish, on a real database."""

from __future__ import annotations

import re
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest

from scand.cli import COMMANDS
from scand.cli.wishes import Place, Wish, aim, place, possible_in, refusal
from scand.errors import ConfigError
from scand.jobs.lifecycle import Status
from scand.queue.intents import ClientQueue
from tests.shell import beat, step

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

    from tests.shell import Shell

    Connection = psycopg.Connection[Any]

_NAMED = re.compile(r"scand ([a-z]+)((?: \d+)+)")
_STEPS = {Wish.SCAN, Wish.FINISH, Wish.COMMIT, Wish.CANCEL, Wish.REOPEN, Wish.RETRY}
_ROADS = {
    Place.DRAFT: [],
    Place.QUEUED: ["queued"],
    Place.READY_EMPTY: ["queued", "ready"],
    Place.READY_DISCARDED: ["queued", "ready", "discarded batch", "pages"],
    Place.READY_UNANSWERED: ["queued", "ready", "jammed batch", "pages"],
    Place.READY: ["queued", "ready", "batch", "pages"],
    Place.SCANNING: ["queued", "ready", "scanning"],
    Place.ASSEMBLING: ["queued", "ready", "batch", "pages", "assembling"],
    Place.PREVIEW: ["queued", "ready", "batch", "pages", "assembling", "preview"],
    Place.COMMITTING: ["queued", "ready", "batch", "pages", "assembling", "preview", "committing"],
    Place.COMMITTING_NAMED: [
        "queued",
        "ready",
        "batch",
        "pages",
        "assembling",
        "preview",
        "committing",
        "name",
    ],
    Place.COMMITTED: [
        "queued",
        "ready",
        "batch",
        "pages",
        "assembling",
        "preview",
        "committing",
        "name",
        "committed",
    ],
    Place.PARKED_ASSEMBLING: ["queued", "ready", "batch", "pages", "assembling", "queued"],
    Place.PARKED_PREVIEW: ["queued", "ready", "batch", "pages", "assembling", "preview", "queued"],
    Place.PARKED_COMMITTING: [
        "queued",
        "ready",
        "batch",
        "pages",
        "assembling",
        "preview",
        "committing",
        "queued",
    ],
    Place.PARKED_NAMED: [
        "queued",
        "ready",
        "batch",
        "pages",
        "assembling",
        "preview",
        "committing",
        "name",
        "queued",
    ],
    Place.FAILED: ["queued", "ready", "failed"],
    Place.CANCELED: ["queued", "canceled"],
}
_EXTRA = {
    "batch": "INSERT INTO scan_job_batches (job_id, batch_seq, page_count) VALUES (%s, 1, 2)",
    "discarded batch": "INSERT INTO scan_job_batches (job_id, batch_seq, page_count, status) "
    "VALUES (%s, 1, 2, 'discarded')",
    "pages": "INSERT INTO scan_job_pages (job_id, batch_seq, page, sheet, side, width_mm, height_mm, sha256) "
    "SELECT %s, 1, n, 1, 'front', 210, 297, repeat('0', 64) FROM generate_series(1, 2) n",
    "jammed batch": "INSERT INTO scan_job_batches (job_id, batch_seq, page_count, error_code, answered) "
    "VALUES (%s, 1, 2, 'feeder_jammed', false)",
    "name": "UPDATE scan_jobs SET inbox_path = 'Inbox/a.pdf' WHERE id = %s",
}


@pytest.fixture
def queue(migrated_url: str) -> Iterator[ClientQueue]:
    """A client's session."""
    with ClientQueue.open(migrated_url) as opened:
        yield opened


def brought_to(where: Place, queue: ClientQueue, agent: Connection) -> int:
    """A new job, brought to a place; what was there before is gone."""
    agent.execute("UPDATE scan_jobs SET inbox_path = NULL")  # else its document is on its way
    agent.execute("DELETE FROM scan_jobs")
    beat(agent)
    if where is Place.UNKNOWN:
        agent.execute("ALTER TABLE scan_jobs DROP CONSTRAINT IF EXISTS scan_jobs_status_known")
        agent.execute("ALTER TABLE scan_jobs DISABLE TRIGGER USER")
        agent.execute("INSERT INTO scan_jobs (title, status) VALUES ('old', 'pending')")
        agent.execute("ALTER TABLE scan_jobs ENABLE TRIGGER USER")
        return queue.jobs()[0].id
    job = queue.submit("a", {}, draft=True)
    for taken in _ROADS[where]:
        if taken in _EXTRA:
            agent.execute(_EXTRA[taken], (job,))
        else:
            step(agent, job, taken)
    assert place(queue.view(job)) is where
    return job


def words(wish: Wish, job: int) -> list[str]:
    """The command line of a wish."""
    more = {
        Wish.DISCARD: ["1"], Wish.RESTORE: ["1"], Wish.RENAME: ["another"], Wish.DROP: ["1.1"], Wish.KEEP: ["1.1"],
        Wish.TURN: ["90", "1.1"], Wish.MOVE: ["1.2", "1.1"],
    }  # fmt: skip
    return [wish.value, str(job), *more.get(wish, [])]


def test_every_wish_in_every_place(shell: Shell, queue: ClientQueue, agent: Connection) -> None:
    """It is fulfilled, or the sentence names commands, and each of them is legal there when it is typed."""
    refused = 0
    for where, wish in product(Place, Wish):
        job = brought_to(where, queue, agent)
        status, said = shell.typed(*words(wish, job))
        why = refusal(wish, queue.view(job)) if status else None
        if status == 0:
            continue
        refused += 1
        assert status == 65, (where, wish, said)
        assert said == why
        assert "is not a step" not in said
        named = _NAMED.findall(said)
        assert named, (where, wish, said)
        for name, arguments in named:
            assert name in COMMANDS
            again = brought_to(where, queue, agent)
            numbers = [str(again), *arguments.split()[1:]]
            if name == "watch":
                assert queue.view(again).job.status != "draft"  # it follows any job: see test_watching
                continue
            status, told = shell.typed(name, *numbers)
            assert status == 0, (where, wish, said, name, told)
    assert refused > 60


def test_what_the_table_allows_the_database_allows(
    shell: Shell, queue: ClientQueue, agent: Connection
) -> None:
    """No wish that is legal is refused, and none is let through that the database does not take."""
    for where, wish in product(Place, Wish):
        job = brought_to(where, queue, agent)
        view = queue.view(job)
        if refusal(wish, view) is None:
            status, said = shell.typed(*words(wish, job))
            assert status == 0, (where, wish, said)
            if wish in _STEPS:
                found, wanted = queue.job(job), aim(wish, view.job.stage)
                if view.job.inbox_path is not None and wish is Wish.REOPEN:
                    assert (found.stage, found.withdraw) == ("committing", "preview")
                elif view.job.resumes_in is not None and wanted is Status.READY:
                    assert (found.status, found.resumes_in) == ("queued", None)
                else:
                    assert found.stage == wanted


def test_the_sentence_of_the_issue(shell: Shell, queue: ClientQueue, agent: Connection) -> None:
    """Commit in ready with batches."""
    job = brought_to(Place.READY, queue, agent)
    assert shell.refused("commit", str(job), status=65) == (
        f"Job {job} has no preview yet: scand finish {job}"
    )


def test_with_a_config_the_named_command_has_it(shell: Shell, queue: ClientQueue, agent: Connection) -> None:
    """So that it runs as printed; a path with a space is quoted."""
    job = brought_to(Place.READY, queue, agent)
    config = shell.home / "my scand.toml"
    config.write_text(f'[database]\nurl = "{shell.url}"\n')
    said = shell.refused("--config", str(config), "commit", str(job), status=65)
    assert said.endswith(f"scand --config '{config}' finish {job}")


def test_a_scan_waits_for_the_claim(shell: Shell, queue: ClientQueue, agent: Connection) -> None:
    """`scand submit` and `scand scan` in one line: the agent claims between the two, or a moment later."""
    job = brought_to(Place.QUEUED, queue, agent)
    process = shell.start("scan")
    queue.listen()
    queue.wait(1.0)
    step(agent, job, "ready")
    out, err = process.communicate(timeout=20)
    assert (out, err) == (f"job {job}: ready → scanning\n", "")


def test_rules_of_the_database_alone_are_told_as_such(
    shell: Shell, queue: ClientQueue, agent: Connection
) -> None:
    """A row of the table is gone: no sentence of the table reaches a person, and doctor is named."""
    job = brought_to(Place.PREVIEW, queue, agent)
    agent.execute("DELETE FROM scan_job_transitions WHERE to_status = 'committing'")
    said = shell.refused("commit", str(job), status=ConfigError.exit_status)
    assert "scand doctor" in said
    assert "is not a step" not in said


def test_completion_offers_where_it_is_possible() -> None:
    """The statuses of each wish."""
    assert possible_in(Wish.COMMIT) == [Status.PREVIEW]
    assert possible_in(Wish.RETRY) == [Status.DRAFT, Status.FAILED, Status.CANCELED]
    assert possible_in(Wish.DISCARD) == [Status.READY]
    assert Status.COMMITTED not in possible_in(Wish.RENAME)
