"""Jobs and batches for the tests of the schema, put into any status."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from scand.jobs.lifecycle import Status

Connection = psycopg.Connection[Any]

PARKING = {
    (Status.ASSEMBLING, Status.QUEUED),
    (Status.PREVIEW, Status.QUEUED),
    (Status.COMMITTING, Status.QUEUED),
}
"""The steps by which a job is parked: the agent's, with the roles or without."""

OF_PARKED = {
    (Status.QUEUED, Status.ASSEMBLING),
    (Status.QUEUED, Status.COMMITTING),
    (Status.QUEUED, Status.FAILED),
}
"""Steps of a parked job, and of no other that is queued."""


def one(connection: Connection, query: Any, *values: Any) -> Any:
    """The only column of the only row."""
    rows = connection.execute(query, values or None).fetchall()
    assert len(rows) == 1
    assert len(rows[0]) == 1
    return rows[0][0]


def make_job(connection: Connection, status: str = "draft", title: str = "Letters") -> int:
    """A job in any status, put there with the triggers off."""
    with connection.transaction():
        connection.execute("SET LOCAL session_replication_role = replica")
        job = one(
            connection, "INSERT INTO scan_jobs (title, status) VALUES (%s, %s) RETURNING id", title, status
        )
    return int(job)


def put(connection: Connection, job: int, status: str) -> None:
    """Take the job to any status, with the triggers off."""
    with connection.transaction():
        connection.execute("SET LOCAL session_replication_role = replica")
        connection.execute(
            "UPDATE scan_jobs SET status = %s, resumes_in = NULL, inbox_path = NULL, file_hash = repeat('a', 64) "
            "WHERE id = %s",
            (status, job),
        )


def step(connection: Connection, job: int, status: str) -> None:
    """Take the job to `status` as anybody would; to committed with the path that it needs."""
    path = "Inbox/a.pdf" if status == Status.COMMITTED else None
    connection.execute(
        "UPDATE scan_jobs SET status = %s, inbox_path = coalesce(%s, inbox_path) WHERE id = %s",
        (status, path, job),
    )


def add_batch(connection: Connection, job: int, seq: int, status: str = "scanned") -> None:
    """Record a batch."""
    connection.execute(
        "INSERT INTO scan_job_batches (job_id, batch_seq, status) VALUES (%s, %s, %s)", (job, seq, status)
    )


def refusal(connection: Connection, query: Any, *values: Any) -> psycopg.errors.Diagnostic:
    """What the database says as it refuses."""
    with pytest.raises(psycopg.Error) as caught:
        connection.execute(query, values or None)
    return caught.value.diag
