-- The life of a job: which status may follow which, who may say so, and one trigger that holds everybody to
-- it, psql included.
-- Former SHA-256: 1412fd35febcbbfcc8614458eda44970428c24ee70b05cb079cf809fc44e8f3c
SELECT set_config('search_path', format('%I, pg_temp', current_schema()), true);

-- Every legal step. Same as `STEPS` in scand/lifecycle.py: the daemon compares them when it starts.
CREATE TABLE IF NOT EXISTS scan_job_transitions (
    from_status TEXT,                                              -- NULL: a new row
    to_status   TEXT NOT NULL,
    actor       TEXT NOT NULL CHECK (actor IN ('client', 'agent'))
);

-- A step stands once. PostgreSQL 14 has no NULLS NOT DISTINCT, with which 0.1 said the same; its databases keep that.
CREATE UNIQUE INDEX IF NOT EXISTS uq_scan_job_transitions
    ON scan_job_transitions (coalesce(from_status, ''), to_status, actor);

INSERT INTO scan_job_transitions (from_status, to_status, actor) VALUES
    (NULL,         'draft',      'client'),
    (NULL,         'queued',     'client'),
    ('draft',      'queued',     'client'),  -- please scan this
    ('draft',      'canceled',   'client'),
    ('queued',     'draft',      'client'),  -- not yet
    ('queued',     'ready',      'agent'),   -- claimed: the scanner is this job's
    ('queued',     'canceled',   'client'),
    ('ready',      'scanning',   'client'),  -- scan one batch now
    ('ready',      'scanning',   'agent'),   -- the same, by the signal or "scan": "auto"
    ('ready',      'assembling', 'client'),  -- merge the kept batches
    ('ready',      'assembling', 'agent'),
    ('ready',      'canceled',   'client'),
    ('ready',      'canceled',   'agent'),   -- idle, and nothing scanned at all
    ('ready',      'failed',     'agent'),   -- idle, and a fault that nobody answered
    ('scanning',   'ready',      'agent'),   -- the batch is recorded, or a fault needs a person
    ('scanning',   'canceled',   'client'),
    ('scanning',   'failed',     'agent'),
    ('assembling', 'preview',    'agent'),   -- the verified merge is on the NAS
    ('assembling', 'ready',      'client'),  -- not now
    ('assembling', 'ready',      'agent'),   -- cannot merge as asked
    ('assembling', 'canceled',   'client'),
    ('assembling', 'failed',     'agent'),
    ('preview',    'ready',      'client'),  -- reopen: add, discard or restore batches
    ('preview',    'committing', 'client'),  -- commit
    ('preview',    'committing', 'agent'),
    ('preview',    'canceled',   'client'),
    ('preview',    'failed',     'agent'),
    ('committing', 'committed',  'agent'),   -- in the Inbox, once
    ('committing', 'preview',    'client'),  -- not now
    ('committing', 'preview',    'agent'),   -- refused: not the file that was previewed
    ('committing', 'failed',     'agent'),
    ('failed',     'queued',     'client'),  -- again, from the kept batches on
    ('failed',     'canceled',   'client'),
    ('canceled',   'queued',     'client')
ON CONFLICT DO NOTHING;

-- The trigger below reads it with the rights of whoever updates a job: also of a web that was there before
-- scand came and knows nothing of its roles. It holds no secret.
GRANT SELECT ON scan_job_transitions TO PUBLIC;


-- Who is who ------------------------------------------------------------------------------------------------

-- 'client' or 'agent' for a member of exactly one of the two roles; NULL for a member of both (every superuser
-- is) or of neither, and where sql/roles.sql was never run. In plpgsql, which keeps its plan: it is asked
-- several times with each write.
CREATE OR REPLACE FUNCTION scand_role() RETURNS TEXT
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
BEGIN
    RETURN CASE ARRAY(
        SELECT rolname FROM pg_roles
        WHERE rolname IN ('scand_client', 'scand_agent') AND pg_has_role(oid, 'MEMBER')
    )
        WHEN '{scand_client}' THEN 'client'
        WHEN '{scand_agent}' THEN 'agent'
    END;
END
$$;

-- Who writes now: 'client' or 'agent'. Where the role does not tell, the daemon's sessions have said
-- SET scand.actor = 'agent', and everybody else is a client.
CREATE OR REPLACE FUNCTION scand_actor() RETURNS TEXT
LANGUAGE sql STABLE
RETURN coalesce(scand_role(), CASE current_setting('scand.actor', true) WHEN 'agent' THEN 'agent' ELSE 'client' END);

