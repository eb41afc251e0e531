-- For a site whose web application commits by itself, with [commit] by = "client" in scand.toml. This is what
-- `scand migrate --commit-by client` runs.
--
-- The web application then copies the previewed file to its place and takes the job from committing to committed;
-- docs/database.md has the recipe. With [commit] by = "agent" this must not be in the database: two programs that both
-- commit would make two files, and the daemon refuses to start. sql/agent-commits.sql takes it back.

INSERT INTO scan_job_transitions (from_status, to_status, actor) VALUES
    ('committing', 'committed', 'client')
ON CONFLICT DO NOTHING;

-- Where the file went, which file it was, the document it became, and what went wrong.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'scand_client') THEN
        GRANT UPDATE (inbox_path, file_hash, doc_id, error, error_code) ON scan_jobs TO scand_client;
    END IF;
END
$$;
