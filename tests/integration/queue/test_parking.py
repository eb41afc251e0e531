"""A parked job is queued, and the buttons of clients work on it as on the job that it was (migration 0021)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg.rows import dict_row

from scand.decide.actions import Claim, GiveUp, Park
from scand.faults import ErrorCode
from scand.jobs.lifecycle import Status
from scand.queue import waiting
from scand.queue.connection import connect as connect_as_scand
from scand.queue.connection import take_role
from scand.queue.results import AgentQueue
from scand.queue.statements import load, read_sql

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Connection = psycopg.Connection[Any]
    Connect = Callable[..., Connection]

LEFT = (Status.ASSEMBLING, Status.PREVIEW, Status.COMMITTING)
WAY = {
    Status.ASSEMBLING: ("assembling",),
    Status.PREVIEW: ("assembling", "preview"),
    Status.COMMITTING: ("assembling", "preview", "committing"),
}


@pytest.fixture
def client(migrated_url: str, connect: Connect) -> Connection:
    """A web application's session, of a member of neither role."""
    return connect(migrated_url, row_factory=dict_row)


@pytest.fixture
def daemon(migrated_url: str) -> Iterator[AgentQueue]:
    """The agent's queue, elected."""
    with connect_as_scand(migrated_url, name="scand-test") as connection:
        take_role(connection, "scand_agent")
        queue = AgentQueue(connection, load())
        assert queue.elect()
        yield queue


def active(client: Connection, daemon: AgentQueue, status: Status, inbox_path: str | None = None) -> int:
    """A job in one of the statuses that can be parked."""
    row = client.execute(
        "INSERT INTO scan_jobs (title, status) VALUES ('Letters', 'queued') RETURNING id"
    ).fetchone()
    assert row
    assert daemon.claim("/spool/jobs", Claim(row["id"]))
    for step in WAY[status]:
        daemon.connection.execute("UPDATE scan_jobs SET status = %s WHERE id = %s", (step, row["id"]))
    daemon.connection.execute(
        "UPDATE scan_jobs SET nas_staging_path = '.scan-staging/x/merged.pdf', inbox_path = %s, "
        "last_activity_at = now() - INTERVAL '1 h', error_code = 'nas_unavailable', error = 'away' WHERE id = %s",
        (inbox_path, row["id"]),
    )
    return int(row["id"])


def entered(client: Connection, job: int) -> int:
    """The job's last event."""
    row = client.execute("SELECT max(id) AS id FROM scan_job_events WHERE job_id = %s", (job,)).fetchone()
    assert row
    return int(row["id"])


def parked(client: Connection, daemon: AgentQueue, status: Status, inbox_path: str | None = None) -> int:
    """A job that was parked."""
    job = active(client, daemon, status, inbox_path)
    assert waiting.park(daemon, Park(job, status, entered(client, job), 120.0))
    return job


def read(client: Connection, job: int) -> dict[str, Any]:
    """The job's row."""
    return dict(client.execute("SELECT * FROM scan_jobs WHERE id = %s", (job,)).fetchone() or {})


def where(client: Connection, job: int) -> tuple[str, str | None, str | None]:
    """Status, where it goes on, and what is wanted of it."""
    row = read(client, job)
    return row["status"], row["resumes_in"], row["withdraw"]


def write(client: Connection, job: int, what: str) -> None:
    """Change the job as a client."""
    client.execute(f"UPDATE scan_jobs SET {what} WHERE id = %s".encode(), (job,))  # noqa: S608


@pytest.mark.parametrize("status", LEFT)
def test_parking_gives_nothing_up(client: Connection, daemon: AgentQueue, status: Status) -> None:
    """Error, staged file and `steps` stay; the staged file is not stale; another job can be claimed."""
    job = active(client, daemon, status)
    before = read(client, job)
    assert waiting.park(daemon, Park(job, status, entered(client, job), 120.0))
    after = read(client, job)
    assert where(client, job) == ("queued", status, None)
    kept = ("steps", "nas_staging_path", "error", "error_code", "title", "staging_path")
    assert [after[name] for name in kept] == [before[name] for name in kept]
    seen = daemon.look()
    assert (seen.job, seen.queued, seen.stale) == (None, False, None)
    assert not daemon.forget_staged(job)
    assert seen.delivery == (None if status is Status.PREVIEW else (job, status))
    other = client.execute(
        "INSERT INTO scan_jobs (title, status) VALUES ('Next', 'queued') RETURNING id"
    ).fetchone()
    assert other
    claimed = daemon.claim("/spool/jobs", Claim())
    assert claimed
    assert (claimed.job_id, claimed.status) == (other["id"], Status.READY)


