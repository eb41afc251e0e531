-- Nothing that waits holds the scanner: a job that only waits gives way to whoever has paper, and is *parked*.
SELECT set_config('search_path', pg_catalog.format('%I, pg_temp', current_schema()), true);

-- A parked job is queued, and `resumes_in` is the status that it has left and goes back to.
--
-- `withdraw` is what is wanted of a job whose document is on its way into the Inbox, and may be there already: 'preview' is a
-- client's (it wrote that status), and is granted once the agent has seen that the document is not there; 'failed' is an
-- operator's, who gives it up together with a NAS that never comes back.
ALTER TABLE scan_jobs
    ADD COLUMN IF NOT EXISTS resumes_in TEXT,
    ADD COLUMN IF NOT EXISTS withdraw   TEXT;

ALTER TABLE scan_jobs
    DROP CONSTRAINT IF EXISTS scan_jobs_resumes_in,
    ADD CONSTRAINT scan_jobs_resumes_in CHECK (
        resumes_in IS NULL OR (status = 'queued' AND resumes_in IN ('assembling', 'preview', 'committing'))
    ),
    DROP CONSTRAINT IF EXISTS scan_jobs_withdraw,
    ADD CONSTRAINT scan_jobs_withdraw CHECK (withdraw IN ('preview', 'failed'));

INSERT INTO scan_job_transitions (from_status, to_status, actor) VALUES
    ('assembling', 'queued',     'agent'),   -- parked: somebody else wants the scanner
    ('preview',    'queued',     'agent'),
    ('committing', 'queued',     'agent'),
    ('queued',     'assembling', 'agent'),   -- and it goes on
    ('queued',     'committing', 'agent'),
    ('queued',     'failed',     'agent')    -- a parked job that waited for too long
ON CONFLICT DO NOTHING;


-- What a look asks for ----------------------------------------------------------------------------------------

-- Deliveries that are parked, the oldest first; parked previews, the one that nobody has touched for longest first.
CREATE INDEX IF NOT EXISTS idx_scan_jobs_parked ON scan_jobs (created_at, id)
    WHERE status = 'queued' AND resumes_in IN ('assembling', 'committing');
CREATE INDEX IF NOT EXISTS idx_scan_jobs_parked_preview ON scan_jobs (last_activity_at)
    WHERE status = 'queued' AND resumes_in = 'preview';

-- As idx_scan_jobs_staged of 0007: what a parked job has on the NAS is still wanted, and where a name is in the row it is
-- the proof that nothing was published.
CREATE INDEX IF NOT EXISTS idx_scan_jobs_stale ON scan_jobs (id)
    WHERE nas_staging_path IS NOT NULL AND status IN ('draft', 'queued', 'ready', 'canceled') AND resumes_in IS NULL
      AND inbox_path IS NULL;
DROP INDEX IF EXISTS idx_scan_jobs_staged;


-- The steps ---------------------------------------------------------------------------------------------------

-- Whether a client may take a step, whoever asks.
CREATE OR REPLACE FUNCTION scand_is_clients(job_from TEXT, job_to TEXT) RETURNS BOOLEAN
LANGUAGE sql STABLE
RETURN EXISTS (
    SELECT FROM scan_job_transitions WHERE from_status = job_from AND to_status = job_to AND actor = 'client'
);

