"""Years of finished jobs, made in SQL with the triggers off."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scand.queue.connection import Connection

_MADE = """
INSERT INTO scan_jobs (title, settings, status, batch_count, page_count, pages_scanned, inbox_path, file_hash,
                       error, error_code, created_at, updated_at, last_activity_at, last_progress_at)
SELECT 'Letters ' || n, '{"profile": "default", "mode": "gray"}', status, 3, 60, 60,
       CASE status WHEN 'committed' THEN 'PKM/Inbox/Letters ' || n || '.pdf' END,
       CASE status WHEN 'committed' THEN md5(n::text) || md5('x' || n) END,
       CASE status WHEN 'failed' THEN 'batch 3: sheet 2 jammed' END,
       CASE status WHEN 'failed' THEN 'feeder_jammed' END, at, at, at, at
  FROM generate_series(1, %(jobs)s) AS n,
       LATERAL (SELECT CASE WHEN n %% 1000 = 0 THEN 'failed' WHEN n %% 50 = 0 THEN 'canceled'
                            ELSE 'committed' END AS status,
                       now() - n * interval '1 minute' AS at) one;

INSERT INTO scan_job_batches (job_id, batch_seq, staging_path, page_count, status, file_hash)
SELECT j.id, seq, NULL, 20, 'scanned', md5(j.id::text) || md5(seq::text)
  FROM scan_jobs j, generate_series(1, 3) AS seq;

INSERT INTO scan_job_events (job_id, at, actor, from_status, to_status)
SELECT id, created_at, 'client', from_status, to_status
  FROM scan_jobs, (VALUES (NULL, 'queued'), ('committing', 'committed')) AS step (from_status, to_status);
"""


def make(connection: Connection, jobs: int) -> None:
    """Make so many finished jobs with 3 batches and 2 events each; 1 in 1,000 failed, 1 in 50 was canceled."""
    with connection.transaction():
        connection.execute("SET LOCAL session_replication_role = replica")
        for statement in _MADE.split(";\n"):
            if statement.strip():
                connection.execute(statement.encode(), {"jobs": jobs} if "%(jobs)s" in statement else None)
    connection.execute("VACUUM ANALYZE")
