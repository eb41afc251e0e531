-- A new title after the merge is a step of its own, since the title is inside the PDF, too.
SELECT set_config('search_path', pg_catalog.format('%I, pg_temp', current_schema()), true);

INSERT INTO scan_job_transitions (from_status, to_status, actor) VALUES
    ('preview', 'assembling', 'client')  -- merge anew, with another title
ON CONFLICT DO NOTHING;

-- A title that a client writes in preview takes that step by itself, so that the title in the row is always the one in
-- the PDF. From committing on it is fixed: the document may have its name already. By the order of their names this
-- trigger comes before scan_jobs_guard, which refuses a step by an old row.
CREATE OR REPLACE FUNCTION scand_retitle() RETURNS TRIGGER
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF OLD.status = 'preview' AND NEW.status = 'committing' THEN
        RAISE EXCEPTION 'job %: with a new title it is merged anew before it can be committed', OLD.id
            USING ERRCODE = 'SD001', HINT = pg_catalog.format(
                'UPDATE scan_jobs SET title = %L WHERE id = %s; and commit the new preview.', NEW.title, OLD.id);
    ELSIF OLD.status = 'preview' AND NEW.status = 'preview' THEN
        NEW.status := 'assembling';
    ELSIF OLD.status IN ('committing', 'committed') THEN
        NEW.title := OLD.title;
    END IF;
    RETURN NEW;
END
$$;

CREATE OR REPLACE TRIGGER scan_jobs_client_title
BEFORE UPDATE ON scan_jobs
FOR EACH ROW WHEN (OLD.title IS DISTINCT FROM NEW.title AND scand_actor() = 'client')
EXECUTE FUNCTION scand_retitle();

-- As in 0012_deleted_jobs; a stay begins with each step into assembling, also with the one from preview.
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
             WHERE job_id = gone.id AND from_status IN ('ready', 'preview') AND to_status = 'assembling'),
            gone.staging_path, gone.nas_staging_path
        )
        ON CONFLICT DO NOTHING;
    END LOOP;
    RETURN OLD;
END
$$;

REVOKE EXECUTE ON FUNCTION scand_leave_files() FROM PUBLIC;
