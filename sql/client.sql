-- What a client does with the queue, by name (`scand/queue/intents.py`). The command line uses these statements; a web
-- application can use the same. Every write is an intent: a row that the agent finds, whenever it looks.

-- name: submit
-- A new job: 'draft', or 'queued' (please scan this).
INSERT INTO scan_jobs (title, settings, status) VALUES (%(title)s, %(settings)s, %(status)s) RETURNING id;

-- name: step
-- Every button is this statement. The trigger refuses what is not a step; 0 rows: somebody was faster. With a count of
-- steps it is taken only if the job still is what was seen then. A parked job is in the status in which it goes on, so that
-- a button works in the very moment of parking, too; what is returned tells what has become of the job.
UPDATE scan_jobs SET status = %(to_status)s
 WHERE id = %(id)s AND coalesce(resumes_in, status) = %(from_status)s AND steps = coalesce(%(steps)s::bigint, steps)
RETURNING status, resumes_in, withdraw;

-- name: give_up_unpublished
-- A job whose document may be in the Inbox, on a NAS that never comes back: an operator's, and refused to clients. The agent
-- lets it fail.
UPDATE scan_jobs SET withdraw = 'failed'
 WHERE id = %(id)s AND coalesce(resumes_in, status) = 'committing' AND inbox_path IS NOT NULL RETURNING withdraw;

-- name: scan_by_hand
-- A queued job that would scan by itself, and waits since the feeder may hold another's paper: whoever looks at the
-- feeder starts it.
UPDATE scan_jobs SET settings = settings || '{"scan": "manual"}'
 WHERE id = %(id)s AND status = 'queued' AND error_code = 'paper_left' RETURNING id;

-- name: set_batch
-- 'discarded' keeps a batch out of the merge, 'scanned' takes it back in; only while the job is ready. Whoever says so has
-- answered the fault that ended it, also where that is its status already.
UPDATE scan_job_batches SET status = %(status)s, answered = true WHERE job_id = %(id)s AND batch_seq = %(seq)s RETURNING id;

-- name: edit_pages
-- What is to be done with pages at the merge, all in one statement: the job's steps go up once. 0 rows: the job has changed
-- since its steps were read. Only while the job is ready.
UPDATE scan_job_pages p SET choice = wanted.choice, turn = wanted.turn, place = wanted.place
  FROM scan_jobs j, pg_catalog.json_to_recordset(%(pages)s) AS wanted (
         batch_seq int, page int, choice text, turn int, place numeric)
 WHERE p.job_id = %(id)s AND p.batch_seq = wanted.batch_seq AND p.page = wanted.page
   AND j.id = p.job_id AND j.steps = %(steps)s
RETURNING p.page;

-- name: unfinished
-- Every job that is not over: the active one, then the longest waiting. A parked one is queued. Spelt as in idx_scan_jobs_unfinished, so
-- that it is used.
SELECT id, status, resumes_in FROM scan_jobs
 WHERE status IN ('draft', 'queued', 'ready', 'scanning', 'assembling', 'preview', 'committing', 'failed')
 ORDER BY status NOT IN ('ready', 'scanning', 'assembling', 'preview', 'committing'), created_at, id LIMIT 1000;

-- name: next_in_turn
-- The job that holds the scanner, or else the one that is claimed next to be scanned.
SELECT id FROM scan_jobs
 WHERE status IN ('draft', 'queued', 'ready', 'scanning', 'assembling', 'preview', 'committing', 'failed')
   AND status NOT IN ('draft', 'failed') AND resumes_in IS NULL
   AND (status <> 'queued' OR error_code IS DISTINCT FROM 'paper_left')
 ORDER BY status = 'queued', created_at, id LIMIT 1;

-- name: rename
-- Another title, in statuses in which it still reaches the document; a parked job is in the one in which it goes on. 0 rows:
-- the job is in another, or is not there.
UPDATE scan_jobs SET title = %(title)s
 WHERE id = %(id)s AND coalesce(resumes_in, status) = ANY (%(statuses)s) RETURNING id;

-- name: job
SELECT id, left(title, 4000) AS title, coalesce(pg_catalog.to_jsonb(scand_unreadable(settings)), settings) AS settings, status,
       steps, batch_count, page_count, pages_scanned, staging_path, nas_staging_path, inbox_path, file_hash, read_back,
       doc_id, (SELECT coalesce(sum(b.page_count), 0) FROM scan_job_batches b WHERE b.job_id = scan_jobs.id
                   AND b.status = 'discarded' AND b.error_code <> 'page_limit') AS left_out, error, error_code, attempts, next_attempt_at, last_activity_at, last_progress_at, step, step_done, step_total,
       step_since, created_at, updated_at, clock_timestamp() AS seen_at, resumes_in, withdraw
  FROM scan_jobs
 WHERE id = %(id)s;

