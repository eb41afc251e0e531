-- For a site whose web commits by itself: `scand migrate --client-commits`, and [commit] by = "client" in scand.toml.
--
-- The web then moves the previewed file to where it wants it and takes the job from committing to committed.
-- With [commit] by = "agent" this must not be run: two programs that both commit would make two files.
-- To take it back: DELETE FROM scan_job_transitions WHERE from_status = 'committing' AND to_status = 'committed'
-- AND actor = 'client', and REVOKE the rights below.

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
