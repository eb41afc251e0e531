-- With blank_pages "drop": how many sides of a batch are left out of the document as blank. They stay in the spool.
ALTER TABLE scan_job_batches
    ADD COLUMN IF NOT EXISTS blank_count INTEGER;
