-- Every statement that scand sends to the queue, by name: `store` runs the agent's, `desk` the clients'.
-- The database's clock is the only clock here. %(epoch)s in an agent's write is its right to write at all: with
-- another's epoch in scan_agent_status, or another status than it expects in the job, it touches 0 rows.

-- name: elect
-- The session that holds the advisory lock makes itself known and gets an epoch of its own.
UPDATE scan_agent_status
   SET epoch = epoch + 1, hostname = %(hostname)s, pid = %(pid)s, started_at = now(), last_heartbeat = now(),
       agent_version = %(version)s, current_job_id = NULL, state = 'starting', ready = false, updated_at = now()
 WHERE id = 1
RETURNING epoch;

-- name: leader
-- Who has the advisory lock, as far as the status row knows.
SELECT hostname, pid, epoch FROM scan_agent_status WHERE id = 1;

-- name: installation
-- This database's own id, and whether documents is scand's own table.
SELECT (SELECT id::text FROM scand_installation) AS id, scand_owns_documents() AS owns_documents;

-- name: look
-- One round trip a wake: whose epoch it is, the active job with its batches, whether another waits, and a job
-- that has a file staged on the NAS but wants it no more. Of settings and title no more than anybody means: they
-- are read at every look. And what became of the job that was active at the last look (%(former)s), and a document
-- that a client has committed and the agent has yet to read back.
SELECT s.epoch, q.queued, former.status AS former_status, former.inbox_path AS former_path, j.*, stale.stale, unread.unread
  FROM scan_agent_status s
 CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM scan_jobs WHERE status = 'queued') AS queued) q
  LEFT JOIN LATERAL (
    SELECT a.id, left(title, 4000) AS title,
           CASE WHEN octet_length(settings::text) > 1048576 THEN '"more than 1 MiB of JSON"' ELSE settings END AS settings,
           status, created_at, page_count, staging_path, nas_staging_path, inbox_path, file_hash, error, error_code, attempts,
           extract(epoch FROM now() - last_activity_at)::float8 AS idle,
           greatest(0, coalesce(extract(epoch FROM next_attempt_at - now()), 0))::float8 AS wait,
           newest.id AS entered, newest.from_status AS entered_from,
           EXISTS (SELECT FROM scan_job_events e
                    WHERE e.job_id = a.id AND e.from_status = 'preview' AND e.to_status = 'ready') AS reopened,
           EXISTS (SELECT FROM scan_job_events e
                    WHERE e.job_id = a.id AND e.to_status = 'assembling') AS assembled,
           (SELECT jsonb_agg(jsonb_build_object(
                     'seq', b.batch_seq, 'staging_path', b.staging_path, 'page_count', b.page_count,
                     'status', b.status, 'error_code', b.error_code, 'file_hash', b.file_hash)
                   ORDER BY b.batch_seq)
              FROM scan_job_batches b WHERE b.job_id = a.id) AS batches
      FROM scan_jobs a
      LEFT JOIN LATERAL (SELECT e.id, e.from_status FROM scan_job_events e
                          WHERE e.job_id = a.id ORDER BY e.id DESC LIMIT 1) newest ON true
     WHERE status IN ('ready', 'scanning', 'assembling', 'preview', 'committing')
     LIMIT 1) j ON true
  LEFT JOIN LATERAL (
    SELECT jsonb_build_object('id', id, 'nas_staging_path', nas_staging_path) AS stale
      FROM scan_jobs
     WHERE nas_staging_path IS NOT NULL AND status IN ('draft', 'queued', 'ready', 'canceled')
     ORDER BY id LIMIT 1) stale ON true
  LEFT JOIN LATERAL (
    SELECT jsonb_build_object('id', id, 'inbox_path', inbox_path, 'file_hash', file_hash, 'attempts', attempts) AS unread
      FROM scan_jobs
     WHERE status = 'committed' AND read_back = false AND next_attempt_at <= now()
     ORDER BY next_attempt_at LIMIT 1) unread ON true
  LEFT JOIN scan_jobs former ON former.id = %(former)s
 WHERE s.id = 1;

-- name: claim
-- The oldest queued job, only where none is active. The unique index decides between two who claim at once.
WITH me AS (
  SELECT FROM scan_agent_status WHERE id = 1 AND epoch = %(epoch)s FOR SHARE
), next AS (
  SELECT id FROM scan_jobs
   WHERE status = 'queued'
     AND NOT EXISTS (SELECT FROM scan_jobs
                      WHERE status IN ('ready', 'scanning', 'assembling', 'preview', 'committing'))
   ORDER BY created_at, id LIMIT 1
     FOR UPDATE SKIP LOCKED
)
UPDATE scan_jobs j
   SET status = 'ready', last_activity_at = now(), staging_path = %(jobs)s || '/' || j.id
  FROM next
 WHERE j.id = next.id AND EXISTS (SELECT FROM me)
RETURNING j.id, left(j.title, 4000) AS title;

