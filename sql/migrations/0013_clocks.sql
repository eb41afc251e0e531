-- Timestamps are read by one rule: a clock that was set wrong once, or is wrong now, makes no wait longer than it can
-- be, and an infinite timestamp is no error.
-- Former SHA-256: 278971b9906f3ef1f7a8da752eb23df0f63ceaeb6549f1381cbfb8db04644d49
SELECT set_config('search_path', format('%I, pg_temp', current_schema()), true);

-- Seconds since a moment: 0 for one that is yet to come, at most 1,000,000,000 (31 years). NULL for NULL.
CREATE OR REPLACE FUNCTION scand_age(moment TIMESTAMPTZ) RETURNS DOUBLE PRECISION
LANGUAGE sql VOLATILE STRICT PARALLEL SAFE
RETURN greatest(0, least(1e9, extract(epoch FROM clock_timestamp()) - extract(epoch FROM moment)))::double precision;

-- Seconds until a moment; 0 where that is past, NULL, or further away than any wait of its kind (`longest`, seconds):
-- then it was written by another clock, and waiting for it, or for `longest` at each look anew, would have no end.
CREATE OR REPLACE FUNCTION scand_wait(moment TIMESTAMPTZ, longest DOUBLE PRECISION) RETURNS DOUBLE PRECISION
LANGUAGE sql VOLATILE PARALLEL SAFE
RETURN CASE
    WHEN moment BETWEEN clock_timestamp() AND clock_timestamp() + make_interval(secs => longest)
    THEN greatest(0, extract(epoch FROM moment - clock_timestamp()))
    ELSE 0
END::double precision;

-- Both views have the columns that they had in 0006_views.
CREATE OR REPLACE VIEW scan_queue_lag AS
SELECT
    status,
    count(j.id) AS jobs,
    round(max(scand_age(coalesce(j.last_progress_at, j.created_at)))::numeric, 3) AS oldest_seconds,
    0::bigint AS parked  -- counted from 0021_parking on
FROM unnest(scand_job_statuses()) WITH ORDINALITY AS life (status, ord)
LEFT JOIN (
    SELECT id, status, last_progress_at, created_at
    FROM scan_jobs
    -- Spelt as in idx_scan_jobs_unfinished, so that it is used.
    WHERE status IN ('draft', 'queued', 'ready', 'scanning', 'assembling', 'preview', 'committing', 'failed')
) AS j USING (status)
WHERE status NOT IN ('committed', 'canceled')
GROUP BY status, ord
ORDER BY ord;

-- A heartbeat of the future is as little a sign of life as one of last year: the next one corrects it. Its age is
-- negative then.
CREATE OR REPLACE VIEW scan_agent_health AS
SELECT
    round(CASE WHEN age IS NOT NULL THEN greatest(-1e9, least(1e9, age)) END, 3) AS heartbeat_age_seconds,
    alive,
    alive AND ready AS ready,
    state,
    current_job_id,
    device,
    hostname,
    pid,
    agent_version,
    epoch,
    started_at,
    last_heartbeat
FROM scan_agent_status
CROSS JOIN LATERAL (
    SELECT extract(epoch FROM clock_timestamp()) - extract(epoch FROM last_heartbeat) AS age
) AS beat
CROSS JOIN LATERAL (
    SELECT coalesce(age BETWEEN -15 AND 15, false) AS alive
) AS pulse;
