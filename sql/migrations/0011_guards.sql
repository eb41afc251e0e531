-- What a client writes, and what it cannot: for everybody who is not the agent, with the roles or without.
-- Former SHA-256: b14261bcf978458604bd7d542ce4cf846fe760560b5d7e6af1e159bbfbe66cd5
SELECT set_config('search_path', pg_catalog.format('%I, pg_temp', current_schema()), true);

-- Raised by one with every step of the job and every change of its batches. A client that says
-- "WHERE id = 42 AND steps = 7" acts on what it has seen or on nothing; a mapper can use it as its version column.
ALTER TABLE scan_jobs
    ADD COLUMN IF NOT EXISTS steps BIGINT NOT NULL DEFAULT 0;

-- Whether the agent has read the document back from the Inbox: true, or false after a client's commit until it has (see
-- 0015_client_commits.sql). NULL: the job is not committed, or was committed before this column came.
ALTER TABLE scan_jobs
    ADD COLUMN IF NOT EXISTS read_back BOOLEAN;


-- Bounds ------------------------------------------------------------------------------------------------------

-- Why nobody can read these settings; NULL: they can be read. A JSON number of ten bytes may have 131,072 digits
-- (1e131000), so they are not turned into text before their numbers are known to be short. The bounds of numbers
-- are those of a double: from 5e-324 to 1.8e308.
CREATE OR REPLACE FUNCTION scand_unreadable(settings JSONB) RETURNS TEXT
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path FROM CURRENT AS $$
BEGIN
    IF jsonb_path_exists(settings, 'strict $.**{100}') THEN
        RETURN 'JSON nested too deep (100 levels)';
    ELSIF pg_catalog.pg_column_size(pg_catalog.jsonb_build_array(settings)) > 2 * 1048576 THEN  -- as it is in memory, not compressed
        RETURN 'more than 1 MiB of JSON';
    ELSIF EXISTS (
        -- Not jsonb_path_query, whose time grows with the square of what it finds (10 s for 100,000 numbers).
        SELECT FROM jsonb_array_elements(jsonb_path_query_array(settings, 'strict $.** ? (@.type() == "number")'))
            AS found (value)
        WHERE abs(value::numeric) >= 1e309 OR scale(value::numeric) > 400
    ) THEN
        RETURN 'JSON with a number too long';
    ELSIF octet_length(settings::text) > 1048576 THEN
        RETURN 'more than 1 MiB of JSON';
    END IF;
    RETURN NULL;
END
$$;

-- Refuses what could not be read back.
CREATE OR REPLACE FUNCTION scand_check_size(title TEXT, settings JSONB) RETURNS VOID
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    why TEXT := scand_unreadable(settings);
BEGIN
    IF why IS NOT NULL THEN
        RAISE EXCEPTION 'settings cannot be %', why USING ERRCODE = 'SD005';
    ELSIF length(title) > 4000 THEN
        RAISE EXCEPTION 'a title has at most 4000 characters, and this one has %', length(title)
            USING ERRCODE = 'SD005';
    END IF;
END
$$;


-- Jobs --------------------------------------------------------------------------------------------------------

-- Whether this site's clients commit by themselves: sql/client-commits.sql was run.
CREATE OR REPLACE FUNCTION scand_client_commits() RETURNS BOOLEAN
LANGUAGE sql STABLE
RETURN EXISTS (
    SELECT FROM scan_job_transitions
    WHERE from_status = 'committing' AND to_status = 'committed' AND actor = 'client'
);

-- Whether a time that is written back with a row was read before the one that is there. Some mappers cut
-- microseconds off.
CREATE OR REPLACE FUNCTION scand_older(written TIMESTAMPTZ, present TIMESTAMPTZ) RETURNS BOOLEAN
LANGUAGE sql STABLE
RETURN coalesce(written < date_trunc('milliseconds', present), present IS NOT NULL);

