"""Years of finished jobs make nothing slow: every statement that is asked often finds its rows by an index."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from scand.jobs.lifecycle import Status
from scand.queue.connection import connect
from tests.bench import history
from tests.bench.plans import plan
from tests.bench.queue import statement
from tests.conftest import database

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scand.queue.connection import Connection

JOBS = 20_000
"""Enough that reading all of a table costs the planner far more than an index."""

JOBS_TABLES = {"scan_jobs", "scan_job_batches", "scan_job_events"}


@pytest.fixture(scope="module")
def years(server_url: str, migrated_template: str) -> Iterator[Connection]:
    """A queue with many jobs that are over, and one that waits."""
    with (
        database(server_url, migrated_template) as url,
        connect(url, name="plans", deadline=60.0) as connection,
    ):
        history.make(connection, JOBS)
        connection.execute("INSERT INTO scan_jobs (title, status) VALUES ('Now', %s)", (Status.QUEUED,))
        connection.execute("ANALYZE scan_jobs")  # of all rows: whoever does it again finds the same
        yield connection


@pytest.mark.parametrize(
    ("name", "indexes"),
    [
        ("claim", {"idx_scan_jobs_queued"}),
        ("poll", {"idx_scan_jobs_queued", "idx_scan_jobs_stale", "idx_scan_jobs_to_read_back"}),
        ("poll: paper left", {"idx_scan_jobs_queued", "idx_scan_jobs_paper_left"}),
        ("list", {"scan_jobs_pkey"}),
        ("list --failed", {"idx_scan_jobs_unfinished"}),
        ("more", {"scan_jobs_pkey"}),
        ("show", {"scan_jobs_pkey"}),
        ("show: batches", {"idx_scan_job_batches_job"}),
        ("show: events", {"idx_scan_job_events_job"}),
        ("unfinished", {"idx_scan_jobs_unfinished"}),
        ("queue lag", {"idx_scan_jobs_unfinished"}),
        ("same document", {"idx_scan_jobs_file_hash"}),
        ("expire", {"idx_scan_jobs_on_disk"}),
    ],
)
def test_an_index_finds_the_rows(years: Connection, name: str, indexes: set[str]) -> None:
    """No statement reads a table of jobs from end to end, and each uses the index that is there for it."""
    found = plan(years, *statement(name))
    assert found.scanned.isdisjoint(JOBS_TABLES)
    assert found.indexes >= indexes


def test_a_plan_tells_a_table_that_is_read_whole(years: Connection) -> None:
    """What no index can answer is seen as such: the test above can fail."""
    assert plan(years, b"SELECT FROM scan_jobs WHERE title = 'x'", {}).scanned == {"scan_jobs"}
