-- Batches: what a client may do with them, and what the job knows of them.
--
-- Both functions have their owner's rights, since a client cannot write batch_count; as in 0004_events, the
-- triggers' WHEN tells who wrote.
SELECT set_config('search_path', format('%I, pg_temp', current_schema()), true);

-- A client sets a batch 'discarded', or back to 'scanned', while its job is ready: not under the scanner's
-- hands, nor under a merge. The job's row stays locked till the client's transaction ends, so that the job
-- cannot go on to merge what is being discarded.
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
FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status AND scand_actor() = 'client')
EXECUTE FUNCTION scand_check_batch();

-- Keeps scan_jobs.batch_count, pages_scanned once there is one (discarded batches do not count), and the idle
-- clock when it was a client that wrote (the argument says who). A job that is being deleted, with its batches
-- after it, is not found here, and nothing is done.
CREATE OR REPLACE FUNCTION scand_count_batches() RETURNS TRIGGER
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    job   BIGINT;
    kept  INTEGER;
    pages INTEGER;
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
            last_activity_at = CASE TG_ARGV[0] WHEN 'client' THEN now() ELSE last_activity_at END
        WHERE id = job AND (batch_count <> kept OR TG_ARGV[0] = 'client');
    END LOOP;
    RETURN NULL;
END
$$;

CREATE OR REPLACE TRIGGER scan_job_batches_count_of_client
AFTER INSERT OR UPDATE OR DELETE ON scan_job_batches
FOR EACH ROW WHEN (scand_actor() = 'client')
EXECUTE FUNCTION scand_count_batches('client');

CREATE OR REPLACE TRIGGER scan_job_batches_count_of_agent
AFTER INSERT OR UPDATE OR DELETE ON scan_job_batches
FOR EACH ROW WHEN (scand_actor() = 'agent')
EXECUTE FUNCTION scand_count_batches('agent');

REVOKE EXECUTE ON FUNCTION scand_check_batch(), scand_count_batches() FROM PUBLIC;