@pytest.mark.parametrize("status", [Status.ASSEMBLING, Status.COMMITTING])
def test_a_delivery_goes_on_where_it_was(client: Connection, daemon: AgentQueue, status: Status) -> None:
    """Its stay is the same, so that what is staged is found again; its old error is gone."""
    job = active(client, daemon, status)
    before, steps = daemon.look().job, read(client, job)["steps"]
    assert before
    assert waiting.park(daemon, Park(job, status, entered(client, job), 120.0))
    assert daemon.claim("/spool/jobs", Claim()) is None
    claimed = daemon.claim("/spool/jobs", Claim(delivery=True))
    assert claimed
    assert (claimed.job_id, claimed.status) == (job, status)
    after = daemon.look().job
    assert after
    assert (after.stay, after.status, after.by_step, after.error) == (before.stay, status, True, None)
    assert read(client, job)["steps"] == steps


def test_a_parked_preview_is_not_claimed_back(client: Connection, daemon: AgentQueue) -> None:
    """It waits for a client, whoever the agent is."""
    job = parked(client, daemon, Status.PREVIEW)
    assert daemon.claim("/spool/jobs", Claim(delivery=True)) is None
    with pytest.raises(psycopg.Error, match="queued → preview is not a step"):
        daemon.connection.execute("UPDATE scan_jobs SET status = 'preview' WHERE id = %s", (job,))


@pytest.mark.parametrize(
    ("status", "said", "then"),
    [
        (Status.ASSEMBLING, "ready", ("queued", None)),
        (Status.ASSEMBLING, "canceled", ("canceled", None)),
        (Status.ASSEMBLING, "draft", ("draft", None)),
        (Status.PREVIEW, "ready", ("queued", None)),
        (Status.PREVIEW, "committing", ("queued", "committing")),
        (Status.PREVIEW, "preview", ("queued", "preview")),
        (Status.PREVIEW, "canceled", ("canceled", None)),
        (Status.PREVIEW, "draft", ("draft", None)),
        (Status.COMMITTING, "preview", ("queued", "preview")),
        (Status.COMMITTING, "committing", ("queued", "committing")),
        (Status.COMMITTING, "canceled", ("canceled", None)),
    ],
)
def test_the_same_buttons_as_ever(
    client: Connection, daemon: AgentQueue, status: Status, said: str, then: tuple[str, str | None]
) -> None:
    """The statement is the same; where the job goes on is another, and that is an event of the client."""
    job = parked(client, daemon, status)
    steps = read(client, job)["steps"]
    write(client, job, f"status = '{said}'")
    assert where(client, job) == (*then, None)
    row = read(client, job)
    changed = said != status
    assert row["steps"] == steps + 1 or not changed
    event = client.execute(
        "SELECT * FROM scan_job_events WHERE job_id = %s ORDER BY id DESC LIMIT 1", (job,)
    ).fetchone()
    assert event
    last = (event["actor"], event["to_status"])
    assert last == (("client", said) if changed else ("agent", "queued"))
    if said == "ready":
        assert (row["error"], row["error_code"]) == (None, None)
        assert daemon.claim("/spool/jobs", Claim())
        taken = daemon.look().job
        assert taken
        assert taken.taken_back
        assert taken.reopened == (status is Status.PREVIEW)


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (Status.ASSEMBLING, "committing"),
        (Status.ASSEMBLING, "preview"),
        (Status.ASSEMBLING, "scanning"),
        (Status.PREVIEW, "scanning"),
        (Status.PREVIEW, "failed"),
        (Status.COMMITTING, "ready"),
        (Status.COMMITTING, "committed"),
    ],
)
def test_what_was_no_button_is_none(
    client: Connection, daemon: AgentQueue, status: Status, said: str
) -> None:
    """Refused with what would be legal, and nothing is changed."""
    job = parked(client, daemon, status)
    before = read(client, job)
    with pytest.raises(psycopg.Error, match=f"{status} → {said} is not a step") as refused:
        write(client, job, f"status = '{said}'")
    assert refused.value.sqlstate == "SD001"
    assert read(client, job) == before


