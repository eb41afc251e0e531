-- Every statement that the agent sends to the queue, by name (`scand/queue/results.py`); those of clients are in client.sql.
-- The database's clock is the only clock here. An agent's write names its epoch, %(epoch)s, and the status that it
-- expects: where scan_agent_status has another epoch, or the job another status, it changes no row.
-- tests/integration/queue/test_fencing.py runs each write with a wrong one.

-- name: elect
-- The session that holds the advisory lock makes itself known and gets an epoch of its own.
UPDATE scan_agent_status
   SET epoch = epoch + 1, hostname = %(hostname)s, pid = %(pid)s, started_at = now(), last_heartbeat = now(),
       agent_version = %(version)s, current_job_id = NULL, state = 'starting', ready = false, updated_at = now()
 WHERE id = 1
RETURNING epoch;

-- name: make_status_row
-- Where the row is missing (TRUNCATE scan_jobs CASCADE takes it along): only the session with the advisory lock makes
-- it again. The number of a transaction is higher than any epoch before, since each of those took a transaction.
INSERT INTO scan_agent_status (id, epoch) VALUES (1, pg_current_xact_id()::text::bigint) ON CONFLICT (id) DO NOTHING;

-- name: leader
-- Who led last, as far as the status row knows.
SELECT hostname, pid, epoch FROM scan_agent_status WHERE id = 1;

-- name: lock_holder
-- Which session of this database has the advisory lock: a bigint key is two halves in pg_locks.
SELECT l.pid, a.application_name, a.usename, a.usename = session_user AS same_login
  FROM pg_locks l LEFT JOIN pg_stat_activity a USING (pid)
 WHERE l.locktype = 'advisory' AND l.objsubid = 1 AND l.granted
   AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
   AND (l.classid::bigint << 32) | l.objid::bigint = %(lock)s
 ORDER BY l.pid LIMIT 1;

-- name: blocker
-- Who is in the way of a statement that waited for a lock in vain: of the sessions with locks on the queue's tables
-- the one with the strongest, then the one whose transaction is the oldest.
SELECT l.pid, l.mode, c.relname AS relation, a.application_name, a.usename,
       to_char(a.xact_start, 'HH24:MI:SS "UTC"') AS since
  FROM pg_locks l
  JOIN pg_class c ON c.oid = l.relation
  LEFT JOIN pg_stat_activity a USING (pid)
 WHERE l.locktype = 'relation' AND l.granted AND l.pid <> pg_backend_pid()
   AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
   AND l.relation IN ('scan_jobs'::regclass, 'scan_job_batches'::regclass, 'scan_job_pages'::regclass, 'scan_job_events'::regclass,
                      'scan_agent_status'::regclass, 'scan_job_transitions'::regclass)
   AND l.mode <> 'AccessShareLock'
 ORDER BY pg_catalog.array_position(ARRAY['AccessExclusiveLock', 'ExclusiveLock', 'ShareRowExclusiveLock', 'ShareLock'], l.mode),
          a.xact_start, l.pid
 LIMIT 1;

-- name: installation
-- This database's own id, and whether documents is scand's own table.
SELECT (SELECT id::text FROM scand_installation) AS id, scand_owns_documents() AS owns_documents;

