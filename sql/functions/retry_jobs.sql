-- Makes claimable again what ended without a result: failed shards, and unless p_only_failed also cancelled and held
-- ones. Their attempts count from the beginning; results stay. Where there are none, any engine may give the first one.
-- p_ordinal null: all jobs of the run. Answers how many shards or jobs it changed; null when there is no such run or job.
CREATE OR REPLACE FUNCTION retry_jobs(p_run text, p_ordinal integer, p_only_failed boolean) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    v_jobs bigint[] := lock_jobs(p_run, p_ordinal);
    v_shut bigint[];
    v_unswept bigint;
    v_count bigint;
BEGIN
    PERFORM check_run(p_run);
    IF v_jobs IS NULL THEN
        RETURN NULL;
    END IF;
    SELECT array_agg(j.job_id) INTO v_shut FROM job j
    WHERE j.job_id = ANY (v_jobs) AND ((j.is_cancelled AND NOT p_only_failed) OR j.gate = 'held');
    -- What no sweep has reached is ready, or waits for its time, as it was before.
    SELECT coalesce(sum(t.blocked + t.ready), 0) INTO v_unswept FROM (
        SELECT t.job_id, t.blocked, t.ready FROM job_tally t WHERE t.job_id = ANY (v_shut)
        UNION ALL
        SELECT c.job_id, c.blocked, c.ready FROM tally_change c WHERE c.job_id = ANY (v_shut)) t
    JOIN job j USING (job_id) WHERE NOT j.is_swept;
    UPDATE job j SET is_cancelled = false, cancel_reason = NULL, is_swept = true
    WHERE j.job_id = ANY (v_shut) AND j.is_cancelled;
    UPDATE run r SET cancelled_at = NULL
    WHERE r.run_id = p_run AND r.cancelled_at IS NOT NULL
        AND EXISTS (SELECT 1 FROM job j WHERE j.run_id = p_run AND NOT j.is_cancelled);
    UPDATE shard s SET state = 'ready', reason = NULL, ended_at = NULL, failures = 0, losses = 0, samples_done = 0,
        tokens_done = 0, avoid_worker = NULL, avoid_until = NULL
    FROM job j
    WHERE j.job_id = s.job_id AND s.job_id = ANY (v_jobs) AND NOT j.is_cancelled
        AND (s.state = 'failed' OR (NOT p_only_failed AND s.state IN ('cancelled', 'held')));
    GET DIAGNOSTICS v_count = ROW_COUNT;
    PERFORM unfix_engines(v_jobs);
    PERFORM wait_again(v_shut);
    PERFORM open_due_gates();
    PERFORM wake_ready_jobs(v_jobs);
    RETURN v_count + v_unswept;
END $$;
