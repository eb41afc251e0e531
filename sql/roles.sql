-- Two roles for a site that wants PostgreSQL itself to keep the web and the agent apart.
--
-- Optional, and to be run after each `scand migrate` that applied something: `scand migrate --roles` does both.
-- Then: GRANT scand_client TO <the web's login>; GRANT scand_client, scand_agent TO <the daemon's login>;
-- The daemon needs both: the job that a signal makes is a client's. It says SET ROLE for what it does. It can be run again at any time and takes nothing away.

-- Roles belong to the whole server: another database of it may have made them, or be making them now.
DO $$
DECLARE
    role_name TEXT;
BEGIN
    FOREACH role_name IN ARRAY ARRAY['scand_client', 'scand_agent'] LOOP
        BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role_name) THEN
                EXECUTE format('CREATE ROLE %I NOLOGIN', role_name);
            END IF;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;
        END;
    END LOOP;
END
$$;

-- Both see everything that is scand's.
GRANT SELECT ON
    scan_jobs, scan_job_batches, scan_job_pages, scan_agent_status, scan_job_transitions, scan_job_events,
    scand_installation, scand_migrations, scand_deleted_jobs, scan_queue_lag, scan_agent_health
TO scand_client, scand_agent;

-- A client writes intents. This is the list of scand/jobs/columns.py, which the guards of 0011_guards hold everybody
-- to; `steps` is for mappers that raise it as their version column.
GRANT INSERT (title, settings, status), UPDATE (title, settings, status, steps), DELETE ON scan_jobs TO scand_client;
GRANT UPDATE (status, answered) ON scan_job_batches TO scand_client;
GRANT UPDATE (choice, turn, place) ON scan_job_pages TO scand_client;

-- The agent writes results. batch_count and resumes_in are nobody's: triggers keep them. `withdraw` is an operator's, with the
-- agent's role.
GRANT UPDATE (
    status, page_count, last_activity_at, last_progress_at, staging_path, nas_staging_path, inbox_path, file_hash,
    read_back, doc_id, error, error_code, attempts, next_attempt_at, pages_scanned, step, step_done, step_total, step_since,
    updated_at, withdraw
) ON scan_jobs TO scand_agent;
GRANT INSERT, UPDATE ON scan_job_batches TO scand_agent;
GRANT INSERT, UPDATE, DELETE ON scan_job_pages TO scand_agent;
GRANT UPDATE (nas_staging_path), DELETE ON scand_deleted_jobs TO scand_agent;
GRANT INSERT (id, epoch), UPDATE ON scan_agent_status TO scand_agent;  -- TRUNCATE scan_jobs CASCADE takes its row along

-- The schema, the sequences behind the ids, and the documents table where it is scand's own.
DO $$
DECLARE
    jobs_ids      TEXT := pg_get_serial_sequence('scan_jobs', 'id');
    batches_ids   TEXT := pg_get_serial_sequence('scan_job_batches', 'id');
    documents_ids TEXT;
BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA %s TO scand_client, scand_agent',
                   (SELECT relnamespace::regnamespace FROM pg_class WHERE oid = 'scan_jobs'::regclass));
    IF jobs_ids IS NOT NULL THEN
        EXECUTE format('GRANT USAGE ON SEQUENCE %s TO scand_client', jobs_ids);
    END IF;
    IF batches_ids IS NOT NULL THEN
        EXECUTE format('GRANT USAGE ON SEQUENCE %s TO scand_agent', batches_ids);
    END IF;
    IF scand_owns_documents() THEN
        documents_ids := pg_get_serial_sequence('documents', 'id');
        GRANT SELECT ON documents TO scand_client;
        GRANT SELECT, INSERT ON documents TO scand_agent;
        EXECUTE format('GRANT USAGE ON SEQUENCE %s TO scand_agent', documents_ids);
    ELSE
        GRANT UPDATE (doc_id) ON scan_jobs TO scand_client;  -- a document server links its own documents
    END IF;
END
$$;