-- name: look
-- One round trip at each wake: whose epoch it is, the active job with its batches, whether another waits to be scanned (and,
-- with %(paper)s, the oldest that was not held up yet since the feeder may hold another's paper), the oldest parked
-- delivery, a parked job that has waited for too long (a preview for %(preview_timeout)s seconds, or one that an operator
-- gives up), what became of the job that was active at the last look (%(former)s), a file that is staged on the NAS for a
-- job that does not want it any more, or was deleted, and a document that a client has committed and the agent has yet
-- to read back.
-- Of texts and batches no more than anybody means: they are read at every look. Ages and waits are bounded (see
-- 0013_clocks.sql); %(longest)s is the longest pause between two tries in seconds, %(batches)s the most batches of a job.
SELECT s.epoch, q.queued, q.held, next.waiting, parked.delivery, overdue.overdue, former.status AS former_status, left(former.inbox_path, 4096) AS former_path, j.*,
       stale.stale, unread.unread
  FROM scan_agent_status s
 CROSS JOIN LATERAL (
    SELECT EXISTS (SELECT FROM scan_jobs WHERE status = 'queued' AND resumes_in IS NULL) AS queued,
           EXISTS (SELECT FROM scan_jobs WHERE status = 'queued' AND error_code = 'paper_left') AS held) q
  LEFT JOIN LATERAL (
    SELECT pg_catalog.jsonb_build_object(
             'id', id, 'settings', coalesce(pg_catalog.to_jsonb(scand_unreadable(settings)), settings)) AS waiting
      FROM scan_jobs
     WHERE %(paper)s AND status = 'queued' AND resumes_in IS NULL AND error_code IS DISTINCT FROM 'paper_left'
     ORDER BY created_at, id LIMIT 1) next ON true
  LEFT JOIN LATERAL (
    SELECT pg_catalog.jsonb_build_object('id', id, 'resumes_in', resumes_in) AS delivery
      FROM scan_jobs
     WHERE status = 'queued' AND resumes_in IN ('assembling', 'committing')
     ORDER BY created_at, id LIMIT 1) parked ON true
  LEFT JOIN LATERAL (
    SELECT pg_catalog.jsonb_build_object('id', id, 'resumes_in', resumes_in) AS overdue FROM (
      (SELECT id, resumes_in, last_activity_at FROM scan_jobs
        WHERE status = 'queued' AND resumes_in = 'preview' ORDER BY last_activity_at LIMIT 1)
      UNION ALL
      (SELECT id, resumes_in, NULL FROM scan_jobs
        WHERE status = 'queued' AND resumes_in IN ('assembling', 'committing') AND withdraw = 'failed' ORDER BY id LIMIT 1)) AS waits
     WHERE resumes_in = 'committing' OR scand_age(last_activity_at) >= %(preview_timeout)s::float8
     LIMIT 1) overdue ON true
  LEFT JOIN LATERAL (
    SELECT a.id, left(title, 4000) AS title,
           coalesce(pg_catalog.to_jsonb(scand_unreadable(settings)), settings) AS settings,
           status, created_at, page_count, left(staging_path, 4096) AS staging_path,
           left(nas_staging_path, 4096) AS nas_staging_path, left(inbox_path, 4096) AS inbox_path, file_hash,
           left(error, 4000) AS error, left(error_code, 100) AS error_code, attempts,
           scand_age(last_activity_at) AS idle, scand_wait(next_attempt_at, %(longest)s) AS wait,
           last_activity_at > now() + INTERVAL '1 min' AS ahead,
           newest.id AS entered, newest.from_status AS entered_from,
           newest.to_status IS NOT DISTINCT FROM status AS by_step,
           EXISTS (SELECT FROM scan_job_events e
                    WHERE e.job_id = a.id AND e.from_status = 'preview' AND e.to_status IN ('ready', 'assembling')) AS reopened,
           EXISTS (SELECT FROM scan_job_events e
                    WHERE e.job_id = a.id AND e.to_status = 'assembling') AS assembled,
           newest.from_status = 'queued' AND EXISTS (
             SELECT FROM (SELECT e.to_status FROM scan_job_events e WHERE e.job_id = a.id ORDER BY e.id DESC OFFSET 1 LIMIT 1) b
              WHERE b.to_status = 'ready') AS taken_back,
           withdraw,
           (SELECT max(e.id) FROM scan_job_events e
             WHERE e.job_id = a.id AND e.from_status IN ('ready', 'preview') AND e.to_status = 'assembling') AS stay,
           (SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
                     'seq', b.batch_seq, 'staging_path', left(b.staging_path, 4096), 'page_count', b.page_count,
                     'status', b.status, 'error_code', left(b.error_code, 100), 'file_hash', b.file_hash,
                     'answered', b.answered, 'error', CASE WHEN NOT b.answered THEN left(b.error, 1000) END)
                   ORDER BY b.batch_seq)
              FROM (SELECT * FROM scan_job_batches WHERE job_id = a.id ORDER BY batch_seq LIMIT %(batches)s + 1) b
           ) AS batches,
           (SELECT pg_catalog.jsonb_object_agg(p.batch_seq, p.pages)
              FROM (SELECT batch_seq, count(*) AS pages FROM scan_job_pages
                     WHERE job_id = a.id AND batch_seq > (SELECT coalesce(max(b.batch_seq), 0) FROM scan_job_batches b
                                                           WHERE b.job_id = a.id)
                     GROUP BY batch_seq) p
           ) AS listed
      FROM scan_jobs a
      LEFT JOIN LATERAL (SELECT e.id, e.from_status, e.to_status FROM scan_job_events e
                          WHERE e.job_id = a.id ORDER BY e.id DESC LIMIT 1) newest ON true
     WHERE status IN ('ready', 'scanning', 'assembling', 'preview', 'committing')
     LIMIT 1) j ON true
  LEFT JOIN LATERAL (
    SELECT pg_catalog.jsonb_build_object('id', id, 'nas_staging_path', left(nas_staging_path, 4096)) AS stale FROM (
      (SELECT id, nas_staging_path FROM scan_jobs
        WHERE nas_staging_path IS NOT NULL AND status IN ('draft', 'queued', 'ready', 'canceled') AND resumes_in IS NULL
          AND inbox_path IS NULL
        ORDER BY id <= %(after)s::bigint, id LIMIT 1)
      UNION ALL
      (SELECT job_id, nas_staging_path FROM scand_deleted_jobs d
        WHERE nas_staging_path IS NOT NULL AND NOT EXISTS (SELECT FROM scan_jobs WHERE id = d.job_id)
        ORDER BY job_id <= %(after)s::bigint, job_id LIMIT 1)) AS unwanted
     ORDER BY id <= %(after)s::bigint, id LIMIT 1) stale ON true
  LEFT JOIN LATERAL (
    SELECT pg_catalog.jsonb_build_object(
             'id', id, 'inbox_path', left(inbox_path, 4096), 'file_hash', file_hash,
             'nas_staging_path', left(nas_staging_path, 4096), 'attempts', attempts) AS unread
      FROM scan_jobs
     WHERE status = 'committed' AND read_back = false AND next_attempt_at IS NOT NULL
        AND scand_wait(next_attempt_at, %(longest)s) = 0
     ORDER BY next_attempt_at LIMIT 1) unread ON true
  LEFT JOIN scan_jobs former ON former.id = %(former)s
 WHERE s.id = 1;