-- name: jobs
-- Jobs, the newest first. Where a value is given: only those before a job, in these statuses ('parked': the queued ones
-- that go on where they were), with a title that
-- contains a text (in any case), made since a moment, or made at most so many seconds ago.
SELECT id, left(title, 4000) AS title, coalesce(pg_catalog.to_jsonb(scand_unreadable(settings)), settings) AS settings, status,
       steps, batch_count, page_count, pages_scanned, staging_path, nas_staging_path, inbox_path, file_hash, read_back,
       doc_id, (SELECT coalesce(sum(b.page_count), 0) FROM scan_job_batches b WHERE b.job_id = scan_jobs.id
                   AND b.status = 'discarded' AND b.error_code <> 'page_limit') AS left_out, error, error_code, attempts, next_attempt_at, last_activity_at, last_progress_at, step, step_done, step_total,
       step_since, created_at, updated_at, clock_timestamp() AS seen_at, resumes_in, withdraw
  FROM scan_jobs
 WHERE (%(before)s::bigint IS NULL OR id < %(before)s)
   AND (%(statuses)s::text[] IS NULL OR status = ANY (%(statuses)s)
        OR (resumes_in IS NOT NULL AND 'parked' = ANY (%(statuses)s)))
   AND (%(title)s::text IS NULL OR position(lower(%(title)s) IN lower(title)) > 0)
   AND (%(since)s::timestamptz IS NULL OR created_at >= %(since)s)
   AND (%(ago)s::float8 IS NULL OR created_at >= now() - make_interval(secs => %(ago)s))
 ORDER BY id DESC LIMIT %(limit)s;

-- name: more
-- How many jobs there are beyond the ones that are shown; counted up to a limit, since there may be a million.
SELECT count(*) AS jobs FROM (
  SELECT FROM scan_jobs
   WHERE id < %(before)s
     AND (%(statuses)s::text[] IS NULL OR status = ANY (%(statuses)s)
        OR (resumes_in IS NOT NULL AND 'parked' = ANY (%(statuses)s)))
     AND (%(title)s::text IS NULL OR position(lower(%(title)s) IN lower(title)) > 0)
     AND (%(since)s::timestamptz IS NULL OR created_at >= %(since)s)
     AND (%(ago)s::float8 IS NULL OR created_at >= now() - make_interval(secs => %(ago)s))
   LIMIT %(limit)s) AS older;

-- name: statuses
-- "deleted" is a job that was deleted and has files left.
SELECT id, status FROM scan_jobs WHERE id = ANY (%(ids)s)
UNION ALL
SELECT job_id, 'deleted' FROM scand_deleted_jobs d
 WHERE job_id = ANY (%(ids)s) AND NOT EXISTS (SELECT FROM scan_jobs WHERE id = d.job_id);

-- name: batches
-- A job's batches in the order of the merge.
SELECT batch_seq, status, page_count, blank_count, staging_path, error_code, file_hash, created_at, answered, error
  FROM scan_job_batches WHERE job_id = %(id)s ORDER BY batch_seq;

-- name: pages
-- A job's pages as fed, without their pictures.
SELECT batch_seq, page, sheet, side, blank, suspect, sha256, choice, turn, place, width_mm, height_mm,
       picture IS NOT NULL AS pictured
  FROM scan_job_pages WHERE job_id = %(id)s ORDER BY batch_seq, page;

-- name: pictures
-- The next pictures behind a page.
SELECT batch_seq, page, picture FROM scan_job_pages
 WHERE job_id = %(id)s AND picture IS NOT NULL AND (batch_seq, page) > (%(batch_seq)s::int, %(page)s::int)
 ORDER BY batch_seq, page LIMIT 100;

-- name: edits
-- How many pages are edited; those are kept that the settings would leave out.
SELECT count(*) FILTER (WHERE choice = 'dropped') AS dropped,
       count(*) FILTER (WHERE choice = 'kept' AND (blank OR suspect)) AS kept,
       count(*) FILTER (WHERE turn <> 0) AS turned, count(*) FILTER (WHERE place IS NOT NULL) AS moved
  FROM scan_job_pages WHERE job_id = %(id)s;

-- name: events
-- What happened to a job, step by step.
SELECT at, actor, from_status, to_status, error_code FROM scan_job_events WHERE job_id = %(id)s ORDER BY id;

-- name: mark
-- The newest job and the newest step: what has a higher id has happened since.
SELECT coalesce((SELECT max(id) FROM scan_jobs), 0) AS job, coalesce((SELECT max(id) FROM scan_job_events), 0) AS event;

-- name: steps_since
-- The steps that were taken since a mark, the oldest first.
SELECT job_id, actor, from_status, to_status, error_code FROM scan_job_events WHERE id > %(event)s ORDER BY id LIMIT 100;

-- name: not_read_back
-- Committed by clients, and looked for in vain: the newest of those whose pages are kept for that.
SELECT id FROM scan_jobs
 WHERE status = 'committed' AND read_back = false AND next_attempt_at IS NULL AND staging_path IS NOT NULL
 ORDER BY id DESC LIMIT 5;

-- name: health
-- Whether the agent is alive, and what it does.
SELECT heartbeat_age_seconds::float8, alive, ready, state, current_job_id, device, hostname, pid, agent_version,
       epoch, started_at
  FROM scan_agent_health;

-- name: lag
-- Where jobs pile up: a row for every status that a job can be stuck in.
SELECT status, jobs, oldest_seconds::float8, parked FROM scan_queue_lag;

-- name: roles
-- Whether sql/roles.sql was run here (roles are the whole server's, rights a database's), and what this login may.
SELECT name, coalesce(has_table_privilege(oid, 'scan_jobs', 'SELECT'), false) AS granted,
       coalesce(pg_has_role(session_user, oid, 'MEMBER'), false) AS member,
       has_table_privilege(session_user, 'scan_jobs', 'INSERT, UPDATE') AS direct
  FROM pg_catalog.unnest(ARRAY['scand_client', 'scand_agent']) AS name LEFT JOIN pg_roles ON rolname = name
 ORDER BY name DESC;
