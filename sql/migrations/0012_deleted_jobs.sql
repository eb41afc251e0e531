-- A job that is deleted leaves work for the agent: its merge on the NAS and its pages on the scan host.
SELECT set_config('search_path', format('%I, pg_temp', current_schema()), true);

-- A row for each deleted job that had files. The agent removes the staged merge as soon as it can and the local files
-- once staging.keep is over, and then the row. While a job with the same id exists it does neither.
CREATE TABLE IF NOT EXISTS scand_deleted_jobs (
    job_id           BIGINT      NOT NULL,
    created_at       TIMESTAMPTZ NOT NULL,               -- of the job: its directory is known by it
    deleted_at       TIMESTAMPTZ NOT NULL DEFAULT now(),
    status           TEXT        NOT NULL,               -- the last one
    stay             BIGINT,                             -- the event of its last step ready → assembling
    staging_path     TEXT,                               -- its directory, absolute, on the agent's host
    nas_staging_path TEXT,                               -- the merge, relative to the NAS root; NULL: none is left
    PRIMARY KEY (job_id, created_at)
);

-- Before the row goes, since its events go with it. It has its owner's rights: nobody else makes these rows.
CREATE OR REPLACE FUNCTION scand_leave_files() RETURNS TRIGGER
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    gone scan_jobs;
BEGIN
    FOR gone IN
        SELECT * FROM scan_jobs
        WHERE (TG_LEVEL = 'STATEMENT' OR id = OLD.id) AND (staging_path IS NOT NULL OR nas_staging_path IS NOT NULL)
    LOOP
        IF gone.status = 'committing' AND gone.inbox_path IS NOT NULL THEN
            RAISE EXCEPTION 'job %: its document is on its way into the Inbox (%): delete it once it is committed',
                gone.id, gone.inbox_path
                USING ERRCODE = 'SD001';
        END IF;
        INSERT INTO scand_deleted_jobs (job_id, created_at, status, stay, staging_path, nas_staging_path)
        VALUES (
            gone.id, gone.created_at, gone.status,
            (SELECT max(id) FROM scan_job_events
             WHERE job_id = gone.id AND from_status = 'ready' AND to_status = 'assembling'),
            gone.staging_path, gone.nas_staging_path
        )
        ON CONFLICT DO NOTHING;
    END LOOP;
    RETURN OLD;
END
$$;

REVOKE EXECUTE ON FUNCTION scand_leave_files() FROM PUBLIC;

CREATE OR REPLACE TRIGGER scan_jobs_leave_files
BEFORE DELETE ON scan_jobs
FOR EACH ROW EXECUTE FUNCTION scand_leave_files();

CREATE OR REPLACE TRIGGER scan_jobs_leave_files_of_all
BEFORE TRUNCATE ON scan_jobs
FOR EACH STATEMENT EXECUTE FUNCTION scand_leave_files();

-- Where sql/roles.sql was run before this: the agent reads this table at every look.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'scand_agent' AND has_table_privilege(oid, 'scan_jobs', 'SELECT')) THEN
        GRANT SELECT, UPDATE (nas_staging_path), DELETE ON scand_deleted_jobs TO scand_agent;
        GRANT SELECT ON scand_deleted_jobs TO scand_client;
        GRANT UPDATE (steps) ON scan_jobs TO scand_client;
    END IF;
END
$$;
