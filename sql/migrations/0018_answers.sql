-- After a fault a person says what becomes of the pages that came before it; until then the job is not merged.
SELECT set_config('search_path', pg_catalog.format('%I, pg_temp', current_schema()), true);

-- `answered` is false for a batch with pages that ended in a fault, until somebody has said what becomes of them. A kept
-- one is answered by the next complete batch, too, since that is the rest of its stack. `error` is the sentence about
-- the fault: that of the job is overwritten by whatever happens next.
ALTER TABLE scan_job_batches
    ADD COLUMN IF NOT EXISTS answered BOOLEAN NOT NULL DEFAULT true,
    ADD COLUMN IF NOT EXISTS error    TEXT;

-- Batches from before. A committed job is over; a canceled one can be queued again, with the batches that are still on
-- disk.
SELECT set_config('scand.actor', 'agent', true);
UPDATE scan_job_batches b SET answered = false
  FROM scan_jobs j
 WHERE j.id = b.job_id AND j.status = ANY (scand_job_statuses()) AND j.status <> 'committed'
   AND b.error_code <> 'page_limit' AND b.page_count > 0 AND b.staging_path IS NOT NULL
   AND NOT (b.status = 'scanned' AND EXISTS (
       SELECT FROM scan_job_batches l
        WHERE l.job_id = b.job_id AND l.batch_seq > b.batch_seq AND l.page_count > 0
          AND coalesce(l.error_code, 'page_limit') = 'page_limit'));
SELECT set_config('scand.actor', '', true);


-- What a client writes ----------------------------------------------------------------------------------------

-- As in 0011_guards. A client answers by another status, or by saying `answered`; it takes no answer back.
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
            NEW.error := OLD.error;
            NEW.file_hash := OLD.file_hash;
            NEW.answered := OLD.answered OR coalesce(NEW.answered, false) OR NEW.status IS DISTINCT FROM OLD.status;
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

-- As in 0005_batches; an answer, too, is given only while the job is ready.
CREATE OR REPLACE FUNCTION scand_check_batch() RETURNS TRIGGER
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    job_status TEXT;
BEGIN
    SELECT status INTO job_status FROM scan_jobs WHERE id = OLD.job_id FOR NO KEY UPDATE;
    -- Rows with a status from before scand's time are left alone.
    IF job_status <> 'ready'
        AND job_status = ANY (scand_job_statuses())
        AND OLD.status = ANY (scand_batch_statuses())
    THEN
        RAISE EXCEPTION 'batch % of job %: can be discarded or restored only while the job is ready; it is %',
            OLD.batch_seq, OLD.job_id, job_status
            USING ERRCODE = 'SD002';
    END IF;
    RETURN NEW;
END
$$;

CREATE OR REPLACE TRIGGER scan_job_batches_check
BEFORE UPDATE ON scan_job_batches
FOR EACH ROW WHEN (
    scand_actor() = 'client' AND (OLD.status IS DISTINCT FROM NEW.status OR (NEW.answered AND NOT OLD.answered))
)
EXECUTE FUNCTION scand_check_batch();

-- As in 0011_guards; an answer raises `steps` of the job, too.
CREATE OR REPLACE FUNCTION scand_count_batches() RETURNS TRIGGER
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    job     BIGINT;
    kept    INTEGER;
    pages   INTEGER;
    changed BOOLEAN := TG_OP <> 'UPDATE'
        OR (NEW.status, NEW.page_count, NEW.file_hash, NEW.answered)
           IS DISTINCT FROM (OLD.status, OLD.page_count, OLD.file_hash, OLD.answered);
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


-- No merge beside a batch that waits for an answer ------------------------------------------------------------

-- For the agent as for clients, since what is missing in a document nobody sees. It comes after the trigger that takes
-- the step, by the order of their names; the job's row is locked by then, and so is whoever records or answers a batch.
-- It has its owner's rights, as scand_check_batch: whoever updates jobs need not be able to read batches.
CREATE OR REPLACE FUNCTION scand_require_answers() RETURNS TRIGGER
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    batch  scan_job_batches%ROWTYPE;
    pages  TEXT;
    choice TEXT;
BEGIN
    SELECT * INTO batch FROM scan_job_batches
     WHERE job_id = OLD.id AND NOT answered AND page_count > 0 ORDER BY batch_seq LIMIT 1;
    IF NOT FOUND THEN
        RETURN NEW;
    END IF;
    pages := batch.page_count || CASE batch.page_count WHEN 1 THEN ' page' ELSE ' pages' END;
    -- The same words as in scand/jobs/answers.py.
    choice := CASE batch.status
        WHEN 'scanned' THEN 'its %3$s are kept, and the rest may be missing: feed the rest with scand scan %1$s; if that '
                            'was all, scand restore %1$s %2$s; to start over, scand discard %1$s %2$s'
        ELSE 'its %3$s are not in the document: scand restore %1$s %2$s takes them in, scand discard %1$s %2$s leaves '
             'them out'
    END;
    RAISE EXCEPTION '%', pg_catalog.format('job %1$s: batch %2$s ended in a fault (%4$s); ' || choice,
                                           OLD.id, batch.batch_seq, pages, batch.error_code)
        USING ERRCODE = 'SD004', HINT = pg_catalog.format(
            'In SQL: UPDATE scan_job_batches SET answered = true WHERE job_id = %s AND batch_seq = %s keeps it as it is '
            '(%s), SET status = %L changes that.', OLD.id, batch.batch_seq,
            CASE batch.status WHEN 'scanned' THEN 'kept' ELSE 'discarded' END,
            CASE batch.status WHEN 'scanned' THEN 'discarded' ELSE 'scanned' END);
END
$$;

REVOKE EXECUTE ON FUNCTION scand_require_answers() FROM PUBLIC;

CREATE OR REPLACE TRIGGER scan_jobs_step_answered
BEFORE UPDATE ON scan_jobs
FOR EACH ROW WHEN (OLD.status IN ('ready', 'preview') AND NEW.status = 'assembling')
EXECUTE FUNCTION scand_require_answers();

-- As in sql/roles.sql, for a database in which it was run before. The agent may write all columns of a batch.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'scand_client' AND has_table_privilege(oid, 'scan_jobs', 'SELECT')) THEN
        GRANT UPDATE (answered) ON scan_job_batches TO scand_client;
    END IF;
END
$$;
