-- In a schema in which others may make functions and operators, one with just the types of a call is preferred to
-- PostgreSQL's own that takes any type, and it runs with the rights of whoever made the call. So whatever takes any
-- type is called by its schema, and operators have operands of their own types.
SELECT pg_catalog.set_config('search_path', pg_catalog.format('%I, pg_temp', current_schema()), true);

-- As in 0003_steps.
CREATE OR REPLACE FUNCTION scand_role() RETURNS TEXT
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
BEGIN
    RETURN CASE (
        SELECT pg_catalog.string_agg(rolname::TEXT, ' ') FROM pg_catalog.pg_roles
        WHERE rolname IN ('scand_client', 'scand_agent') AND pg_catalog.pg_has_role(oid, 'MEMBER')
    )
        WHEN 'scand_client' THEN 'client'
        WHEN 'scand_agent' THEN 'agent'
    END;
END
$$;

-- As in 0003_steps.
CREATE OR REPLACE FUNCTION scand_refuse_step(job_id BIGINT, job_from TEXT, job_to TEXT) RETURNS VOID
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    -- A status from before scand's time comes in as a new job does.
    known_from  TEXT := CASE WHEN job_from = ANY (scand_job_statuses()) THEN job_from END;
    legal       TEXT;
    whose       TEXT;
    explanation TEXT := 'Every legal step is a row of scan_job_transitions.';
BEGIN
    SELECT pg_catalog.string_agg(to_status, ', ' ORDER BY pg_catalog.array_position(scand_job_statuses(), to_status))
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
        explanation := pg_catalog.format('That step is the %s''s; this session is the %s''s.', whose, scand_actor());
    ELSIF job_to <> ALL (scand_job_statuses()) THEN
        explanation := pg_catalog.format('A job''s status is one of: %s.', pg_catalog.array_to_string(scand_job_statuses(), ', '));
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
