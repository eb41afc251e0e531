-- What a monitor asks: does work pile up, does the agent live, whose is the documents table.
-- Former SHA-256: 3f63f2aff8b4f6035476f6bb80205e2c07fea97d094dac240bf1d47fa87b0ffe
SELECT set_config('search_path', format('%I, pg_temp', current_schema()), true);

-- A row for every status that a job can be stuck in, also where no job is: how many jobs, and for how many
-- seconds the oldest of them has not moved. Committed and canceled jobs wait for nothing and are not counted.
CREATE OR REPLACE VIEW scan_queue_lag AS
SELECT
    status,
    count(j.id) AS jobs,
    round(max(extract(epoch FROM clock_timestamp() - coalesce(j.last_progress_at, j.created_at))), 3)
        AS oldest_seconds,
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

-- One row. An agent is alive with a heartbeat of the last 15 s (it beats every 5), and ready when it is alive
-- and says that it could take a job now.
CREATE OR REPLACE VIEW scan_agent_health AS
SELECT
    round(extract(epoch FROM clock_timestamp() - last_heartbeat), 3) AS heartbeat_age_seconds,
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
    SELECT coalesce(last_heartbeat > clock_timestamp() - INTERVAL '15 s', false) AS alive
) AS pulse;

-- Whether `documents` is the table that 0001_tables made. Where it is a document server's, scand neither reads
-- nor writes it.
CREATE OR REPLACE FUNCTION scand_owns_documents() RETURNS BOOLEAN
LANGUAGE sql STABLE SET search_path FROM CURRENT
RETURN coalesce(obj_description(to_regclass('documents'), 'pg_class') LIKE 'made by scand:%', false);