@pytest.mark.parametrize("said", ["draft", "ready", "canceled"])
def test_with_a_name_in_the_row_it_cannot_be_taken_away(
    client: Connection, daemon: AgentQueue, said: str
) -> None:
    """Its document may be in the Inbox already; nor can the row be deleted."""
    job = parked(client, daemon, Status.COMMITTING, "Inbox/Letters.pdf")
    with pytest.raises(psycopg.Error, match="may be in the Inbox already") as refused:
        write(client, job, f"status = '{said}'")
    assert refused.value.sqlstate == "SD001"
    with pytest.raises(psycopg.Error, match="on its way into the Inbox"):
        client.execute("DELETE FROM scan_jobs WHERE id = %s", (job,))
    assert where(client, job) == ("queued", "committing", None)


@pytest.mark.parametrize("is_parked", [True, False])
def test_with_a_name_in_the_row_preview_is_a_wish(
    client: Connection, daemon: AgentQueue, *, is_parked: bool
) -> None:
    """The agent grants it, once it has seen that the document is not there; until then nothing else is changed."""
    make = parked if is_parked else active
    job = make(client, daemon, Status.COMMITTING, "Inbox/Letters.pdf")
    write(client, job, "status = 'preview'")
    status = ("queued", "committing") if is_parked else ("committing", None)
    assert where(client, job) == (*status, "preview")
    if is_parked:
        assert daemon.claim("/spool/jobs", Claim(delivery=True))
    seen = daemon.look().job
    assert seen
    assert (seen.withdraw, seen.inbox_path) == ("preview", "Inbox/Letters.pdf")
    daemon.connection.execute(
        "UPDATE scan_jobs SET status = 'preview', inbox_path = NULL WHERE id = %s", (job,)
    )
    assert where(client, job) == ("preview", None, None)


def test_nobody_else_parks_or_wakes_a_job(client: Connection, daemon: AgentQueue) -> None:
    """Neither an INSERT, nor a member of no role, nor a mapper that saves whole rows, nor a retry."""
    for status in LEFT:
        job = active(client, daemon, status)
        with pytest.raises(psycopg.Error, match=f"{status} → queued is not a step"):
            write(client, job, "status = 'queued'")
        daemon.connection.execute("UPDATE scan_jobs SET status = 'failed' WHERE id = %s", (job,))
        write(client, job, "status = 'queued', resumes_in = 'preview'")
        assert where(client, job) == ("queued", None, None)
        for wanted in ("assembling", "committing", "failed"):
            with pytest.raises(psycopg.Error, match=f"queued → {wanted} is not a step"):
                write(client, job, f"status = '{wanted}'")
        write(client, job, "status = 'canceled'")
    row = client.execute(
        "INSERT INTO scan_jobs (title, status, resumes_in, withdraw) "
        "VALUES ('Next', 'queued', 'committing', 'failed') RETURNING id"
    ).fetchone()
    assert row
    assert where(client, row["id"]) == ("queued", None, None)
    job = parked(client, daemon, Status.PREVIEW)
    write(client, job, "title = title, status = 'queued', resumes_in = NULL, withdraw = 'failed'")
    assert where(client, job) == ("queued", "preview", None)


def test_a_row_that_was_read_before_does_not_wake_it(client: Connection, daemon: AgentQueue) -> None:
    """A mapper saves what it read in preview: refused as outdated."""
    job = active(client, daemon, Status.PREVIEW)
    row = read(client, job)
    assert waiting.park(daemon, Park(job, Status.PREVIEW, entered(client, job), 120.0))
    with pytest.raises(psycopg.Error) as refused:
        client.execute(
            "UPDATE scan_jobs SET status = 'committing', updated_at = %s WHERE id = %s",
            (row["updated_at"], job),
        )
    assert refused.value.sqlstate == "SD003"


def test_in_the_moment_of_parking_a_commit_is_not_lost(client: Connection, daemon: AgentQueue) -> None:
    """Whoever looked at a preview commits it by its `steps`, parked since or not. Whoever touches it keeps it."""
    job = active(client, daemon, Status.PREVIEW)
    seen, at = read(client, job)["steps"], entered(client, job)
    write(client, job, "title = title")
    assert not waiting.park(daemon, Park(job, Status.PREVIEW, at, 120.0))
    daemon.connection.execute(
        "UPDATE scan_jobs SET last_activity_at = now() - INTERVAL '1 h' WHERE id = %s", (job,)
    )
    assert waiting.park(daemon, Park(job, Status.PREVIEW, at, 120.0))
    done = client.execute(
        "UPDATE scan_jobs SET status = 'committing' WHERE id = %s AND steps = %s", (job, seen)
    )
    assert done.rowcount == 1
    assert where(client, job) == ("queued", "committing", None)


