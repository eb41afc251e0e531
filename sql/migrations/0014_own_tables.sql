-- What scand cannot do without is not emptied by accident, and a number that stands for a step never comes twice.
SELECT set_config('search_path', format('%I, pg_temp', current_schema()), true);

-- The id of a step tells one stay of a job in a status from another. TRUNCATE … RESTART IDENTITY on the jobs begins
-- again at 1 with the ids of whatever sequence a truncated table owns: this one goes on.
DO $$
DECLARE
    event_ids TEXT := pg_get_serial_sequence('scan_job_events', 'id');
BEGIN
    IF event_ids IS NOT NULL THEN
        EXECUTE format('ALTER SEQUENCE %s OWNED BY NONE', event_ids);
    END IF;
END
$$;

-- Says no, for everybody: these rows are not data of a site, and nobody has a reason to remove them.
CREATE OR REPLACE FUNCTION scand_keep_rows() RETURNS TRIGGER
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    RAISE EXCEPTION '% is not to be emptied: %', TG_TABLE_NAME,
        CASE TG_TABLE_NAME
            WHEN 'scand_installation' THEN 'its id is written beside the pages on the scan host'
            WHEN 'scand_migrations' THEN 'it says what was done to this database'
            ELSE 'without its rows no job can take a step'
        END
        USING ERRCODE = 'restrict_violation',
              HINT = 'To empty the queue: TRUNCATE scan_jobs CASCADE.';
END
$$;

CREATE OR REPLACE TRIGGER scand_installation_keep
BEFORE TRUNCATE OR DELETE OR UPDATE ON scand_installation
FOR EACH STATEMENT EXECUTE FUNCTION scand_keep_rows();

CREATE OR REPLACE TRIGGER scand_migrations_keep
BEFORE TRUNCATE ON scand_migrations
FOR EACH STATEMENT EXECUTE FUNCTION scand_keep_rows();

CREATE OR REPLACE TRIGGER scan_job_transitions_keep
BEFORE TRUNCATE ON scan_job_transitions
FOR EACH STATEMENT EXECUTE FUNCTION scand_keep_rows();

-- Where a trigger was disabled all the same, `scand migrate` puts the id back from here.
DO $$
BEGIN
    INSERT INTO scand_installation DEFAULT VALUES ON CONFLICT DO NOTHING;
    EXECUTE format('COMMENT ON TABLE scand_installation IS %L', (SELECT id FROM scand_installation));
END
$$;
