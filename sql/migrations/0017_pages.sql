-- Pages: a row for each captured side, with a small picture; and what clients want done with it.
SELECT set_config('search_path', pg_catalog.format('%I, pg_temp', current_schema()), true);

-- The rows are the agent's copy of what is on its disk. `choice`, `turn` and `place` are a client's, and only a client's:
-- they are applied when the job is merged.
CREATE TABLE IF NOT EXISTS scan_job_pages (
    job_id      BIGINT      NOT NULL REFERENCES scan_jobs (id) ON DELETE CASCADE,
    batch_seq   INTEGER     NOT NULL CHECK (batch_seq > 0),
    page        INTEGER     NOT NULL CHECK (page > 0),      -- within the batch, as fed, from 1
    sheet       INTEGER     NOT NULL CHECK (sheet > 0),     -- within the batch, from 1
    side        TEXT        NOT NULL CHECK (side IN ('front', 'back')),
    width_mm    NUMERIC     NOT NULL,
    height_mm   NUMERIC     NOT NULL,
    blank       BOOLEAN     NOT NULL DEFAULT false,         -- left out, unless the choice is 'kept'
    suspect     BOOLEAN     NOT NULL DEFAULT false,         -- it may have hidden another sheet: as blank
    sha256      CHAR(64)    NOT NULL,                       -- of the page's file on the agent's disk
    captured_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    picture     BYTEA,                                      -- JPEG; NULL: none was made, or the files are gone
    choice      TEXT        CHECK (choice IN ('kept', 'dropped')),  -- NULL: as the settings say
    turn        INTEGER     NOT NULL DEFAULT 0 CHECK (turn IN (0, 90, 180, 270)),  -- degrees, clockwise
    -- The order in the merge; NULL: as fed, which is 10000 * batch_seq + page.
    place       NUMERIC     CHECK (place > -1e15 AND place < 1e15 AND scale(place) <= 10),
    PRIMARY KEY (job_id, batch_seq, page)
);

-- Who may write what; see 0011_guards. A page keeps its job, its batch and its number for ever.
CREATE OR REPLACE FUNCTION scand_guard_page() RETURNS TRIGGER
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    is_client BOOLEAN := scand_actor() = 'client';
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF (NEW.job_id, NEW.batch_seq, NEW.page) IS DISTINCT FROM (OLD.job_id, OLD.batch_seq, OLD.page) THEN
            RAISE EXCEPTION 'page %.% of job %: a page keeps its batch and its number',
                OLD.batch_seq, OLD.page, OLD.job_id
                USING ERRCODE = 'SD002', HINT = 'To move it in the document, write its place.';
        END IF;
        IF is_client THEN
            OLD.choice := NEW.choice;
            OLD.turn := coalesce(NEW.turn, 0);
            OLD.place := NEW.place;
            RETURN OLD;
        END IF;
        NEW.choice := OLD.choice;
        NEW.turn := OLD.turn;
        NEW.place := OLD.place;
        RETURN NEW;
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF is_client THEN
            RAISE EXCEPTION 'page %.% of job %: pages are made by scanning, not by a client',
                NEW.batch_seq, NEW.page, NEW.job_id
                USING ERRCODE = 'SD002';
        END IF;
        NEW.choice := NULL;
        NEW.turn := 0;
        NEW.place := NULL;
        RETURN NEW;
    END IF;
    -- With a job that is deleted its pages go, too: it is not found any more then.
    IF is_client AND EXISTS (SELECT FROM scan_jobs WHERE id = OLD.job_id) THEN
        RAISE EXCEPTION 'page %.% of job %: a page cannot be deleted, since it is on disk',
            OLD.batch_seq, OLD.page, OLD.job_id
            USING ERRCODE = 'SD002', HINT = pg_catalog.format(
                'To leave it out: UPDATE scan_job_pages SET choice = ''dropped'' WHERE job_id = %s AND batch_seq = %s '
                'AND page = %s.', OLD.job_id, OLD.batch_seq, OLD.page);
    END IF;
    RETURN OLD;
END
$$;

CREATE OR REPLACE TRIGGER scan_job_pages_guard
BEFORE INSERT OR UPDATE OR DELETE ON scan_job_pages
FOR EACH ROW EXECUTE FUNCTION scand_guard_page();

-- A client edits pages while the job is ready: not under a merge, nor after it. The job's row stays locked till its
-- transaction ends, so that the job cannot go on to merge what is being changed. It has its owner's rights, as in
-- 0005_batches; WHEN tells who wrote.
CREATE OR REPLACE FUNCTION scand_check_page() RETURNS TRIGGER
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    job_status TEXT;
BEGIN
    SELECT status INTO job_status FROM scan_jobs WHERE id = OLD.job_id FOR NO KEY UPDATE;
    IF job_status <> 'ready' THEN
        RAISE EXCEPTION 'page %.% of job %: can be dropped, kept, turned or moved only while the job is ready; it is %',
            OLD.batch_seq, OLD.page, OLD.job_id, job_status
            USING ERRCODE = 'SD002';
    END IF;
    RETURN NEW;
END
$$;

REVOKE EXECUTE ON FUNCTION scand_check_page() FROM PUBLIC;

CREATE OR REPLACE TRIGGER scan_job_pages_check
BEFORE UPDATE ON scan_job_pages
FOR EACH ROW WHEN (
    scand_actor() = 'client' AND (OLD.choice, OLD.turn, OLD.place) IS DISTINCT FROM (NEW.choice, NEW.turn, NEW.place)
)
EXECUTE FUNCTION scand_check_page();

-- An edit raises `steps` of its job once, however many pages it changes, and is a person's activity. The job's own
-- triggers then notify whoever listens.
CREATE OR REPLACE FUNCTION scand_pages_edited() RETURNS TRIGGER
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    UPDATE scan_jobs SET steps = steps + 1, last_activity_at = now()
    WHERE id IN (
        SELECT n.job_id FROM new_pages n JOIN old_pages o USING (job_id, batch_seq, page)
        WHERE (n.choice, n.turn, n.place) IS DISTINCT FROM (o.choice, o.turn, o.place)
    );
    RETURN NULL;
END
$$;

REVOKE EXECUTE ON FUNCTION scand_pages_edited() FROM PUBLIC;

CREATE OR REPLACE TRIGGER scan_job_pages_edited
AFTER UPDATE ON scan_job_pages REFERENCING OLD TABLE AS old_pages NEW TABLE AS new_pages
FOR EACH STATEMENT WHEN (scand_actor() = 'client')
EXECUTE FUNCTION scand_pages_edited();

-- New pages are there to be seen: at most once a second, since the agent writes several at a time.
CREATE OR REPLACE FUNCTION scand_pages_came() RETURNS TRIGGER
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM pg_notify('scan_jobs', job_id::TEXT) FROM (SELECT DISTINCT job_id FROM new_pages) AS jobs;
    RETURN NULL;
END
$$;

CREATE OR REPLACE TRIGGER scan_job_pages_came
AFTER INSERT ON scan_job_pages REFERENCING NEW TABLE AS new_pages
FOR EACH STATEMENT EXECUTE FUNCTION scand_pages_came();

-- As in sql/roles.sql, for a database in which it was run before.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'scand_agent' AND has_table_privilege(oid, 'scan_jobs', 'SELECT')) THEN
        GRANT SELECT ON scan_job_pages TO scand_client, scand_agent;
        GRANT UPDATE (choice, turn, place) ON scan_job_pages TO scand_client;
        GRANT INSERT, UPDATE, DELETE ON scan_job_pages TO scand_agent;
    END IF;
END
$$;
