-- Has jobs wait again for what they need, if they need anything; they must be locked, and not be cancelled.
CREATE OR REPLACE FUNCTION wait_again(p_jobs bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE job_need n SET is_settled = false WHERE n.job_id = ANY (p_jobs) AND n.is_settled;
    INSERT INTO needed_run AS r (run_id)
    SELECT DISTINCT n.needs_run FROM job_need n WHERE n.job_id = ANY (p_jobs) ORDER BY 1
    ON CONFLICT (run_id) DO UPDATE SET is_due = true;
    UPDATE job j SET gate = 'waiting', gate_reason = waiting_reason(j.job_id), is_runnable = false
    WHERE j.job_id = ANY (p_jobs) AND EXISTS (SELECT 1 FROM job_need n WHERE n.job_id = j.job_id);
    UPDATE job j SET gate = 'open', gate_reason = NULL
    WHERE j.job_id = ANY (p_jobs) AND NOT EXISTS (SELECT 1 FROM job_need n WHERE n.job_id = j.job_id);
END $$;