-- name: advance
-- One step of the agent, with what it found, if no step was taken since it looked (%(entered)s). A job that
-- comes back to ready gives its people time anew. In preview file_hash is the merge's; inbox_path, which is set while
-- committing, is the sign that a publication has begun.
UPDATE scan_jobs
   SET status = %(to_status)s, error = %(error)s, error_code = %(code)s,
       page_count = coalesce(%(page_count)s::int, page_count),
       nas_staging_path = coalesce(%(staged)s::text, nas_staging_path),
       inbox_path = CASE WHEN %(to_status)s = 'preview' THEN NULL ELSE inbox_path END,
       file_hash = coalesce(%(sha256)s::text, file_hash),
       last_activity_at = CASE WHEN %(to_status)s IN ('ready', 'preview') THEN now() ELSE last_activity_at END
 WHERE id = %(id)s AND status = %(from_status)s
   AND %(entered)s >= (SELECT coalesce(max(e.id), 0) FROM scan_job_events e WHERE e.job_id = %(id)s)
   AND EXISTS (SELECT FROM scan_agent_status WHERE id = 1 AND epoch = %(epoch)s FOR SHARE)
RETURNING id;

-- name: scan_now
-- The signal: a person's word, so a client's step.
UPDATE scan_jobs SET status = 'scanning' WHERE id = %(id)s AND status = 'ready' RETURNING id;

-- name: manual_job
-- The signal with no job ready: a new job, as a client makes it.
INSERT INTO scan_jobs (title, settings, status) VALUES (%(title)s, %(settings)s, 'queued') RETURNING id;

-- name: record_batch
-- A batch whose PDF is safe on disk.
INSERT INTO scan_job_batches
       (job_id, batch_seq, staging_path, page_count, blank_count, status, error_code, file_hash)
SELECT id, %(seq)s, %(path)s, %(pages)s, %(blank)s, %(status)s, %(code)s, %(sha256)s
  FROM scan_jobs
 WHERE id = %(id)s AND status = %(expected)s
   AND EXISTS (SELECT FROM scan_agent_status WHERE id = 1 AND epoch = %(epoch)s FOR SHARE)
ON CONFLICT (job_id, batch_seq) DO NOTHING
RETURNING id;

-- name: after_batch
-- In the transaction of record_batch: the job is ready, clean or with the fault that needs a person; one that was
-- finished already goes on assembling, with this batch, too.
UPDATE scan_jobs
   SET status = CASE WHEN status = 'assembling' AND %(error)s::text IS NULL THEN status ELSE 'ready' END, error = %(error)s, error_code = %(error_code)s, attempts = 0, next_attempt_at = NULL,
       last_activity_at = now(), last_progress_at = now(),
       pages_scanned = (SELECT coalesce(sum(page_count), 0) FROM scan_job_batches
                         WHERE job_id = %(id)s AND status = 'scanned')
 WHERE id = %(id)s AND status = %(expected)s
RETURNING id;

-- name: postpone
-- The step stays where it is, says why, and is tried again. Tries are counted for each reason by itself.
UPDATE scan_jobs
   SET error = %(error)s, error_code = %(code)s,
       attempts = CASE WHEN error_code IS NOT DISTINCT FROM %(code)s THEN attempts + 1 ELSE 1 END,
       next_attempt_at = now() + make_interval(secs => %(seconds)s)
 WHERE id = %(id)s AND status = %(status)s
   AND EXISTS (SELECT FROM scan_agent_status WHERE id = 1 AND epoch = %(epoch)s FOR SHARE)
RETURNING id;

-- name: progress
-- The job moves. At most once a second, never once a page.
UPDATE scan_jobs
   SET last_progress_at = now(), pages_scanned = coalesce(%(pages)s::int, pages_scanned),
       step = %(step)s, step_done = %(done)s, step_total = %(total)s,
       step_since = CASE WHEN step IS DISTINCT FROM %(step)s OR step_done > %(done)s THEN now() ELSE step_since END
 WHERE id = %(id)s AND status IN ('ready', 'scanning', 'assembling', 'committing')
   AND EXISTS (SELECT FROM scan_agent_status WHERE id = 1 AND epoch = %(epoch)s FOR SHARE)
RETURNING id;

-- name: same_document
-- A committed job with these very bytes: the same document.
SELECT inbox_path FROM scan_jobs
 WHERE file_hash = %(sha256)s AND status = 'committed' AND id <> %(id)s ORDER BY id LIMIT 1;

-- name: name_publication
-- Before the one rename that publishes: the name and the hash are in the row.
UPDATE scan_jobs
   SET inbox_path = %(inbox_path)s, file_hash = %(sha256)s
 WHERE id = %(id)s AND status = 'committing'
   AND EXISTS (SELECT FROM scan_agent_status WHERE id = 1 AND epoch = %(epoch)s FOR SHARE)
RETURNING id;

-- name: link_document
-- scand's own documents table: a row a file, keyed by its hash.
INSERT INTO documents (title, path, file_hash)
SELECT title, %(inbox_path)s, %(sha256)s FROM scan_jobs WHERE id = %(id)s
ON CONFLICT (file_hash) DO NOTHING;

