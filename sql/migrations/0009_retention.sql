-- What the agent removes from its own disk some days after a job is over. This index holds only jobs that still have
-- files there, so that asking costs the same with a million finished jobs.
CREATE INDEX IF NOT EXISTS idx_scan_jobs_on_disk ON scan_jobs (updated_at)
    WHERE staging_path IS NOT NULL AND status IN ('committed', 'canceled');