-- name: restart_idle_clock
-- Somebody's clock was ahead, or the database's is behind now: the time that a person has begins anew, and not when
-- the clock has caught up.
UPDATE scan_jobs SET last_activity_at = now()
 WHERE id = %(id)s AND status = %(status)s AND last_activity_at > now() + INTERVAL '1 min'
   AND EXISTS (SELECT FROM scan_agent_status WHERE id = 1 AND epoch = %(epoch)s FOR SHARE)
RETURNING id;

-- name: claim
-- The oldest queued job, or %(only)s, only where none is active: one to be scanned, or with %(delivery)s a parked one that
-- goes on where it was. The unique index decides between two who claim at once.
WITH me AS (
  SELECT FROM scan_agent_status WHERE id = 1 AND epoch = %(epoch)s FOR SHARE
), next AS (
  SELECT id FROM scan_jobs
   WHERE status = 'queued' AND id = coalesce(%(only)s::bigint, id)
     AND CASE WHEN %(delivery)s THEN resumes_in IN ('assembling', 'committing') ELSE resumes_in IS NULL END
     AND NOT EXISTS (SELECT FROM scan_jobs
                      WHERE status IN ('ready', 'scanning', 'assembling', 'preview', 'committing'))
   ORDER BY created_at, id LIMIT 1
     FOR UPDATE SKIP LOCKED
)
UPDATE scan_jobs j
   SET status = coalesce(resumes_in, 'ready'), last_activity_at = now(), staging_path = %(jobs)s || '/' || j.id::text,
       error = CASE WHEN error_code = 'paper_left' OR resumes_in IS NOT NULL THEN NULL ELSE error END,
       error_code = CASE WHEN error_code = 'paper_left' OR resumes_in IS NOT NULL THEN NULL ELSE error_code END
  FROM next
 WHERE j.id = next.id AND EXISTS (SELECT FROM me)
RETURNING j.id, left(j.title, 4000) AS title, j.status;

-- name: park
-- A job that only waits gives way: the trigger remembers where it goes on (0021_parking). A preview only if no client has
-- touched it for %(idle)s seconds.
UPDATE scan_jobs SET status = 'queued', error = coalesce(%(error)s, error),
       error_code = CASE WHEN %(error)s::text IS NULL THEN error_code ELSE %(code)s END
 WHERE id = %(id)s AND status = %(status)s
   AND %(entered)s >= (SELECT coalesce(max(e.id), 0) FROM scan_job_events e WHERE e.job_id = %(id)s)
   AND (status <> 'preview' OR scand_age(last_activity_at) >= %(idle)s)
   AND EXISTS (SELECT FROM scan_agent_status WHERE id = 1 AND epoch = %(epoch)s FOR SHARE)
