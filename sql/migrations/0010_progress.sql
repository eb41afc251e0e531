-- How far the agent is with merging, copying or verifying: live, and only meant while the job is assembling or
-- committing. Units are the step's own (pages, bytes); step_since is when its count began.
ALTER TABLE scan_jobs
    ADD COLUMN IF NOT EXISTS step       TEXT,
    ADD COLUMN IF NOT EXISTS step_done  BIGINT,
    ADD COLUMN IF NOT EXISTS step_total BIGINT,
    ADD COLUMN IF NOT EXISTS step_since TIMESTAMPTZ;
