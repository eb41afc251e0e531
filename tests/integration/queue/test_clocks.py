"""A clock that was set wrong once, or is wrong now, makes no wait longer than it can be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from scand.decide.actions import Claim
from scand.decide.timeouts import LONGEST_BACKOFF
from scand.queue import leftovers, statements
from scand.queue.connection import connect
from scand.queue.moments import EARLIEST, LATEST
from scand.queue.results import AgentQueue

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Connect

FUTURE = ["now() + interval '1 year'", "'infinity'"]
PAST = ["now() - interval '1 year'", "'-infinity'"]
JOBS = "/spool/jobs"


@pytest.fixture
def queue(migrated_url: str) -> Iterator[AgentQueue]:
    """A queue that leads, with one job that is ready."""
    with connect(migrated_url, name="scand") as connection:
        connection.execute("SET scand.actor = 'agent'")
        queue = AgentQueue(connection, statements.load())
        assert queue.elect()
        connection.execute("INSERT INTO scan_jobs (title, status) VALUES ('T', 'queued')")
        assert queue.claim(JOBS, Claim())
        yield queue


def write(queue: AgentQueue, column: str, value: str) -> None:
    """Write a timestamp into the job, as a clock or a client may: past all triggers."""
    with queue.connection.transaction():
        queue.connection.execute("SET LOCAL session_replication_role = replica")
        queue.connection.execute(f"UPDATE scan_jobs SET {column} = {value}".encode())  # noqa: S608


@pytest.mark.parametrize("when", [*FUTURE, *PAST])
def test_the_next_try_is_never_further_away_than_the_longest_pause(queue: AgentQueue, when: str) -> None:
    """A try that was set by a wrong clock is due; one that is really ahead is waited for (P14)."""
    write(queue, "next_attempt_at", when)
    job = queue.look().job
    assert job
    assert job.wait == 0
    write(queue, "next_attempt_at", "now() + interval '200 s'")
    job = queue.look().job
    assert job
    assert 190 < job.wait <= LONGEST_BACKOFF


@pytest.mark.parametrize("when", FUTURE)
def test_a_person_has_no_more_time_than_the_config_says(queue: AgentQueue, when: str) -> None:
    """Last activity in the future: the idle clock begins anew now, and does not wait until the future is here."""
    write(queue, "last_activity_at", when)
    first = queue.look().job
    assert first
    assert first.idle == 0
    write(queue, "last_activity_at", "last_activity_at - interval '1 h'")
    second = queue.look().job
    assert second
    assert second.idle
    assert 3600 <= second.idle < 3700


@pytest.mark.parametrize("when", PAST)
def test_an_age_is_a_number(queue: AgentQueue, when: str) -> None:
    """However long ago something was, also infinitely long."""
    for column in ("last_activity_at", "last_progress_at"):
        write(queue, column, when)
    job = queue.look().job
    assert job
    assert job.idle
    assert 3e7 < job.idle <= 1e9
    row = queue.connection.execute(
        "SELECT oldest_seconds FROM scan_queue_lag WHERE status = 'ready'"
    ).fetchone()
    assert row
    assert 3e7 < row["oldest_seconds"] <= 1e9


@pytest.mark.parametrize("column", ["last_progress_at", "created_at"])
@pytest.mark.parametrize("when", FUTURE)
def test_nothing_is_older_than_it_is(queue: AgentQueue, column: str, when: str) -> None:
    """The monitor's view counts a moment of the future as now; the job is read, whatever its times are."""
    write(queue, "last_progress_at", "NULL")
    write(queue, column, when)
    row = queue.connection.execute(
        "SELECT oldest_seconds FROM scan_queue_lag WHERE status = 'ready'"
    ).fetchone()
    assert row == {"oldest_seconds": 0}
    job = queue.look().job
    assert job
    assert job.title == "T"


@pytest.mark.parametrize(
    ("when", "alive"), [(FUTURE[0], False), (FUTURE[1], False), ("now()", True), (PAST[1], False)]
)
def test_a_heartbeat_of_the_future_is_no_sign_of_life(queue: AgentQueue, when: str, alive: bool) -> None:
    """The next one is of now, so that an agent that lives is alive again."""
    queue.connection.execute(f"UPDATE scan_agent_status SET last_heartbeat = {when}".encode())  # noqa: S608
    health = queue.connection.execute("SELECT alive, heartbeat_age_seconds FROM scan_agent_health").fetchone()
    assert health
    assert health["alive"] is alive
    assert abs(health["heartbeat_age_seconds"]) <= 1e9
    assert queue.heartbeat(job_id=None, state="s", ready=True, device=None)
    assert queue.connection.execute("SELECT alive FROM scan_agent_health").fetchone() == {"alive": True}


@pytest.mark.parametrize("when", FUTURE)
def test_files_are_kept_no_longer_than_the_config_says(queue: AgentQueue, when: str) -> None:
    """A job that was over in the future is kept from now on."""
    write(queue, "status", "'canceled'")
    write(queue, "updated_at", when)
    assert leftovers.expire(queue, JOBS, 60.0) == []
    write(queue, "updated_at", "updated_at - interval '61 s'")
    assert leftovers.expire(queue, JOBS, 60.0) != []


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("'infinity'", LATEST),
        ("'12000-01-01'", LATEST),
        ("'-infinity'", EARLIEST),
        ("'0044-03-15 BC'", EARLIEST),
        ("'2026-11-30 12:00:00.25+01'", datetime(2026, 11, 30, 11, 0, 0, 250_000, tzinfo=UTC)),
    ],
)
def test_any_timestamp_can_be_read(queue: AgentQueue, written: str, read: datetime) -> None:
    """Also those that Python has not; in whatever time zone the session is, it can be shown in every other."""
    for zone in ("UTC", "Pacific/Kiritimati", "Etc/GMT+12"):
        queue.connection.execute("SELECT set_config('timezone', %s, false)", (zone,))
        write(queue, "created_at", written)
        job = queue.look().job
        assert job
        assert job.created_at == read
        for hours in (-14, 14):
            assert job.created_at.astimezone(timezone(timedelta(hours=hours))) == job.created_at


def test_a_view_reads_what_a_client_wrote(queue: AgentQueue, connect: Connect, migrated_url: str) -> None:
    """The same holds for any session's settings of time: the functions take moments, and no text."""
    client = connect(migrated_url, options="-c timezone=Pacific/Kiritimati -c datestyle=German,DMY")
    write(queue, "last_progress_at", "now() - interval '100 s'")
    row = client.execute("SELECT oldest_seconds FROM scan_queue_lag WHERE status = 'ready'").fetchone()
    assert row
    assert 100 <= row[0] < 120
