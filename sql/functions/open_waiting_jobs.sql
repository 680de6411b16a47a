-- Opens the gates of waiting jobs that need nothing more, p_limit at most; answers how many.
CREATE OR REPLACE FUNCTION open_waiting_jobs(p_limit integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    v_jobs bigint[];
    v_count integer;
BEGIN
    SELECT array_agg(l.job_id) INTO v_jobs FROM (
        SELECT j.job_id FROM job j
        WHERE j.gate = 'waiting' AND NOT EXISTS (SELECT 1 FROM job_need n WHERE n.job_id = j.job_id AND NOT n.is_settled)
        ORDER BY j.job_id LIMIT p_limit FOR NO KEY UPDATE OF j SKIP LOCKED) l;
    IF v_jobs IS NULL THEN
        RETURN 0;
    END IF;
    -- Somebody may have had them wait again before they were locked.
    UPDATE job j SET gate = 'open', gate_reason = NULL,
        is_runnable = EXISTS (SELECT 1 FROM shard s WHERE s.job_id = j.job_id AND s.state = 'ready')
    WHERE j.job_id = ANY (v_jobs) AND j.gate = 'waiting'
        AND NOT EXISTS (SELECT 1 FROM job_need n WHERE n.job_id = j.job_id AND NOT n.is_settled);
    GET DIAGNOSTICS v_count = ROW_COUNT;
    RETURN v_count;
END $$;