-- Parking is the agent's, with the roles or without. The buttons of a client work on a parked job as they would without
-- parking: its status stays 'queued', and where it goes on is another. By the order of their names this trigger comes
-- after scan_jobs_guard and before scan_jobs_step.
CREATE OR REPLACE FUNCTION scand_park() RETURNS TRIGGER
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    is_agent BOOLEAN := scand_actor() = 'agent';
BEGIN
    NEW.resumes_in := NULL;  -- nobody writes it, and most steps end it
    IF OLD.resumes_in IS NULL THEN
        IF NEW.status = 'queued' AND OLD.status IN ('assembling', 'preview', 'committing') AND is_agent THEN
            NEW.resumes_in := OLD.status;
        ELSIF (OLD.status = 'queued' AND NEW.status IN ('assembling', 'committing', 'failed'))
            OR (NEW.status = 'queued' AND OLD.status IN ('assembling', 'preview', 'committing'))
        THEN
            PERFORM scand_refuse_step(OLD.id, OLD.status, NEW.status);
        ELSIF OLD.status IN ('failed', 'canceled') AND NEW.status = 'queued' AND OLD.inbox_path IS NOT NULL THEN
            -- It failed on its way into the Inbox. Before anything is done again the agent looks there.
            NEW.resumes_in := 'committing';
            NEW.withdraw := 'preview';
        END IF;
    ELSIF NEW.status = 'queued' OR (NEW.status = OLD.resumes_in AND NOT is_agent) THEN
        NEW.status := 'queued';
        NEW.resumes_in := OLD.resumes_in;
    ELSIF is_agent THEN
        IF NEW.status NOT IN (OLD.resumes_in, 'failed') OR NEW.status = 'preview' THEN
            PERFORM scand_refuse_step(OLD.id, OLD.status, NEW.status);
        END IF;
    ELSE
        RETURN scand_change_parked(OLD, NEW);
    END IF;
    RETURN NEW;
END
$$;

-- A button of a client: `wanted` is the row as it would be.
CREATE OR REPLACE FUNCTION scand_change_parked(parked scan_jobs, wanted scan_jobs) RETURNS scan_jobs
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF parked.inbox_path IS NOT NULL AND wanted.status IN ('draft', 'ready', 'canceled') THEN
        RAISE EXCEPTION 'job %: its document may be in the Inbox already (%): too late for %',
            parked.id, parked.inbox_path, wanted.status
            USING ERRCODE = 'SD001', HINT = 'It goes on when the NAS is back. With status = ''preview'' it is taken back then, '
                                            'if it is not in the Inbox.';
    ELSIF wanted.status IN ('draft', 'canceled') THEN
        RETURN wanted;  -- a step like any other
    ELSIF NOT scand_is_clients(parked.resumes_in, wanted.status) THEN
        PERFORM scand_refuse_step(parked.id, parked.resumes_in, wanted.status);
    END IF;
    IF wanted.status = 'preview' AND parked.inbox_path IS NOT NULL THEN
        wanted.withdraw := 'preview';
        wanted.resumes_in := parked.resumes_in;
    ELSE
        wanted.resumes_in := nullif(wanted.status, 'ready');
    END IF;
    IF wanted.resumes_in IS NULL THEN  -- taken back: it waits for the scanner, and nothing is wrong with it
        wanted.error := NULL;
        wanted.error_code := NULL;
    END IF;
    wanted.status := 'queued';
    RETURN wanted;
END
$$;

CREATE OR REPLACE TRIGGER scan_jobs_park
BEFORE UPDATE ON scan_jobs
FOR EACH ROW WHEN (
    OLD.resumes_in IS NOT NULL OR NEW.resumes_in IS NOT NULL
    OR (OLD.status IS DISTINCT FROM NEW.status AND 'queued' IN (OLD.status, NEW.status))
)
EXECUTE FUNCTION scand_park();

-- As in 0003_steps. A document that is on its way can be taken back, but not by its client alone.
CREATE OR REPLACE FUNCTION scand_take_step() RETURNS TRIGGER
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    from_status TEXT;  -- NULL: a new row
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NOT scand_may_take(NULL, NEW.status) THEN
            PERFORM scand_refuse_step(NEW.id, NULL, NEW.status);
        END IF;
        NEW.resumes_in := NULL;
        NEW.withdraw := NULL;
        RETURN NEW;
    END IF;

    IF OLD.status = ANY (scand_job_statuses()) THEN
        from_status := OLD.status;
    ELSIF NEW.status <> ALL (scand_job_statuses()) THEN
        RETURN NEW;  -- a row from before scand's time, going on among statuses of its own
    END IF;

    IF NOT scand_may_take(from_status, NEW.status) THEN
        PERFORM scand_refuse_step(OLD.id, OLD.status, NEW.status);
    END IF;

    -- Once the row has the name, the courier may have the word, and the document its place: whoever took the job
    -- back now might commit it twice. The agent does it, if the document turns out not to be there.
    IF OLD.status = 'committing' AND NEW.status = 'preview' AND NEW.inbox_path IS NOT NULL
        AND scand_actor() = 'client'
    THEN
        NEW.status := OLD.status;
        NEW.withdraw := 'preview';
        RETURN NEW;
    END IF;
    IF coalesce(NEW.resumes_in, NEW.status) <> 'committing' THEN
        NEW.withdraw := NULL;
    END IF;

    -- What belonged to the step before. Everything else is for the one who takes the step to write.
    NEW.attempts := 0;
    NEW.next_attempt_at := NULL;
    NEW.last_progress_at := now();

    -- A client that says "scan" or "again" has answered the fault.
    IF scand_actor() = 'client'
        AND (NEW.status = 'queued' OR (OLD.status = 'ready' AND NEW.status = 'scanning'))
    THEN
        NEW.error := NULL;
        NEW.error_code := NULL;
    END IF;

    RETURN NEW;