-- A member of one role takes that role's steps; a member of both or of neither takes any step of the table.
-- The first argument is NULL for a new row.
CREATE OR REPLACE FUNCTION scand_may_take(job_from TEXT, job_to TEXT) RETURNS BOOLEAN
LANGUAGE sql STABLE
RETURN EXISTS (
    SELECT FROM scan_job_transitions
    WHERE from_status IS NOT DISTINCT FROM job_from AND to_status = job_to AND actor = coalesce(scand_role(), actor)
);


-- The steps -------------------------------------------------------------------------------------------------

-- Says no, with SQLSTATE SD001 and a sentence that names what would be legal.
CREATE OR REPLACE FUNCTION scand_refuse_step(job_id BIGINT, job_from TEXT, job_to TEXT) RETURNS VOID
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    -- A status from before scand's time comes in as a new job does.
    known_from  TEXT := CASE WHEN job_from = ANY (scand_job_statuses()) THEN job_from END;
    legal       TEXT;
    whose       TEXT;
    explanation TEXT := 'Every legal step is a row of scan_job_transitions.';
BEGIN
    SELECT string_agg(to_status, ', ' ORDER BY array_position(scand_job_statuses(), to_status))
    INTO legal
    FROM scan_job_transitions
    WHERE from_status IS NOT DISTINCT FROM known_from AND actor = scand_actor();

    SELECT actor
    INTO whose
    FROM scan_job_transitions
    WHERE from_status IS NOT DISTINCT FROM known_from AND to_status = job_to;

    IF job_from = 'committed' THEN
        explanation := 'A committed job is in the Inbox and never changes again.';
    ELSIF whose IS NOT NULL THEN
        explanation := format('That step is the %s''s; this session is the %s''s.', whose, scand_actor());
    ELSIF job_to <> ALL (scand_job_statuses()) THEN
        explanation := format('A job''s status is one of: %s.', array_to_string(scand_job_statuses(), ', '));
    END IF;

    IF job_from IS NULL AND whose IS NOT NULL THEN
        RAISE EXCEPTION 'a new job is the client''s to make' USING ERRCODE = 'SD001', HINT = explanation;
    ELSIF job_from IS NULL THEN
        RAISE EXCEPTION 'a new job starts as draft or queued, not as "%"', job_to
            USING ERRCODE = 'SD001', HINT = explanation;
    ELSE
        RAISE EXCEPTION 'job %: % → % is not a step; from %: %',
            job_id, job_from, job_to, job_from, coalesce(legal, 'none')
            USING ERRCODE = 'SD001', HINT = explanation;
    END IF;
END
$$;

CREATE OR REPLACE FUNCTION scand_take_step() RETURNS TRIGGER
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    from_status TEXT;  -- NULL: a new row
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NOT scand_may_take(NULL, NEW.status) THEN
            PERFORM scand_refuse_step(NEW.id, NULL, NEW.status);
        END IF;
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
    -- back now might commit it twice.
    IF OLD.status = 'committing' AND NEW.status = 'preview' AND NEW.inbox_path IS NOT NULL
        AND scand_actor() = 'client'
    THEN
        RAISE EXCEPTION 'job %: its document is on its way into the Inbox (%): too late to take it back',
            OLD.id, NEW.inbox_path
            USING ERRCODE = 'SD001';
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

CREATE OR REPLACE TRIGGER scan_jobs_new
BEFORE INSERT ON scan_jobs
FOR EACH ROW EXECUTE FUNCTION scand_take_step();

-- An UPDATE that leaves the status alone is never in anybody's way.
CREATE OR REPLACE TRIGGER scan_jobs_step
BEFORE UPDATE ON scan_jobs
FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status)
EXECUTE FUNCTION scand_take_step();


-- The clocks ------------------------------------------------------------------------------------------------

-- updated_at follows every UPDATE that does not set it itself. last_activity_at, the idle clock of `ready`,
-- follows what clients write; the agent sets it when it means to. What other triggers and foreign keys write
-- in consequence (depth 2 and more) is nobody's activity.
CREATE OR REPLACE FUNCTION scand_touch_job() RETURNS TRIGGER
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.updated_at = OLD.updated_at THEN
        NEW.updated_at := now();
    END IF;
    IF pg_trigger_depth() = 1 AND scand_actor() = 'client' THEN
        NEW.last_activity_at := now();
    END IF;
    RETURN NEW;
END
$$;

CREATE OR REPLACE TRIGGER scan_jobs_touch
BEFORE INSERT OR UPDATE ON scan_jobs
FOR EACH ROW EXECUTE FUNCTION scand_touch_job();
