-- Dependencies: a job waits for runs, or for single jobs of them, as rows of job_need. A run that somebody waits for is
-- looked at when one of its jobs has ended, once for all who wait for it.

-- Notes which needs of a run are met, and cancels jobs that needed results which will not come. A job has ended when
-- nothing of it is open or held; it ended well when all of it is done. Answers how many needs and jobs it changed.
CREATE OR REPLACE FUNCTION check_needed_run(p_run text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    c_cancelled CONSTANT integer := 1000;
    v_cancelled integer := 0;
    v_all_over boolean;
    v_all_well boolean;
    v_over integer[];
    v_bad integer[];
    v_met bigint[];
    v_job record;
    v_count bigint;
BEGIN
    SELECT bool_and(c.blocked + c.ready + c.running + c.held = 0), bool_and(c.failed + c.cancelled = 0),
        array_agg(j.ordinal) FILTER (WHERE c.blocked + c.ready + c.running + c.held = 0),
        array_agg(j.ordinal) FILTER (WHERE c.blocked + c.ready + c.running + c.held = 0 AND c.failed + c.cancelled > 0)
    INTO v_all_over, v_all_well, v_over, v_bad
    FROM job j JOIN job_counts c USING (job_id) WHERE j.run_id = p_run;
    v_over := coalesce(v_over, '{}');
    v_bad := coalesce(v_bad, '{}');
    WITH met AS (
        UPDATE job_need n SET is_settled = true
        WHERE n.needs_run = p_run AND NOT n.is_settled AND CASE
            WHEN n.needs_ordinal IS NULL THEN v_all_over AND (n.condition = 'any' OR v_all_well)
            ELSE n.needs_ordinal = ANY (v_over) AND (n.condition = 'any' OR n.needs_ordinal <> ALL (v_bad)) END
        RETURNING n.job_id)
    SELECT array_agg(DISTINCT m.job_id) INTO v_met FROM met m;
    v_count := coalesce(cardinality(v_met), 0);
    FOR v_job IN
        SELECT j.run_id, j.ordinal, string_agg(
            CASE WHEN n.needs_ordinal IS NULL THEN 'run ' || n.needs_run ELSE n.needs_run || '.' || n.needs_ordinal END,
            ', ' ORDER BY n.needs_ordinal NULLS FIRST) AS broken
        FROM job_need n JOIN job j USING (job_id)
        WHERE n.needs_run = p_run AND NOT n.is_settled AND n.condition = 'ok' AND j.gate = 'waiting' AND CASE
            WHEN n.needs_ordinal IS NULL THEN v_all_over AND NOT v_all_well
            ELSE n.needs_ordinal = ANY (v_bad) END
        GROUP BY j.job_id, j.run_id, j.ordinal ORDER BY j.job_id LIMIT c_cancelled
    LOOP
        -- Runs are locked before jobs; who has this one may be waiting for the job.
        PERFORM 1 FROM run r WHERE r.run_id = v_job.run_id FOR NO KEY UPDATE SKIP LOCKED;
        CONTINUE WHEN NOT FOUND;
        PERFORM cancel_work(v_job.run_id, v_job.ordinal, 'it needed the results of ' || v_job.broken
            || ', which did not end well', 0);
        v_cancelled := v_cancelled + 1;
    END LOOP;
    IF v_cancelled = c_cancelled THEN
        UPDATE needed_run r SET is_due = true WHERE r.run_id = p_run;
    END IF;
    UPDATE job j SET gate_reason = waiting_reason(j.job_id)
    WHERE j.gate = 'waiting' AND j.job_id IN (
        SELECT l.job_id FROM job l
        WHERE l.job_id = ANY (v_met) AND l.gate = 'waiting'
            AND EXISTS (SELECT 1 FROM job_need n WHERE n.job_id = l.job_id AND NOT n.is_settled)
        ORDER BY l.job_id FOR NO KEY UPDATE OF l SKIP LOCKED);
    RETURN v_count + v_cancelled;
END $$;