END
$$;

-- As in 0011_guards: `withdraw`, and `steps` of a parked job.
CREATE OR REPLACE FUNCTION scand_guard_job() RETURNS TRIGGER
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    is_client   BOOLEAN := scand_actor() = 'client';
    consequence BOOLEAN := pg_trigger_depth() > 1;  -- of a change of a batch or a document
    stepping    BOOLEAN := NEW.status IS DISTINCT FROM OLD.status;
    parking     BOOLEAN := NOT is_client AND (
        (NEW.status = 'queued' AND OLD.status IN ('assembling', 'preview', 'committing'))
        OR NEW.status IS NOT DISTINCT FROM OLD.resumes_in
    );
BEGIN
    IF is_client AND stepping AND (
        scand_older(NEW.updated_at, OLD.updated_at)
        OR scand_older(NEW.last_progress_at, OLD.last_progress_at)
        OR NEW.steps < OLD.steps
    ) THEN
        RAISE EXCEPTION 'job %: it has changed since this row was read, so it does not go from % to %',
            OLD.id, OLD.status, NEW.status
            USING ERRCODE = 'SD003', HINT = pg_catalog.format(
                'Read the row again, or write nothing but the status: UPDATE scan_jobs SET status = %L WHERE id = %s '
                'AND status = %L.', NEW.status, OLD.id, OLD.status);
    END IF;

    -- Pages on disk are known by these two. For everybody, the agent included.
    NEW.id := OLD.id;
    NEW.created_at := OLD.created_at;

    -- A version column that a mapper raises by one goes up by one, with a step or without. Parking changes nothing of what
    -- somebody has looked at.
    NEW.steps := OLD.steps + CASE WHEN (stepping AND NOT parking) OR NEW.steps = OLD.steps + 1 THEN 1 ELSE 0 END;

    IF NOT is_client THEN
        RETURN NEW;
    END IF;
    IF NEW.title IS DISTINCT FROM OLD.title OR NEW.settings IS DISTINCT FROM OLD.settings THEN
        PERFORM scand_check_size(NEW.title, NEW.settings);
    END IF;
    NEW.page_count := OLD.page_count;
    NEW.last_progress_at := OLD.last_progress_at;
    NEW.staging_path := OLD.staging_path;
    NEW.nas_staging_path := OLD.nas_staging_path;
    NEW.attempts := OLD.attempts;
    NEW.next_attempt_at := OLD.next_attempt_at;
    NEW.step := OLD.step;
    NEW.step_done := OLD.step_done;
    NEW.step_total := OLD.step_total;
    NEW.step_since := OLD.step_since;
    NEW.read_back := OLD.read_back;
    IF NEW.withdraw IS DISTINCT FROM OLD.withdraw
        AND NOT (NEW.withdraw = 'failed' AND coalesce(OLD.resumes_in, OLD.status) = 'committing' AND scand_role() IS NULL)
    THEN
        NEW.withdraw := OLD.withdraw;
    END IF;
    NEW.updated_at := OLD.updated_at;
    IF NOT consequence THEN
        NEW.batch_count := OLD.batch_count;
        NEW.pages_scanned := OLD.pages_scanned;
        NEW.last_activity_at := OLD.last_activity_at;
    END IF;
    IF NOT (OLD.status = 'committing' AND scand_client_commits()) THEN
        NEW.inbox_path := OLD.inbox_path;
        NEW.file_hash := OLD.file_hash;
        NEW.error := OLD.error;
        NEW.error_code := OLD.error_code;
        -- A document server links its own documents itself.
        IF NEW.doc_id IS DISTINCT FROM OLD.doc_id AND NOT consequence AND scand_owns_documents() THEN
            NEW.doc_id := OLD.doc_id;
        END IF;
    END IF;
    RETURN NEW;
