"""A title is inside the PDF: from the merge on another one means another merge, from the commit on none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg.rows import dict_row

from scand import wire
from scand.decide.actions import Advance, Claim
from scand.jobs.lifecycle import Actor, Status
from scand.queue.connection import connect as connect_as_scand
from scand.queue.connection import take_role
from scand.queue.results import AgentQueue
from scand.queue.statements import load
from scand.spool.records import Document

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Connection = psycopg.Connection[Any]
    Connect = Callable[..., Connection]

SHA256 = "0" * 64


@pytest.fixture
def client(migrated_url: str, connect: Connect) -> Connection:
    """A web application's session."""
    return connect(migrated_url, row_factory=dict_row)


@pytest.fixture
def daemon(migrated_url: str) -> Iterator[AgentQueue]:
    """The agent's queue, elected."""
    with connect_as_scand(migrated_url, name="scand-test") as connection:
        take_role(connection, "scand_agent")
        queue = AgentQueue(connection, load())
        assert queue.elect()
        yield queue


def a_job(client: Connection, daemon: AgentQueue, *statuses: str) -> int:
    """A job that was taken through these statuses after ready."""
    row = client.execute(
        "INSERT INTO scan_jobs (title, status) VALUES ('Letters', 'queued') RETURNING id"
    ).fetchone()
    assert row
    assert daemon.claim("/spool/jobs", Claim())
    for status in statuses:
        daemon.connection.execute("UPDATE scan_jobs SET status = %s", (status,))
    return int(row["id"])


def read(client: Connection) -> dict[str, Any]:
    """The only job."""
    return dict(client.execute("SELECT * FROM scan_jobs").fetchone() or {})


@pytest.mark.parametrize("said", ["title = 'Bills'", "title = 'Bills', status = 'assembling'"])
def test_another_title_in_preview_merges_anew(client: Connection, daemon: AgentQueue, said: str) -> None:
    """It is a step of the client, with a stay of its own; and `finish: "commit"` does not run off after it."""
    a_job(client, daemon, "assembling", "preview")
    before = daemon.look().job
    assert before
    assert not before.reopened
    client.execute(f"UPDATE scan_jobs SET {said}".encode())  # noqa: S608
    row = read(client)
    assert (row["title"], row["status"], row["steps"]) == ("Bills", "assembling", 4)
    event = client.execute("SELECT * FROM scan_job_events ORDER BY id DESC LIMIT 1").fetchone()
    assert event
    assert (event["actor"], event["from_status"], event["to_status"]) == ("client", "preview", "assembling")
    job = daemon.look().job
    assert job
    assert (job.by_step, job.reopened, job.entered_from) == (True, True, "preview")
    assert job.stay == event["id"] > before.stay


def test_the_same_title_is_no_step(client: Connection, daemon: AgentQueue) -> None:
    """A mapper that saves the whole row changes nothing, and keeps the job from going idle."""
    a_job(client, daemon, "assembling", "preview")
    client.execute("UPDATE scan_jobs SET title = title, settings = settings, status = status")
    assert read(client)["status"] == "preview"


def test_an_old_row_is_not_saved_over_a_new_title(client: Connection, daemon: AgentQueue) -> None:
    """Its title would be merged anew, so it is refused as any step by an old row is."""
    a_job(client, daemon, "assembling", "preview")
    old = read(client)
    client.execute("UPDATE scan_jobs SET title = 'Bills'")
    daemon.connection.execute("UPDATE scan_jobs SET status = 'preview', last_progress_at = now()")
    with pytest.raises(psycopg.Error) as caught:
        client.execute("UPDATE scan_jobs SET title = %(title)s, status = %(status)s, steps = %(steps)s", old)
    assert caught.value.sqlstate == "SD003"
    assert read(client)["title"] == "Bills"


def test_a_new_title_is_not_committed_with_the_old_merge(client: Connection, daemon: AgentQueue) -> None:
    """One statement for both is refused, and says what to do instead."""
    job = a_job(client, daemon, "assembling", "preview")
    with pytest.raises(psycopg.Error) as caught:
        client.execute("UPDATE scan_jobs SET title = 'Bills', status = 'committing'")
    assert caught.value.sqlstate == "SD001"
    hint = str(caught.value.diag.message_hint)
    statement = hint.partition(";")[0]
    assert f"'Bills' WHERE id = {job}" in statement
    client.execute(statement.encode())
    assert read(client)["status"] == "assembling"


@pytest.mark.parametrize("status", ["committing", "committed"])
def test_from_the_commit_on_the_title_is_fixed(client: Connection, daemon: AgentQueue, status: str) -> None:
    """Another one is left unwritten without a word, as every result is; the agent's own session is not asked."""
    a_job(
        client, daemon, *["assembling", "preview", "committing", "committed"][: 3 + (status == "committed")]
    )
    client.execute("UPDATE scan_jobs SET title = 'Bills'")
    assert (read(client)["title"], read(client)["status"]) == ("Letters", status)


@pytest.mark.parametrize("status", ["ready", "scanning", "assembling", "failed"])
def test_before_the_merge_a_title_is_just_written(
    client: Connection, daemon: AgentQueue, status: str
) -> None:
    """No step follows."""
    a_job(client, daemon, *([] if status == "ready" else [status]))
    client.execute("UPDATE scan_jobs SET title = 'Bills'")
    assert (read(client)["title"], read(client)["status"]) == ("Bills", status)


def test_a_merge_with_a_title_that_was_changed_meanwhile_is_no_preview(
    client: Connection, daemon: AgentQueue
) -> None:
    """The agent's step names the title that is in the merge; with another one in the row it is not taken."""
    job = a_job(client, daemon, "assembling")
    document = Document(path="/m.pdf", pages=4, sha256=SHA256, size=9)
    staged = wire.Staged(document=document, title="Letters", staged="s/merged.pdf")
    step = Advance(
        job,
        Status.ASSEMBLING,
        Status.PREVIEW,
        Actor.AGENT,
        entered=1 << 62,
        error=None,
        code=None,
        staged=staged,
    )
    client.execute("UPDATE scan_jobs SET title = 'Bills'")
    assert not daemon.advance(step)
    client.execute("UPDATE scan_jobs SET title = 'Letters'")
    assert daemon.advance(step)
    assert read(client)["status"] == "preview"


def test_what_a_deleted_job_leaves_has_its_last_stay(client: Connection, daemon: AgentQueue) -> None:
    """Also one that began in preview."""
    a_job(client, daemon, "assembling", "preview")
    client.execute("UPDATE scan_jobs SET title = 'Bills'")
    job = daemon.look().job
    assert job
    client.execute("DELETE FROM scan_jobs")
    left = client.execute("SELECT stay FROM scand_deleted_jobs").fetchone()
    assert left == {"stay": job.stay}
