-- What scand adds to the shared tables: columns, indexes, and the statuses they may hold.

-- Functions of scand see its own schema only, whatever search_path their caller has. This line, in every file
-- with functions, is what SET search_path FROM CURRENT then keeps with each of them; one whose body is a RETURN
-- keeps what it refers to anyway.
SELECT set_config('search_path', format('%I, pg_temp', current_schema()), true);

ALTER TABLE scan_jobs
    ADD COLUMN IF NOT EXISTS error_code      TEXT,                        -- the fault behind `error`, for programs
    ADD COLUMN IF NOT EXISTS attempts        INTEGER NOT NULL DEFAULT 0,  -- of the step under way
    ADD COLUMN IF NOT EXISTS next_attempt_at TIMESTAMPTZ,                 -- of the step under way
    ADD COLUMN IF NOT EXISTS pages_scanned   INTEGER;                     -- live; discarded batches not counted

ALTER TABLE scan_job_batches
    ADD COLUMN IF NOT EXISTS error_code TEXT,       -- the fault that ended the batch
    ADD COLUMN IF NOT EXISTS file_hash  CHAR(64);   -- SHA-256 of the batch's PDF

ALTER TABLE scan_agent_status
    ADD COLUMN IF NOT EXISTS hostname   TEXT,
    ADD COLUMN IF NOT EXISTS pid        INTEGER,
    ADD COLUMN IF NOT EXISTS started_at TIMESTAMPTZ,
    ADD COLUMN IF NOT EXISTS state      TEXT,                           -- what it does now, in words
    ADD COLUMN IF NOT EXISTS ready      BOOLEAN NOT NULL DEFAULT false, -- it could take a job now
    ADD COLUMN IF NOT EXISTS device     TEXT,
    ADD COLUMN IF NOT EXISTS epoch      BIGINT  NOT NULL DEFAULT 0;     -- one more with each daemon that takes over

-- Work that is not over is found without reading the jobs of ten years.
CREATE INDEX IF NOT EXISTS idx_scan_jobs_unfinished ON scan_jobs (status)
    WHERE status IN ('draft', 'queued', 'ready', 'scanning', 'assembling', 'preview', 'committing', 'failed');

-- ON DELETE SET NULL looks here whenever a document is deleted.
CREATE INDEX IF NOT EXISTS idx_scan_jobs_doc ON scan_jobs (doc_id) WHERE doc_id IS NOT NULL;

-- The database's own id. It is written beside the pages on disk, so that pages of job 7 of another (an older,
-- a restored, a test) database are never taken for those of job 7 of this one.
CREATE TABLE IF NOT EXISTS scand_installation (
    id       UUID    NOT NULL DEFAULT gen_random_uuid(),
    only_row BOOLEAN PRIMARY KEY DEFAULT true CHECK (only_row)
);

INSERT INTO scand_installation DEFAULT VALUES ON CONFLICT DO NOTHING;

-- Every status of a job, in the order of its life. Same as `Status` in scand/jobs.py: the daemon compares
-- them when it starts.
CREATE OR REPLACE FUNCTION scand_job_statuses() RETURNS TEXT[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ARRAY['draft', 'queued', 'ready', 'scanning', 'assembling', 'preview', 'committing', 'committed',
             'failed', 'canceled'];

-- Every status of a batch. Same as `BatchStatus` in scand/jobs.py.
CREATE OR REPLACE FUNCTION scand_batch_statuses() RETURNS TEXT[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ARRAY['scanned', 'discarded'];

-- New rows hold no other status. NOT VALID would leave old rows with a status of their own in peace only until
-- somebody updates them, so where there are such rows the CHECK also spares every id up to the last of them.
DO $$
DECLARE
    column_of RECORD;
    spared    BIGINT;
    condition TEXT;
BEGIN
    FOR column_of IN
        VALUES ('scan_jobs', scand_job_statuses()), ('scan_job_batches', scand_batch_statuses())
    LOOP
        EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', column_of.column1);
        EXECUTE format('SELECT max(id) FROM %I WHERE status <> ALL (%L)', column_of.column1, column_of.column2)
            INTO spared;
        condition := format('status = ANY (%L::TEXT[])', column_of.column2)
                     || coalesce(' OR id <= ' || spared, '');
        EXECUTE format('ALTER TABLE %1$I DROP CONSTRAINT IF EXISTS %2$I, ADD CONSTRAINT %2$I CHECK (%3$s) NOT VALID',
                       column_of.column1, column_of.column1 || '_status_known', condition);
    END LOOP;
END
$$;

-- From here on a trigger keeps this count (see 0005_batches); this is where it starts from.
UPDATE scan_jobs SET batch_count = kept.batches
FROM (
    SELECT j.id, count(b.id) AS batches
    FROM scan_jobs j LEFT JOIN scan_job_batches b ON b.job_id = j.id AND b.status = 'scanned'
    GROUP BY j.id
) AS kept
WHERE kept.id = scan_jobs.id AND kept.batches <> scan_jobs.batch_count;