END
$$;

-- As in 0019_titles, of a parked job, too.
CREATE OR REPLACE FUNCTION scand_retitle() RETURNS TRIGGER
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    old_status TEXT := coalesce(OLD.resumes_in, OLD.status);
BEGIN
    IF old_status = 'preview' AND NEW.status = 'committing' THEN
        RAISE EXCEPTION 'job %: with a new title it is merged anew before it can be committed', OLD.id
            USING ERRCODE = 'SD001', HINT = pg_catalog.format(
                'UPDATE scan_jobs SET title = %L WHERE id = %s; and commit the new preview.', NEW.title, OLD.id);
    ELSIF old_status = 'preview' AND NEW.status IN (OLD.status, 'preview') THEN
        NEW.status := 'assembling';
    ELSIF old_status IN ('committing', 'committed') THEN
        NEW.title := OLD.title;
    END IF;
    RETURN NEW;
END
$$;

-- As in 0019_titles, of a parked job, too.
CREATE OR REPLACE FUNCTION scand_leave_files() RETURNS TRIGGER
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    gone scan_jobs;
BEGIN
    FOR gone IN
        SELECT * FROM scan_jobs
        WHERE (TG_LEVEL = 'STATEMENT' OR id = OLD.id) AND (staging_path IS NOT NULL OR nas_staging_path IS NOT NULL)
    LOOP
        IF coalesce(gone.resumes_in, gone.status) = 'committing' AND gone.inbox_path IS NOT NULL THEN
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

-- As in 0004_events. What a client wants of a parked job is an event between the statuses in which it goes on.
CREATE OR REPLACE FUNCTION scand_record_step() RETURNS TRIGGER
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    from_status TEXT;  -- NULL: a new row
    to_status   TEXT := NEW.status;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        from_status := OLD.status;
        IF OLD.status = NEW.status THEN
            IF OLD.resumes_in IS NOT DISTINCT FROM NEW.resumes_in THEN
                RETURN NULL;
            END IF;
            from_status := coalesce(OLD.resumes_in, OLD.status);
            to_status := coalesce(NEW.resumes_in, 'ready');
        END IF;
    END IF;
    INSERT INTO scan_job_events (job_id, actor, from_status, to_status, error_code)
    VALUES (NEW.id, TG_ARGV[0], from_status, to_status, NEW.error_code);
    PERFORM pg_notify('scan_jobs', NEW.id::TEXT);
    RETURN NULL;
END
$$;

REVOKE EXECUTE ON FUNCTION scand_record_step() FROM PUBLIC;


-- Views -------------------------------------------------------------------------------------------------------

-- As in 0013_clocks, and how many of the jobs are parked.
CREATE OR REPLACE VIEW scan_queue_lag AS
SELECT
    status,
    count(j.id) AS jobs,
    round(max(scand_age(coalesce(j.last_progress_at, j.created_at)))::numeric, 3) AS oldest_seconds,
    count(j.resumes_in) AS parked
FROM unnest(scand_job_statuses()) WITH ORDINALITY AS life (status, ord)
LEFT JOIN (
    SELECT id, status, resumes_in, last_progress_at, created_at
    FROM scan_jobs
    -- Spelt as in idx_scan_jobs_unfinished, so that it is used.
    WHERE status IN ('draft', 'queued', 'ready', 'scanning', 'assembling', 'preview', 'committing', 'failed')
) AS j USING (status)
WHERE status NOT IN ('committed', 'canceled')
GROUP BY status, ord
ORDER BY ord;

-- As in sql/roles.sql, for a database in which it was run before.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'scand_agent' AND has_table_privilege(oid, 'scan_jobs', 'SELECT')) THEN
        GRANT UPDATE (withdraw) ON scan_jobs TO scand_agent;
    END IF;
END
$$;