RETURNING id;

-- name: give_up
-- A parked job that has waited for too long: see look.
UPDATE scan_jobs SET status = 'failed', error = %(error)s, error_code = %(code)s
 WHERE id = %(id)s AND status = 'queued' AND resumes_in = %(resumes_in)s
   AND (withdraw = 'failed' OR (resumes_in = 'preview' AND scand_age(last_activity_at) >= %(preview_timeout)s::float8))
   AND EXISTS (SELECT FROM scan_agent_status WHERE id = 1 AND epoch = %(epoch)s FOR SHARE)
RETURNING id;

-- name: hold
-- A job that would scan by itself waits for a person, since the feeder may hold another's paper.
UPDATE scan_jobs SET error = %(error)s, error_code = 'paper_left'
 WHERE id = %(id)s AND status = %(status)s
   AND EXISTS (SELECT FROM scan_agent_status WHERE id = 1 AND epoch = %(epoch)s FOR SHARE)
RETURNING id;

-- name: let_wait
-- The feeder is empty: nothing holds these jobs up any more but their turn.
UPDATE scan_jobs SET error = NULL, error_code = NULL
 WHERE status = 'queued' AND error_code = 'paper_left'
   AND EXISTS (SELECT FROM scan_agent_status WHERE id = 1 AND epoch = %(epoch)s FOR SHARE)
RETURNING id;

-- name: canceled
-- Of these jobs those that are canceled, with the batches that the queue knows.
SELECT id, created_at, ARRAY(SELECT batch_seq FROM scan_job_batches WHERE job_id = scan_jobs.id) AS batches
  FROM scan_jobs WHERE id = ANY (%(ids)s) AND status = 'canceled' AND staging_path IS NOT NULL;

-- name: record_canceled
-- What was scanned of a batch before its job was canceled. It has no PDF: that is made if somebody takes it back.
INSERT INTO scan_job_batches (job_id, batch_seq, page_count, blank_count, status, error_code, answered, error)
SELECT id, %(seq)s, %(pages)s, %(blank)s, 'discarded', %(code)s, false, %(fault)s
  FROM scan_jobs
 WHERE id = %(id)s AND status = 'canceled'
   AND EXISTS (SELECT FROM scan_agent_status WHERE id = 1 AND epoch = %(epoch)s FOR SHARE)
ON CONFLICT (job_id, batch_seq) DO NOTHING
RETURNING id;

-- name: advance
-- One step of the agent, with what it found, if no step was taken since it looked (%(entered)s) and the title is still
-- the one that is in the merge (%(title)s). A job that comes back to ready gives its people time anew. In preview file_hash is the merge's; inbox_path, which is set while
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
   AND left(title, 4000) = coalesce(%(title)s::text, left(title, 4000))
   AND EXISTS (SELECT FROM scan_agent_status WHERE id = 1 AND epoch = %(epoch)s FOR SHARE)
RETURNING id;

-- name: scan_now
-- The signal: a person's word, so a client's step. A daemon that does not lead does not pass it on: its person stands
-- at another scanner. A client may not lock the agent's row: here, and in manual_job, it is only read.
UPDATE scan_jobs SET status = 'scanning'
 WHERE id = %(id)s AND status = 'ready' AND EXISTS (SELECT FROM scan_agent_status WHERE id = 1 AND epoch = %(epoch)s)
RETURNING id;

-- name: manual_job
-- The signal with no job ready: a new job, as a client makes it.
INSERT INTO scan_jobs (title, settings, status)
SELECT %(title)s, %(settings)s, 'queued' FROM scan_agent_status WHERE id = 1 AND epoch = %(epoch)s
RETURNING id;

-- name: record_batch
-- A batch whose PDF is safe on disk.
INSERT INTO scan_job_batches
       (job_id, batch_seq, staging_path, page_count, blank_count, status, error_code, file_hash, answered, error)
SELECT id, %(seq)s, %(path)s, %(pages)s, %(blank)s, %(status)s, %(code)s, %(sha256)s, %(answered)s, %(fault)s
  FROM scan_jobs
 WHERE id = %(id)s AND status = %(expected)s
   AND EXISTS (SELECT FROM scan_agent_status WHERE id = 1 AND epoch = %(epoch)s FOR SHARE)