-- name: find_document
SELECT id FROM documents WHERE file_hash = %(sha256)s;

-- name: commit
-- In the Inbox, once.
UPDATE scan_jobs
   SET status = 'committed', error = NULL, error_code = NULL, inbox_path = %(inbox_path)s,
       file_hash = %(sha256)s, read_back = true, nas_staging_path = NULL, doc_id = coalesce(%(doc_id)s::bigint, doc_id)
 WHERE id = %(id)s AND status = 'committing'
   AND EXISTS (SELECT FROM scan_agent_status WHERE id = 1 AND epoch = %(epoch)s FOR SHARE)
RETURNING id;

-- name: expect_staged
-- Before the merge is copied to the NAS: where. So what a copy leaves is found when the job is canceled in mid-copy.
UPDATE scan_jobs SET nas_staging_path = %(staged)s
 WHERE id = %(id)s AND status = 'assembling'
   AND EXISTS (SELECT FROM scan_agent_status WHERE id = 1 AND epoch = %(epoch)s FOR SHARE)
RETURNING id;

-- name: forget_staged
-- The staged file of a job that wants it no more is gone.
UPDATE scan_jobs SET nas_staging_path = NULL, file_hash = NULL
 WHERE id = %(id)s AND status IN ('draft', 'queued', 'ready', 'canceled')
   AND EXISTS (SELECT FROM scan_agent_status WHERE id = 1 AND epoch = %(epoch)s FOR SHARE)
RETURNING id;

-- name: read_back
-- The document that a client has committed was found, or looked for in vain: then again in %(seconds)s, or no more.
UPDATE scan_jobs
   SET read_back = %(found)s, nas_staging_path = CASE WHEN %(found)s THEN NULL ELSE nas_staging_path END,
       error = %(error)s, error_code = %(code)s, attempts = %(attempts)s,
       next_attempt_at = now() + make_interval(secs => %(seconds)s)
 WHERE id = %(id)s AND status = 'committed' AND read_back = false
   AND EXISTS (SELECT FROM scan_agent_status WHERE id = 1 AND epoch = %(epoch)s FOR SHARE)
RETURNING id;

-- name: expire
-- Jobs that are over, and whose time on the agent's disk is over, too: of the committed ones only those whose document
-- the agent itself has read back, as it did before 0.2 whenever it committed; with %(not_read_back)s those, too, that it
-- has looked for in vain.
UPDATE scan_jobs SET staging_path = NULL
 WHERE id IN (SELECT id FROM scan_jobs
               WHERE staging_path IS NOT NULL AND status IN ('committed', 'canceled')
                 AND updated_at < now() - make_interval(secs => %(keep)s)
                 AND staging_path = %(jobs)s || '/' || id
                 AND id <> ALL (%(spare)s::bigint[])
                 AND (status = 'canceled' OR read_back OR (%(not_read_back)s AND read_back = false AND next_attempt_at IS NULL)
                      OR (read_back IS NULL AND EXISTS (
                      SELECT FROM scan_job_events e
                       WHERE e.job_id = scan_jobs.id AND e.to_status = 'committed' AND e.actor = 'agent')))
               ORDER BY updated_at LIMIT 100 FOR UPDATE SKIP LOCKED)
   AND EXISTS (SELECT FROM scan_agent_status WHERE id = 1 AND epoch = %(epoch)s FOR SHARE)
RETURNING id;

-- name: expire_batches
-- A canceled job may be queued again, and then starts without the batches that are gone.
UPDATE scan_job_batches b
   SET staging_path = NULL, status = CASE j.status WHEN 'canceled' THEN 'discarded' ELSE b.status END
  FROM scan_jobs j
 WHERE b.job_id = ANY (%(ids)s) AND j.id = b.job_id;

-- name: let_go
-- Of the jobs that have files on disk, those that are over and own them no more. Locked to the end of the
-- transaction, so that none comes back to life before its directory is out of the way.
SELECT id, created_at FROM scan_jobs
 WHERE id = ANY (%(ids)s) AND status IN ('committed', 'canceled') AND staging_path IS NULL
   AND EXISTS (SELECT FROM scan_agent_status WHERE id = 1 AND epoch = %(epoch)s)
   FOR NO KEY UPDATE SKIP LOCKED;

-- name: jobs_of
-- Whose the directories on disk can be.
SELECT id, created_at, status FROM scan_jobs WHERE id = ANY (%(ids)s::bigint[]);

-- name: heartbeat
-- Alive; and what it is at. A job that was deleted meanwhile is not referred to.
UPDATE scan_agent_status
   SET last_heartbeat = now(), updated_at = now(), state = %(state)s, ready = %(ready)s, device = %(device)s,
       current_job_id = (SELECT id FROM scan_jobs WHERE id = %(job_id)s)
 WHERE id = 1 AND epoch = %(epoch)s
RETURNING epoch;

-- name: sign_off
-- A daemon that stops says so.
UPDATE scan_agent_status
   SET updated_at = now(), state = 'stopped', ready = false, current_job_id = NULL
 WHERE id = 1 AND epoch = %(epoch)s
RETURNING epoch;
