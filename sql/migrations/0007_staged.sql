-- The agent removes what a reopened or canceled job has left staged on the NAS. This index holds only jobs that
-- have such a file, so that asking for one costs the same with a million finished jobs.
CREATE INDEX IF NOT EXISTS idx_scan_jobs_staged ON scan_jobs (id)
    WHERE nas_staging_path IS NOT NULL AND status IN ('draft', 'queued', 'ready', 'canceled');
