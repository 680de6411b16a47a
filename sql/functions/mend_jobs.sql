-- Switches jobs on of which something is ready although nobody claims it. That can't happen as long as every session reads
-- what is committed; sessions of others may not.
CREATE OR REPLACE FUNCTION mend_jobs(p_limit integer) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_jobs bigint[];
    v_count bigint;
BEGIN
    SELECT array_agg(l.job_id) INTO v_jobs FROM (
        SELECT j.job_id FROM job j JOIN job_tally t USING (job_id)
        WHERE t.ready > 0 AND NOT j.is_runnable AND NOT j.is_cancelled AND j.gate = 'open'
        ORDER BY j.job_id LIMIT p_limit FOR NO KEY UPDATE OF j SKIP LOCKED) l;
    UPDATE job j SET is_runnable = true
    WHERE j.job_id = ANY (v_jobs) AND NOT j.is_runnable AND NOT j.is_cancelled AND j.gate = 'open'
        AND EXISTS (SELECT 1 FROM shard s WHERE s.job_id = j.job_id AND s.state = 'ready');
    GET DIAGNOSTICS v_count = ROW_COUNT;
    RETURN v_count;
END $$;