-- A client chooses title, settings and status of a new job. The id may be its own, too, since some mappers take
-- the next one from the sequence themselves. Everything else begins as it must.
CREATE OR REPLACE FUNCTION scand_guard_new_job() RETURNS TRIGGER
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM scand_check_size(NEW.title, NEW.settings);
    IF NEW.id < 1 THEN
        RAISE EXCEPTION 'the id of a job is a number from 1' USING ERRCODE = 'SD005',
            HINT = 'Leave the id out: the database chooses it.';
    END IF;
    NEW.batch_count := 0;
    NEW.page_count := NULL;
    NEW.last_activity_at := NULL;
    NEW.last_progress_at := NULL;
    NEW.staging_path := NULL;
    NEW.nas_staging_path := NULL;
    NEW.inbox_path := NULL;
    NEW.file_hash := NULL;
    NEW.error := NULL;
    NEW.error_code := NULL;
    NEW.attempts := 0;
    NEW.next_attempt_at := NULL;
    NEW.pages_scanned := NULL;
    NEW.step := NULL;
    NEW.step_done := NULL;
    NEW.step_total := NULL;
    NEW.step_since := NULL;
    NEW.steps := 0;
    NEW.read_back := NULL;
    NEW.created_at := now();
    NEW.updated_at := now();
    IF NEW.doc_id IS NOT NULL AND scand_owns_documents() THEN
        NEW.doc_id := NULL;
    END IF;
    RETURN NEW;
END
$$;

CREATE OR REPLACE TRIGGER scan_jobs_guard_new
BEFORE INSERT ON scan_jobs
FOR EACH ROW WHEN (scand_actor() = 'client')
EXECUTE FUNCTION scand_guard_new_job();

-- A client changes title, settings and status. What else it writes is left as it was, without a word: a mapper that
-- saves whole rows writes everything back. But a status that was read before the row changed is not saved with them:
-- "scanning" of a minute ago would start the scanner. Such a row is known by its times and by `steps`.
--
-- By the order of their names this trigger comes before those of 0003_steps.
CREATE OR REPLACE FUNCTION scand_guard_job() RETURNS TRIGGER
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    is_client   BOOLEAN := scand_actor() = 'client';
    consequence BOOLEAN := pg_trigger_depth() > 1;  -- of a change of a batch or a document
    stepping    BOOLEAN := NEW.status IS DISTINCT FROM OLD.status;
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

    -- A version column that a mapper raises by one goes up by one, with a step or without.
    NEW.steps := OLD.steps + CASE WHEN stepping OR NEW.steps = OLD.steps + 1 THEN 1 ELSE 0 END;

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

CREATE OR REPLACE TRIGGER scan_jobs_guard
BEFORE UPDATE ON scan_jobs
FOR EACH ROW EXECUTE FUNCTION scand_guard_job();

-- As in 0003_steps, but by the clock and not by the beginning of the transaction: of two transactions the one that
-- writes later also has the later updated_at.
CREATE OR REPLACE FUNCTION scand_touch_job() RETURNS TRIGGER
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.updated_at = OLD.updated_at THEN
        NEW.updated_at := clock_timestamp();
    END IF;
    IF pg_trigger_depth() = 1 AND scand_actor() = 'client' THEN
        NEW.last_activity_at := now();
    END IF;
    RETURN NEW;
END
$$;


-- Batches -----------------------------------------------------------------------------------------------------

-- A client changes the status of a batch, and nothing else of it. A batch keeps its job and its number for ever:
-- under another number its pages would be found on disk once more.
CREATE OR REPLACE FUNCTION scand_guard_batch() RETURNS TRIGGER
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    is_client BOOLEAN := scand_actor() = 'client';
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF NEW.job_id IS DISTINCT FROM OLD.job_id OR NEW.batch_seq IS DISTINCT FROM OLD.batch_seq THEN
            RAISE EXCEPTION 'batch % of job %: a batch keeps its job and its number', OLD.batch_seq, OLD.job_id
                USING ERRCODE = 'SD002', HINT = 'Discard it, and scan its sheets again where they belong.';
        END IF;
        NEW.id := OLD.id;
        NEW.created_at := OLD.created_at;
        IF is_client THEN
            NEW.staging_path := OLD.staging_path;
            NEW.page_count := OLD.page_count;
            NEW.blank_count := OLD.blank_count;
            NEW.error_code := OLD.error_code;
            NEW.file_hash := OLD.file_hash;
        END IF;
        RETURN NEW;
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF is_client THEN
            RAISE EXCEPTION 'batch % of job %: batches are made by scanning, not by a client', NEW.batch_seq, NEW.job_id
                USING ERRCODE = 'SD002',
                HINT = pg_catalog.format('To scan one: UPDATE scan_jobs SET status = ''scanning'' WHERE id = %s.', NEW.job_id);
        END IF;
        RETURN NEW;
    END IF;
    -- With a job that is deleted its batches go, too: it is not found any more then. One with a status from before
    -- scand's time is left alone.
    IF is_client AND EXISTS (SELECT FROM scan_jobs WHERE id = OLD.job_id AND status = ANY (scand_job_statuses())) THEN
        RAISE EXCEPTION 'batch % of job %: a batch cannot be deleted, since its pages are on disk',
            OLD.batch_seq, OLD.job_id
            USING ERRCODE = 'SD002', HINT = pg_catalog.format(
                'To leave it out: UPDATE scan_job_batches SET status = ''discarded'' WHERE job_id = %s AND batch_seq = %s.',
                OLD.job_id, OLD.batch_seq);
    END IF;
    RETURN OLD;
