-- A client that commits by itself: it says where it has put the document, the document is the one that was previewed,
-- and the agent reads it back before any page of it leaves the local disk.
SELECT set_config('search_path', pg_catalog.format('%I, pg_temp', current_schema()), true);

-- As in sql/roles.sql, for a database in which it was run before read_back came.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'scand_agent')
        AND has_column_privilege('scand_agent', 'scan_jobs', 'inbox_path', 'UPDATE')
    THEN
        GRANT UPDATE (read_back) ON scan_jobs TO scand_agent;
    END IF;
END
$$;

-- What the agent still has to read back. `next_attempt_at` says when; NULL: it was looked for in vain, and a person
-- knows. The index holds only these jobs, so that asking costs the same with a million finished ones.
CREATE INDEX IF NOT EXISTS idx_scan_jobs_to_read_back ON scan_jobs (next_attempt_at)
    WHERE status = 'committed' AND read_back = false AND next_attempt_at IS NOT NULL;

-- Jobs that a client committed before: their pages stay until the document is found. A client could not write this.
SELECT set_config('scand.actor', 'agent', true);
UPDATE scan_jobs SET read_back = false, next_attempt_at = now()
WHERE status = 'committed' AND read_back IS NULL AND staging_path IS NOT NULL
    AND EXISTS (SELECT FROM scan_job_events e
                WHERE e.job_id = scan_jobs.id AND e.to_status = 'committed' AND e.actor = 'client');
SELECT set_config('scand.actor', '', true);

-- Whether a path is written as scand writes one: relative to the NAS root, without "..", nothing hidden.
CREATE OR REPLACE FUNCTION scand_is_clean_path(path TEXT) RETURNS BOOLEAN
LANGUAGE sql IMMUTABLE
RETURN coalesce(path <> '' AND octet_length(path) <= 4096 AND path !~ '[[:cntrl:]]' AND NOT EXISTS (
    SELECT FROM unnest(string_to_array(path, '/')) AS parts (part)
    WHERE part = '' OR left(part, 1) = '.' OR octet_length(part) > 255
), false);

-- A client's step committing → committed, refused with SD006 where it does not hold; and what else a client may write
-- of a job that is committing. By the order of their names this trigger comes after the others of a step.
CREATE OR REPLACE FUNCTION scand_client_commit() RETURNS TRIGGER
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    why TEXT;
BEGIN
    IF scand_actor() <> 'client' THEN
        RETURN NEW;
    END IF;
    NEW.nas_staging_path := OLD.nas_staging_path;  -- the agent removes that file, once it has read the document back
    IF NEW.status <> 'committed' THEN
        NEW.inbox_path := OLD.inbox_path;  -- with a name in the row the document may be in the Inbox already
        NEW.file_hash := OLD.file_hash;
        RETURN NEW;
    END IF;

    why := CASE
        WHEN OLD.inbox_path IS NOT NULL THEN
            pg_catalog.format('the agent is publishing it as %s, and ends that itself', OLD.inbox_path)
        WHEN OLD.file_hash IS NULL THEN
            'it has no file_hash to know the document by: take it back to preview, reopen it (ready), and finish it again'
        WHEN NEW.file_hash <> OLD.file_hash THEN
            pg_catalog.format('the document that was previewed has the SHA-256 %s, not %s', OLD.file_hash, NEW.file_hash)
        WHEN NEW.inbox_path IS NULL THEN
            'say where the document is now: SET status = ''committed'', inbox_path = ''PKM/Inbox/Title.pdf'''
        WHEN NOT scand_is_clean_path(NEW.inbox_path) THEN
            pg_catalog.format('inbox_path is relative to the NAS root, without "..", hidden names or control characters, and not %s',
                   pg_catalog.quote_literal(left(NEW.inbox_path, 200)))
        WHEN starts_with(NEW.inbox_path, regexp_replace(OLD.nas_staging_path, '[^/]*$', '')) THEN
            pg_catalog.format('%s is where the preview is, and the agent removes that: copy it elsewhere', NEW.inbox_path)
    END;
    IF why IS NOT NULL THEN
        RAISE EXCEPTION 'job %: not committed: %', OLD.id, why
            USING ERRCODE = 'SD006', HINT = 'docs/database.md has the recipe for clients that commit by themselves.';
    END IF;
    NEW.file_hash := OLD.file_hash;
    NEW.error := NULL;
    NEW.error_code := NULL;
    NEW.read_back := false;
    NEW.next_attempt_at := now();
    RETURN NEW;
END
$$;

CREATE OR REPLACE TRIGGER scan_jobs_take_client_commit
BEFORE UPDATE ON scan_jobs
FOR EACH ROW WHEN (OLD.status = 'committing')
EXECUTE FUNCTION scand_client_commit();
