-- Takes sql/client-commits.sql back: the agent commits again. This is what `scand migrate --commit-by agent` runs.

DELETE FROM scan_job_transitions WHERE from_status = 'committing' AND to_status = 'committed' AND actor = 'client';

-- What a document server may link by itself stays.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'scand_client') THEN
        REVOKE UPDATE (inbox_path, file_hash, error, error_code) ON scan_jobs FROM scand_client;
        IF scand_owns_documents() THEN
            REVOKE UPDATE (doc_id) ON scan_jobs FROM scand_client;
        END IF;
    END IF;
END
$$;