END
$$;

CREATE OR REPLACE TRIGGER scan_job_batches_guard
BEFORE INSERT OR UPDATE OR DELETE ON scan_job_batches
FOR EACH ROW EXECUTE FUNCTION scand_guard_batch();

-- As in 0005_batches; and a batch that is new, gone, or changed raises `steps` of its job.
CREATE OR REPLACE FUNCTION scand_count_batches() RETURNS TRIGGER
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    job     BIGINT;
    kept    INTEGER;
    pages   INTEGER;
    changed BOOLEAN := TG_OP <> 'UPDATE'
        OR (NEW.status, NEW.page_count, NEW.file_hash) IS DISTINCT FROM (OLD.status, OLD.page_count, OLD.file_hash);
BEGIN
    -- First the lock, then the count: two sessions that change two batches of one job must not both miss
    -- what the other did.
    FOR job IN
        SELECT id FROM scan_jobs WHERE id IN (OLD.job_id, NEW.job_id) ORDER BY id FOR NO KEY UPDATE
    LOOP
        SELECT count(*), coalesce(sum(page_count), 0) INTO kept, pages
          FROM scan_job_batches WHERE job_id = job AND status = 'scanned';
        UPDATE scan_jobs
        SET batch_count = kept,
            pages_scanned = CASE WHEN pages_scanned IS NOT NULL THEN pages END,
            last_activity_at = CASE TG_ARGV[0] WHEN 'client' THEN now() ELSE last_activity_at END,
            steps = steps + CASE WHEN changed THEN 1 ELSE 0 END
        WHERE id = job AND (changed OR batch_count <> kept OR TG_ARGV[0] = 'client');
    END LOOP;
    RETURN NULL;
END
$$;


-- Notifications -----------------------------------------------------------------------------------------------

-- Beside those for new jobs and steps (0004_events): a batch, a title, a fault that came or went, and a job that was
-- deleted. Never for progress. The same notification twice in one transaction arrives once.
CREATE OR REPLACE FUNCTION scand_notify_job() RETURNS TRIGGER
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM pg_notify('scan_jobs', coalesce(NEW.id, OLD.id)::TEXT);
    RETURN NULL;
END
$$;

CREATE OR REPLACE TRIGGER scan_jobs_notify_change
AFTER UPDATE ON scan_jobs
FOR EACH ROW WHEN (
    OLD.steps <> NEW.steps OR OLD.title <> NEW.title OR OLD.error_code IS DISTINCT FROM NEW.error_code
)
EXECUTE FUNCTION scand_notify_job();

CREATE OR REPLACE TRIGGER scan_jobs_notify_delete
AFTER DELETE ON scan_jobs
FOR EACH ROW EXECUTE FUNCTION scand_notify_job();


-- Views -------------------------------------------------------------------------------------------------------

-- As in 0006_views; a time that is infinite, in a row from before these guards, is no age.
CREATE OR REPLACE VIEW scan_queue_lag AS
SELECT
    status,
    count(j.id) AS jobs,
    round(extract(epoch FROM clock_timestamp() - min(moved) FILTER (WHERE isfinite(moved))), 3) AS oldest_seconds,
    0::bigint AS parked  -- counted from 0021_parking on
FROM unnest(scand_job_statuses()) WITH ORDINALITY AS life (status, ord)
LEFT JOIN (
    SELECT id, status, coalesce(last_progress_at, created_at) AS moved
    FROM scan_jobs
    -- Spelt as in idx_scan_jobs_unfinished, so that it is used.
    WHERE status IN ('draft', 'queued', 'ready', 'scanning', 'assembling', 'preview', 'committing', 'failed')
) AS j USING (status)
WHERE status NOT IN ('committed', 'canceled')
GROUP BY status, ord
ORDER BY ord;
