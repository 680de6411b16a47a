-- Lets the next result of these jobs, which are locked, fix their engines anew where no result is left.
--
-- Commits read a job's engine without a lock. So that none goes by what is taken away here, nothing may be running on that
-- engine, or it stays until the next retry; and a late result of an old claim does not count any more.
CREATE OR REPLACE FUNCTION unfix_engines(p_jobs bigint[]) RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
AS $$
DECLARE
    v_jobs bigint[];
BEGIN
    SELECT array_agg(e.job_id) INTO v_jobs FROM job_engine e
    WHERE e.job_id = ANY (p_jobs) AND NOT e.is_mixed
        AND NOT EXISTS (SELECT 1 FROM shard_result r WHERE r.job_id = e.job_id);
    -- A claim or commit that is under way goes first, and what it did is seen below.
    PERFORM 1 FROM shard s WHERE s.job_id = ANY (v_jobs) ORDER BY s.job_id, s.shard_no FOR NO KEY UPDATE;
    SELECT array_agg(e.job_id) INTO v_jobs FROM job_engine e
    WHERE e.job_id = ANY (v_jobs) AND NOT EXISTS (SELECT 1 FROM shard_result r WHERE r.job_id = e.job_id)
        AND NOT EXISTS (
            SELECT 1 FROM shard s JOIN worker w ON w.worker_id = s.worker_id
            WHERE s.job_id = e.job_id AND s.state::text = 'running' AND w.identity = e.engine);
    UPDATE shard s SET incarnation = gen_random_uuid()
    WHERE s.job_id = ANY (v_jobs) AND s.epoch > 0 AND s.state::text <> 'running';
    DELETE FROM job_engine e WHERE e.job_id = ANY (v_jobs);
    UPDATE job j SET engine_mark = NULL
    WHERE j.job_id = ANY (p_jobs) AND j.engine_mark IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM job_engine e WHERE e.job_id = j.job_id AND NOT e.is_mixed);
END $$;
