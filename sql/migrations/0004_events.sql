-- What happened to a job: a row for every step, and a notification for whoever listens.
SELECT set_config('search_path', format('%I, pg_temp', current_schema()), true);

CREATE TABLE IF NOT EXISTS scan_job_events (
    id          BIGSERIAL   PRIMARY KEY,
    job_id      BIGINT      NOT NULL REFERENCES scan_jobs (id) ON DELETE CASCADE,
    at          TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),  -- two steps of one transaction differ
    actor       TEXT        NOT NULL,                            -- 'client' or 'agent'
    from_status TEXT,                                            -- NULL: a new row
    to_status   TEXT        NOT NULL,
    error_code  TEXT                                             -- the fault the job had as it took the step
);

CREATE INDEX IF NOT EXISTS idx_scan_job_events_job ON scan_job_events (job_id, id);

-- Nobody can write scan_job_events but this function: it has its owner's rights. Its argument is the actor.
--
-- NOTIFY scan_jobs carries the job's id. It is a hint and may get lost: look at the rows, and look again
-- every now and then.
CREATE OR REPLACE FUNCTION scand_record_step() RETURNS TRIGGER
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    from_status TEXT;  -- NULL: a new row
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF OLD.status = NEW.status THEN
            RETURN NULL;
        END IF;
        from_status := OLD.status;
    END IF;
    INSERT INTO scan_job_events (job_id, actor, from_status, to_status, error_code)
    VALUES (NEW.id, TG_ARGV[0], from_status, NEW.status, NEW.error_code);
    PERFORM pg_notify('scan_jobs', NEW.id::TEXT);
    RETURN NULL;
END
$$;

-- Triggers fire for everybody all the same; but nobody may hang this function on a table of his own.
REVOKE EXECUTE ON FUNCTION scand_record_step() FROM PUBLIC;

-- Inside the function current_user is its owner, so that it cannot ask who wrote. WHEN is asked outside.
CREATE OR REPLACE TRIGGER scan_jobs_event_of_client
AFTER INSERT OR UPDATE ON scan_jobs
FOR EACH ROW WHEN (scand_actor() = 'client')
EXECUTE FUNCTION scand_record_step('client');

CREATE OR REPLACE TRIGGER scan_jobs_event_of_agent
AFTER INSERT OR UPDATE ON scan_jobs
FOR EACH ROW WHEN (scand_actor() = 'agent')
EXECUTE FUNCTION scand_record_step('agent');
