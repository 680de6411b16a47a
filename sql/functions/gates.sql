-- Opens the gates of jobs whose dependencies have all ended, and cancels those whose turn can't come any more. A job has
-- ended when nothing of it is open or held; it ended well when all of it is done. Answers how many gates it opened.
CREATE OR REPLACE FUNCTION open_gates() RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    v_job record;
    v_opened integer := 0;
BEGIN
    -- In the order of numbers: a job depends on older ones only, so one pass sees a whole chain through.
    FOR v_job IN
        SELECT j.job_id, j.run_id, j.ordinal FROM job j WHERE j.gate = 'waiting'
        ORDER BY j.job_id FOR NO KEY UPDATE SKIP LOCKED
    LOOP
        DECLARE
            v_waits text;
            v_broken text;
        BEGIN
            SELECT
                string_agg(n.run_id || '.' || n.ordinal, ', ' ORDER BY n.job_id)
                    FILTER (WHERE c.blocked + c.ready + c.running + c.held > 0),
                string_agg(n.run_id || '.' || n.ordinal, ', ' ORDER BY n.job_id)
                    FILTER (WHERE d.condition = 'ok' AND c.blocked + c.ready + c.running + c.held = 0
                        AND c.failed + c.cancelled > 0)
            INTO v_waits, v_broken
            FROM job_dependency d JOIN job n ON n.job_id = d.needs_job JOIN job_counts c ON c.job_id = d.needs_job
            WHERE d.job_id = v_job.job_id;
            IF v_broken IS NOT NULL THEN
                -- Runs are locked before jobs; whoever has this one may be waiting for the job.
                PERFORM 1 FROM run r WHERE r.run_id = v_job.run_id FOR NO KEY UPDATE SKIP LOCKED;
                CONTINUE WHEN NOT FOUND;
                PERFORM cancel_jobs(v_job.run_id, v_job.ordinal, 'it needed the results of ' || v_broken
                    || ', which did not end well');
            ELSIF v_waits IS NULL THEN
                UPDATE job j SET gate = 'open', gate_reason = NULL WHERE j.job_id = v_job.job_id;
                PERFORM wake_jobs(ARRAY[v_job.job_id]);
                v_opened := v_opened + 1;
            ELSE
                UPDATE job j SET gate_reason = 'waits for ' || v_waits
                WHERE j.job_id = v_job.job_id AND j.gate_reason <> 'waits for ' || v_waits;
            END IF;
        END;
    END LOOP;
    RETURN v_opened;
END $$;

-- True while something of a run will still be worked on without anybody's help.
CREATE OR REPLACE FUNCTION run_is_open(p_run text) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT 1 FROM job j JOIN job_counts c USING (job_id)
        WHERE j.run_id = p_run AND c.blocked + c.ready + c.running > 0)
$$;