def test_another_title_of_a_parked_preview_merges_it_anew(client: Connection, daemon: AgentQueue) -> None:
    """As without parking; from committing on the title is fixed."""
    job = parked(client, daemon, Status.PREVIEW)
    write(client, job, "title = 'Bills'")
    assert where(client, job) == ("queued", "assembling", None)
    assert read(client, job)["title"] == "Bills"
    other = parked(client, daemon, Status.COMMITTING)
    write(client, other, "title = 'Bills'")
    assert read(client, other)["title"] == "Letters"


def test_a_preview_that_nobody_answers_fails_in_time(client: Connection, daemon: AgentQueue) -> None:
    """`preview_timeout` runs on while it is parked."""
    job = parked(client, daemon, Status.PREVIEW)
    assert daemon.look(preview_timeout=7200.0).overdue is None
    assert daemon.look().overdue is None
    assert daemon.look(preview_timeout=600.0).overdue == (job, Status.PREVIEW)
    late = GiveUp(job, Status.PREVIEW, ErrorCode.IDLE_TIMEOUT, "late", 7200.0)
    assert not waiting.give_up(daemon, late)
    assert waiting.give_up(daemon, GiveUp(job, Status.PREVIEW, ErrorCode.IDLE_TIMEOUT, "late", 600.0))
    assert where(client, job) == ("failed", None, None)


def test_an_operator_gives_up_what_may_be_in_the_inbox(client: Connection, daemon: AgentQueue) -> None:
    """A client cannot, with the role; and once it has failed, trying again begins with a look into the Inbox."""
    job = parked(client, daemon, Status.COMMITTING, "Inbox/Letters.pdf")
    client.execute(read_sql("roles.sql").encode())
    assert daemon.look().overdue is None
    write(client, job, "withdraw = 'failed'")
    assert daemon.look().overdue == (job, Status.COMMITTING)
    assert waiting.give_up(daemon, GiveUp(job, Status.COMMITTING, ErrorCode.PUBLICATION_UNKNOWN, "unknown"))
    assert where(client, job) == ("failed", None, None)
    assert read(client, job)["inbox_path"] == "Inbox/Letters.pdf"
    write(client, job, "status = 'queued'")
    assert where(client, job) == ("queued", "committing", "preview")


def test_what_failed_on_its_way_is_looked_for_though_it_was_canceled_since(
    client: Connection, daemon: AgentQueue
) -> None:
    """Its staged file stays as the proof, and it is never published again without a look into the Inbox."""
    job = active(client, daemon, Status.COMMITTING, "Inbox/Letters.pdf")
    daemon.connection.execute("UPDATE scan_jobs SET status = 'failed' WHERE id = %s", (job,))
    write(client, job, "status = 'canceled'")
    assert daemon.look().stale is None
    write(client, job, "status = 'queued'")
    assert where(client, job) == ("queued", "committing", "preview")
    assert daemon.claim("/spool/jobs", Claim()) is None


def test_only_parking_leaves_steps_as_they_are(client: Connection, daemon: AgentQueue) -> None:
    """Every other step of the agent counts: else a commit by `steps` would take another document."""
    job = active(client, daemon, Status.PREVIEW)
    assert read(client, job)["steps"] == 3  # claimed, to be merged, merged


def test_the_lag_counts_parked_jobs(client: Connection, daemon: AgentQueue) -> None:
    """In the row of `queued`, and no row more."""
    for status in LEFT:
        parked(client, daemon, status)
    client.execute("INSERT INTO scan_jobs (title, status) VALUES ('Next', 'queued')")
    rows = {row["status"]: row for row in client.execute("SELECT * FROM scan_queue_lag").fetchall()}
    assert (rows["queued"]["jobs"], rows["queued"]["parked"]) == (4, 3)
    assert set(rows) == {
        "draft",
        "queued",
        "ready",
        "scanning",
        "assembling",
        "preview",
        "committing",
        "failed",
    }
