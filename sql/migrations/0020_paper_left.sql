-- Jobs that wait because the feeder may still hold another job's paper.
SELECT set_config('search_path', pg_catalog.format('%I, pg_temp', current_schema()), true);

-- They are looked for at every look, and mostly there are none.
CREATE INDEX IF NOT EXISTS idx_scan_jobs_paper_left ON scan_jobs (id) WHERE status = 'queued' AND error_code = 'paper_left';

-- Whether a job would scan by itself was judged by its settings: with others it is judged anew. By the order of their
-- names this trigger comes after scan_jobs_guard.
CREATE OR REPLACE FUNCTION scand_judge_anew() RETURNS TRIGGER
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    NEW.error := NULL;
    NEW.error_code := NULL;
    RETURN NEW;
END
$$;

CREATE OR REPLACE TRIGGER scan_jobs_judge_anew
BEFORE UPDATE ON scan_jobs
FOR EACH ROW WHEN (
    OLD.status = 'queued' AND NEW.status = 'queued' AND NEW.error_code = 'paper_left'
    AND OLD.settings IS DISTINCT FROM NEW.settings
)
EXECUTE FUNCTION scand_judge_anew();
