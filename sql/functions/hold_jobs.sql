-- Shuts the gate: nothing more is claimed, what runs goes on. Takes the same time for any number of shards.
-- p_ordinal null: all jobs of the run. Answers how many shards or jobs it changed; null when there is no such run or job.
CREATE OR REPLACE FUNCTION hold_jobs(p_run text, p_ordinal integer, p_reason text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_jobs bigint[] := lock_jobs(p_run, p_ordinal);
    v_count bigint;
BEGIN
    PERFORM check_run(p_run);
    IF v_jobs IS NULL THEN
        RETURN NULL;
    END IF;
    UPDATE job j SET gate = 'held', gate_reason = p_reason, is_runnable = false
    WHERE j.job_id = ANY (v_jobs) AND NOT j.is_cancelled AND j.gate <> 'held';
    GET DIAGNOSTICS v_count = ROW_COUNT;
    RETURN v_count;
END $$;