ON CONFLICT (job_id, batch_seq) DO NOTHING
RETURNING id;

-- name: write_pages
-- Pages as they are on the agent's disk: new ones, and those that the rows have otherwise. What a client wants done with
-- them stays (0017_pages). A row in the answer: the job was there, in that status.
WITH job AS (
  SELECT id FROM scan_jobs
   WHERE id = %(id)s AND status = %(expected)s
     AND EXISTS (SELECT FROM scan_agent_status WHERE id = 1 AND epoch = %(epoch)s FOR SHARE)
), written AS (
  INSERT INTO scan_job_pages AS p
         (job_id, batch_seq, page, sheet, side, width_mm, height_mm, blank, sha256, captured_at, picture)
  SELECT job.id, batch_seq, page, sheet, side, width_mm, height_mm, blank, sha256, now() - make_interval(secs => age),
         decode(picture, 'hex')
    FROM job, pg_catalog.json_to_recordset(%(pages)s) AS new (
           batch_seq int, page int, sheet int, side text, width_mm numeric, height_mm numeric, blank boolean, sha256 text,
           age float8, picture text)
  ON CONFLICT (job_id, batch_seq, page) DO UPDATE
     SET sheet = EXCLUDED.sheet, side = EXCLUDED.side, width_mm = EXCLUDED.width_mm, height_mm = EXCLUDED.height_mm,
         blank = EXCLUDED.blank, sha256 = EXCLUDED.sha256, captured_at = EXCLUDED.captured_at, picture = EXCLUDED.picture
   WHERE (p.sheet, p.side, p.width_mm, p.height_mm, p.blank, p.sha256, p.picture) IS DISTINCT FROM
         (EXCLUDED.sheet, EXCLUDED.side, EXCLUDED.width_mm, EXCLUDED.height_mm, EXCLUDED.blank, EXCLUDED.sha256,
          EXCLUDED.picture)
)
SELECT id FROM job;

-- name: forget_pages
-- Rows of pages that are not on the agent's disk.
DELETE FROM scan_job_pages p
 USING scan_jobs j, pg_catalog.json_to_recordset(%(pages)s) AS gone (batch_seq int, page int)
 WHERE p.job_id = %(id)s AND p.batch_seq = gone.batch_seq AND p.page = gone.page
   AND j.id = p.job_id AND j.status = %(expected)s
   AND EXISTS (SELECT FROM scan_agent_status WHERE id = 1 AND epoch = %(epoch)s FOR SHARE)
RETURNING p.page;

-- name: pages
-- A job's pages as fed, without their pictures.
SELECT batch_seq, page, sheet, side, blank, suspect, sha256, choice, turn, place, width_mm, height_mm,
       picture IS NOT NULL AS pictured
  FROM scan_job_pages WHERE job_id = %(id)s ORDER BY batch_seq, page;

-- name: rebound
-- A recorded batch has a new PDF: with every side, where scand 0.1 had left blank ones out; or its first.
UPDATE scan_job_batches b
   SET staging_path = %(path)s, page_count = %(pages)s, blank_count = %(blank)s, file_hash = %(sha256)s
  FROM scan_jobs j
 WHERE b.job_id = %(id)s AND b.batch_seq = %(seq)s AND j.id = b.job_id AND j.status = %(expected)s
   AND EXISTS (SELECT FROM scan_agent_status WHERE id = 1 AND epoch = %(epoch)s FOR SHARE)
RETURNING b.id;

-- name: answer_batches
-- In the transaction of record_batch, where that batch is complete: the kept batches before it that ended in a fault have
-- their rest now. In manual duplex the whole half was fed again (%(halves)s), so the discarded ones are answered, too.
UPDATE scan_job_batches SET answered = true
 WHERE job_id = %(id)s AND batch_seq < %(seq)s AND NOT answered AND (status = 'scanned' OR %(halves)s)
   AND EXISTS (SELECT FROM scan_jobs WHERE id = %(id)s AND status = %(expected)s)
   AND EXISTS (SELECT FROM scan_agent_status WHERE id = 1 AND epoch = %(epoch)s FOR SHARE);

