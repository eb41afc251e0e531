-- The tables that scand and a document server share.
--
-- The web writes intents, the agent writes results, and scan_jobs.status is where they meet. Names, columns
-- and indexes are the contract. Where the document server's own migration has already made them, everything
-- below finds them and changes nothing.

-- A search_path that looks in several schemas could find the server's tables in one and make ours in another:
-- two queues, one of them never looked at.
DO $$
DECLARE
    home TEXT := (SELECT nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                  WHERE c.oid = to_regclass('scan_jobs'));
BEGIN
    IF home <> current_schema() THEN
        RAISE EXCEPTION 'scan_jobs is in schema %, but new tables would be made in schema %', home, current_schema()
            USING HINT = 'Set the search_path of this login to the schema of the tables.';
    END IF;
END
$$;

-- `documents` is the document server's, whatever its columns, and is never altered. Stand-alone, scand makes
-- a small one, and the comment says whose it is (scand_owns_documents() asks for it).
DO $$
BEGIN
    IF to_regclass('documents') IS NULL THEN
        CREATE TABLE documents (
            id         BIGSERIAL   PRIMARY KEY,
            title      TEXT        NOT NULL,
            path       TEXT,                     -- relative to the NAS root
            file_hash  CHAR(64)    UNIQUE,       -- SHA-256, hex: one row for one document
            created_at TIMESTAMPTZ NOT NULL DEFAULT now()
        );
        COMMENT ON TABLE documents IS 'made by scand: a row for each document that it committed';
    END IF;
END
$$;

CREATE TABLE IF NOT EXISTS scan_jobs (
    id               BIGSERIAL   PRIMARY KEY,
    title            TEXT        NOT NULL,               -- the file's name in the Inbox follows it
    settings         JSONB       NOT NULL DEFAULT '{}',  -- what is asked of the scanner
    status           TEXT        NOT NULL DEFAULT 'draft',
    batch_count      INTEGER     NOT NULL DEFAULT 0,     -- kept batches
    page_count       INTEGER,                            -- pages of the merge, set after assembling
    last_activity_at TIMESTAMPTZ,                        -- the idle clock of `ready`
    last_progress_at TIMESTAMPTZ,                        -- when the job last moved
    staging_path     TEXT,                               -- the job's directory, absolute, on the agent's host
    nas_staging_path TEXT,                               -- the merge, relative to the NAS root: the preview
    inbox_path       TEXT,                               -- relative to the NAS root; filled while committing
    file_hash        CHAR(64),                           -- SHA-256 of the merge; filled while committing
    doc_id           BIGINT      REFERENCES documents (id) ON DELETE SET NULL,
    error            TEXT,                               -- for a person: what happened and what to do
    created_at       TIMESTAMPTZ NOT NULL DEFAULT now(),
    updated_at       TIMESTAMPTZ NOT NULL DEFAULT now()
);

CREATE TABLE IF NOT EXISTS scan_job_batches (
    id           BIGSERIAL   PRIMARY KEY,
    job_id       BIGINT      NOT NULL REFERENCES scan_jobs (id) ON DELETE CASCADE,
    batch_seq    INTEGER     NOT NULL,                   -- 1-based: the order of the merge
    staging_path TEXT,                                   -- this batch's PDF, absolute, on the agent's host
    page_count   INTEGER,
    status       TEXT        NOT NULL DEFAULT 'scanned', -- or 'discarded': kept on disk, out of the merge
    created_at   TIMESTAMPTZ NOT NULL DEFAULT now(),
    UNIQUE (job_id, batch_seq)
);

-- One scanner, one agent, one row.
CREATE TABLE IF NOT EXISTS scan_agent_status (
    id             INTEGER     PRIMARY KEY DEFAULT 1 CHECK (id = 1),
    last_heartbeat TIMESTAMPTZ,
    agent_version  TEXT,
    current_job_id BIGINT      REFERENCES scan_jobs (id) ON DELETE SET NULL,
    updated_at     TIMESTAMPTZ NOT NULL DEFAULT now()
);

INSERT INTO scan_agent_status (id) VALUES (1) ON CONFLICT DO NOTHING;

-- At most one job holds the scanner. A claim that loses the race meets this index.
CREATE UNIQUE INDEX IF NOT EXISTS uq_scan_jobs_single_active ON scan_jobs ((TRUE))
    WHERE status IN ('ready', 'scanning', 'assembling', 'preview', 'committing');

CREATE INDEX IF NOT EXISTS idx_scan_jobs_queued ON scan_jobs (created_at) WHERE status = 'queued';

CREATE INDEX IF NOT EXISTS idx_scan_jobs_file_hash ON scan_jobs (file_hash) WHERE file_hash IS NOT NULL;

CREATE INDEX IF NOT EXISTS idx_scan_job_batches_job ON scan_job_batches (job_id, batch_seq);
