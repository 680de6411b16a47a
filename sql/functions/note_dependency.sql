-- A dependency as the release before writes it, one row a job of the run.
CREATE OR REPLACE FUNCTION note_dependency() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO job_need (job_id, needs_run, needs_ordinal, condition)
    SELECT NEW.job_id, n.run_id, n.ordinal, NEW.condition FROM job n WHERE n.job_id = NEW.needs_job
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