-- name: after_batch
-- In the transaction of record_batch: the job is ready, clean or with the fault that needs a person; one that was
-- finished already goes on assembling, with this batch, too.
UPDATE scan_jobs
   SET status = CASE WHEN status = 'assembling' AND %(error)s::text IS NULL THEN status ELSE 'ready' END, error = %(error)s, error_code = %(error_code)s, attempts = 0, next_attempt_at = NULL,
       last_activity_at = now(), last_progress_at = now(),
       pages_scanned = (SELECT coalesce(sum(page_count), 0) FROM scan_job_batches
                         WHERE job_id = %(id)s AND status = 'scanned')
 WHERE id = %(id)s AND status = %(expected)s
   AND EXISTS (SELECT FROM scan_agent_status WHERE id = 1 AND epoch = %(epoch)s FOR SHARE)
RETURNING id;

-- name: postpone
-- The step is tried again later, and the row says why. Tries are counted for each reason by itself.
UPDATE scan_jobs
   SET error = %(error)s, error_code = %(code)s,
       attempts = CASE WHEN error_code IS NOT DISTINCT FROM %(code)s THEN attempts + 1 ELSE 1 END,
       next_attempt_at = now() + make_interval(secs => %(seconds)s)
 WHERE id = %(id)s AND status = %(status)s
   AND EXISTS (SELECT FROM scan_agent_status WHERE id = 1 AND epoch = %(epoch)s FOR SHARE)
RETURNING id;

-- name: progress
-- The job makes progress. Written at most once a second, never for each page.
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
-- scand's own documents table: a row a file, keyed by its hash. In the transaction of commit.
INSERT INTO documents (title, path, file_hash)
SELECT title, %(inbox_path)s, %(sha256)s FROM scan_jobs
 WHERE id = %(id)s AND status = 'committing'
   AND EXISTS (SELECT FROM scan_agent_status WHERE id = 1 AND epoch = %(epoch)s FOR SHARE)
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
 WHERE id = %(id)s AND status IN ('assembling', 'committing')
   AND EXISTS (SELECT FROM scan_agent_status WHERE id = 1 AND epoch = %(epoch)s FOR SHARE)
RETURNING id;

-- name: forget_staged
-- The staged file of a job that wants it no more is gone.
UPDATE scan_jobs SET nas_staging_path = NULL, file_hash = NULL
 WHERE id = %(id)s AND status IN ('draft', 'queued', 'ready', 'canceled') AND resumes_in IS NULL
   AND inbox_path IS NULL
   AND EXISTS (SELECT FROM scan_agent_status WHERE id = 1 AND epoch = %(epoch)s FOR SHARE)
RETURNING id;

-- name: forget_staged_of_deleted
-- The same, of a job that was deleted.
UPDATE scand_deleted_jobs d SET nas_staging_path = NULL
 WHERE job_id = %(id)s AND NOT EXISTS (SELECT FROM scan_jobs WHERE id = d.job_id)
   AND EXISTS (SELECT FROM scan_agent_status WHERE id = 1 AND epoch = %(epoch)s FOR SHARE)
RETURNING job_id;

-- name: deleted
-- Jobs that were deleted so long ago that their files on disk may go.
SELECT job_id, created_at FROM scand_deleted_jobs d
 WHERE deleted_at < now() - make_interval(secs => %(keep)s)
   AND coalesce(staging_path, '') IN ('', %(jobs)s || '/' || job_id::text)
   AND NOT EXISTS (SELECT FROM scan_jobs WHERE id = d.job_id)
   AND EXISTS (SELECT FROM scan_agent_status WHERE id = 1 AND epoch = %(epoch)s)
 ORDER BY deleted_at LIMIT 100;

-- name: forget_deleted
-- Nothing of these jobs is on disk any more; a row stays while its job has a file on the NAS.
DELETE FROM scand_deleted_jobs d
 WHERE job_id = ANY (%(ids)s::bigint[]) AND nas_staging_path IS NULL
   AND NOT EXISTS (SELECT FROM scan_jobs WHERE id = d.job_id)
   AND EXISTS (SELECT FROM scan_agent_status WHERE id = 1 AND epoch = %(epoch)s FOR SHARE)
RETURNING job_id;

-- name: read_back
-- The document that a client has committed was found, or looked for in vain: then again in %(seconds)s, or no more.
UPDATE scan_jobs
   SET read_back = %(found)s, nas_staging_path = CASE WHEN %(found)s THEN NULL ELSE nas_staging_path END,
       error = %(error)s, error_code = %(code)s, attempts = %(attempts)s,
       next_attempt_at = now() + make_interval(secs => %(seconds)s)
 WHERE id = %(id)s AND status = 'committed' AND read_back = false
   AND EXISTS (SELECT FROM scan_agent_status WHERE id = 1 AND epoch = %(epoch)s FOR SHARE)
