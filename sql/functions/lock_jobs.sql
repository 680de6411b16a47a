-- Where everything begins that people do with runs and jobs. p_ordinal null means all jobs of the run. The answer is null when
-- there is no such run or job. What is archived is over and never changes.
--
-- Locks the jobs that are meant, in the order of all locks.
CREATE OR REPLACE FUNCTION lock_jobs(p_run text, p_ordinal integer) RETURNS bigint[] LANGUAGE plpgsql AS $$
DECLARE
    v_jobs bigint[];
BEGIN
    -- Two people at one run come after each other.
    PERFORM 1 FROM run r WHERE r.run_id = p_run FOR NO KEY UPDATE;
    SELECT array_agg(l.job_id) INTO v_jobs FROM (
        SELECT j.job_id FROM job j
        WHERE j.run_id = p_run AND (p_ordinal IS NULL OR j.ordinal = p_ordinal)
        ORDER BY j.job_id FOR NO KEY UPDATE) l;
    IF v_jobs IS NOT NULL AND EXISTS (SELECT 1 FROM run r WHERE r.run_id = p_run AND r.archived_at IS NOT NULL) THEN
        RAISE EXCEPTION 'run % is archived', p_run USING ERRCODE = 'EW002';
    END IF;
    RETURN v_jobs;
END $$;
