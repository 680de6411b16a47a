-- Says that jobs have something to claim again, and keeps claims from denying it until this transaction ends.
-- Must come before the shards are made ready, or a claim that just found none could switch the job off for good.
CREATE OR REPLACE FUNCTION wake_jobs(p_jobs bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM job j WHERE j.job_id = ANY (p_jobs) ORDER BY j.job_id FOR NO KEY UPDATE;
    UPDATE job j SET is_runnable = true
    WHERE j.job_id = ANY (p_jobs) AND NOT j.is_runnable AND NOT j.is_cancelled AND j.gate = 'open';
END $$;