RETURNING id;

-- name: restart_keep
-- A job that ended in the future, by a clock that was ahead then or is behind now: its files are kept from now on, and
-- not for all that time, too.
UPDATE scan_jobs SET updated_at = now()
 WHERE id IN (SELECT id FROM scan_jobs
               WHERE staging_path IS NOT NULL AND status IN ('committed', 'canceled')
                 AND updated_at > now() + INTERVAL '1 min' AND staging_path = %(jobs)s || '/' || id::text
               ORDER BY updated_at LIMIT 100 FOR UPDATE SKIP LOCKED)
   AND EXISTS (SELECT FROM scan_agent_status WHERE id = 1 AND epoch = %(epoch)s FOR SHARE)
RETURNING id;

-- name: expire
-- Jobs that have been over for so long that their files on the agent's disk may go: of the committed ones only those whose
-- document the agent itself has read back, as it did before 0.2 whenever it committed; with %(not_read_back)s those,
-- too, that it has looked for in vain.
UPDATE scan_jobs SET staging_path = NULL
 WHERE id IN (SELECT id FROM scan_jobs
               WHERE staging_path IS NOT NULL AND status IN ('committed', 'canceled')
                 AND updated_at < now() - make_interval(secs => %(keep)s)
                 AND staging_path = %(jobs)s || '/' || id::text
                 AND id <> ALL (%(spare)s::bigint[])
                 AND (status = 'canceled' OR read_back OR (%(not_read_back)s AND read_back = false AND next_attempt_at IS NULL)
                      OR (read_back IS NULL AND EXISTS (
                      SELECT FROM scan_job_events e
                       WHERE e.job_id = scan_jobs.id AND e.to_status = 'committed' AND e.actor = 'agent')))
               ORDER BY updated_at LIMIT 100 FOR UPDATE SKIP LOCKED)
   AND EXISTS (SELECT FROM scan_agent_status WHERE id = 1 AND epoch = %(epoch)s FOR SHARE)
RETURNING id;

-- name: expire_batches
-- In the transaction of expire. A canceled job may be queued again, and then starts without the batches that are gone.
UPDATE scan_job_batches b
   SET staging_path = NULL, answered = true, status = CASE j.status WHEN 'canceled' THEN 'discarded' ELSE b.status END
  FROM scan_jobs j
 WHERE b.job_id = ANY (%(ids)s) AND j.id = b.job_id AND j.status IN ('committed', 'canceled') AND j.staging_path IS NULL
   AND EXISTS (SELECT FROM scan_agent_status WHERE id = 1 AND epoch = %(epoch)s FOR SHARE);

-- name: expire_pages
-- In the transaction of expire: the pictures go with the files.
UPDATE scan_job_pages p SET picture = NULL
  FROM scan_jobs j
 WHERE p.job_id = ANY (%(ids)s) AND p.picture IS NOT NULL
   AND j.id = p.job_id AND j.status IN ('committed', 'canceled') AND j.staging_path IS NULL
   AND EXISTS (SELECT FROM scan_agent_status WHERE id = 1 AND epoch = %(epoch)s FOR SHARE);

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
-- The agent is alive, and what it does. It touches this row only, so that nobody's lock on another table delays it.
UPDATE scan_agent_status
   SET last_heartbeat = now(), updated_at = now(), state = %(state)s, ready = %(ready)s, device = %(device)s
 WHERE id = 1 AND epoch = %(epoch)s
RETURNING current_job_id;

-- name: point_at_job
-- The job that the agent works on; only when that changes, since the foreign key reads scan_jobs. A job that was deleted meanwhile
-- is not referred to.
UPDATE scan_agent_status SET current_job_id = (SELECT id FROM scan_jobs WHERE id = %(job_id)s)
 WHERE id = 1 AND epoch = %(epoch)s
RETURNING epoch;

-- name: sign_off
-- A daemon that stops says so.
UPDATE scan_agent_status
   SET updated_at = now(), state = 'stopped', ready = false, current_job_id = NULL
 WHERE id = 1 AND epoch = %(epoch)s
RETURNING epoch;
