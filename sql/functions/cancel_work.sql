-- Cancels what waits; the workers that hold the rest learn of it at their next heartbeat. Up to p_sweep shards are marked
-- at once, and of a larger number none: nothing of a cancelled job is claimed or shown as waiting, and a chore marks them
-- in slices.
CREATE OR REPLACE FUNCTION cancel_work(p_run text, p_ordinal integer, p_reason text, p_sweep integer) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    v_jobs bigint[] := lock_jobs(p_run, p_ordinal);
    v_count bigint;
BEGIN
    IF v_jobs IS NULL THEN
        RETURN NULL;
    END IF;
    -- Of jobs that are cancelled already nothing is open, whatever their shards' rows say.
    SELECT array_agg(j.job_id ORDER BY j.job_id) INTO v_jobs FROM job j
    WHERE j.job_id = ANY (v_jobs) AND NOT j.is_cancelled;
    IF v_jobs IS NULL THEN
        RETURN 0;
    END IF;
    SELECT sum(t.blocked + t.ready + t.held) INTO v_count FROM (
        SELECT t.blocked, t.ready, t.held FROM job_tally t WHERE t.job_id = ANY (v_jobs)
        UNION ALL
        SELECT c.blocked, c.ready, c.held FROM tally_change c WHERE c.job_id = ANY (v_jobs)) t;
    UPDATE job j SET is_cancelled = true, cancel_reason = p_reason, is_runnable = false, gate = 'open',
        gate_reason = NULL, is_swept = v_count <= p_sweep
    WHERE j.job_id = ANY (v_jobs);
    IF v_count <= p_sweep THEN
        UPDATE shard s SET state = 'cancelled', reason = p_reason, ended_at = clock_timestamp(), not_before = NULL
        WHERE s.job_id = ANY (v_jobs) AND s.state IN ('blocked', 'ready', 'held');
        GET DIAGNOSTICS v_count = ROW_COUNT;
    END IF;
    UPDATE job_need n SET is_settled = true WHERE n.job_id = ANY (v_jobs) AND NOT n.is_settled;
    UPDATE needed_run r SET is_due = true WHERE r.run_id = p_run AND NOT r.is_due;
    UPDATE run r SET cancelled_at = clock_timestamp()
    WHERE r.run_id = p_run AND r.cancelled_at IS NULL
        AND NOT EXISTS (SELECT 1 FROM job j WHERE j.run_id = p_run AND NOT j.is_cancelled);
    RETURN v_count;
END $$;
