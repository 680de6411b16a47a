-- p_ordinal null: all jobs of the run. Answers how many shards or jobs it changed; null when there is no such run or job.
CREATE OR REPLACE FUNCTION set_tier(p_run text, p_ordinal integer, p_tier integer) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_jobs bigint[] := lock_jobs(p_run, p_ordinal);
    v_count bigint;
BEGIN
    PERFORM check_run(p_run);
    IF v_jobs IS NULL THEN
        RETURN NULL;
    END IF;
    PERFORM check_tier(j.project_id, p_tier, session_user) FROM job j WHERE j.job_id = v_jobs[1];
    UPDATE job j SET tier = p_tier WHERE j.job_id = ANY (v_jobs) AND j.tier <> p_tier;
    GET DIAGNOSTICS v_count = ROW_COUNT;
    IF p_ordinal IS NULL THEN
        UPDATE run r SET tier = p_tier WHERE r.run_id = p_run AND r.tier <> p_tier;
    END IF;
    RETURN v_count;
END $$;
