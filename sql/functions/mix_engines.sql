-- Lets other engines finish what is not finished: jobs whose engine is fixed may have results of several from now on.
-- Answers how many jobs; null when there is no such run or job.
CREATE OR REPLACE FUNCTION mix_engines(p_run text, p_ordinal integer) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_jobs bigint[] := lock_jobs(p_run, p_ordinal);
    v_count bigint;
BEGIN
    PERFORM check_run(p_run);
    IF v_jobs IS NULL THEN
        RETURN NULL;
    END IF;
    UPDATE job_engine e SET is_mixed = true
    FROM job j JOIN job_counts c USING (job_id)
    WHERE j.job_id = e.job_id AND e.job_id = ANY (v_jobs) AND NOT e.is_mixed AND c.done < j.shard_count;
    GET DIAGNOSTICS v_count = ROW_COUNT;
    UPDATE job j SET engine_mark = NULL
    WHERE j.job_id = ANY (v_jobs) AND j.engine_mark IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM job_engine e WHERE e.job_id = j.job_id AND NOT e.is_mixed);
    RETURN v_count;
END $$;
