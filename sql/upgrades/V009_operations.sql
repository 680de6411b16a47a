-- What people do with runs and jobs. p_ordinal null means all jobs of the run. Every function answers how many shards
-- (or jobs) it changed, or null when there is no such run or job. What is archived is over and never changes.
ALTER TABLE run ADD COLUMN archived_at timestamptz;

-- Locks the jobs that are meant, in the order of all locks.
CREATE FUNCTION lock_jobs(p_run text, p_ordinal integer) RETURNS bigint[] LANGUAGE plpgsql AS $$
DECLARE
    v_jobs bigint[];
BEGIN
    -- Two people at one run come after each other.
    PERFORM 1 FROM run r WHERE r.run_id = p_run FOR NO KEY UPDATE;
    SELECT array_agg(l.job_id) INTO v_jobs FROM (
        SELECT j.job_id FROM job j
        WHERE j.run_id = p_run AND (p_ordinal IS NULL OR j.ordinal = p_ordinal)
        ORDER BY j.job_id FOR NO KEY UPDATE) l;
    IF v_jobs IS NOT NULL AND EXISTS (SELECT 1 FROM run r WHERE r.run_id = p_run AND r.archived_at IS NOT NULL) THEN
        RAISE EXCEPTION 'run % is archived', p_run USING ERRCODE = 'EW002';
    END IF;
    RETURN v_jobs;
END $$;

-- Cancels what waits; whoever has the rest learns it from the next heartbeat.
DROP FUNCTION cancel_run(text);
CREATE FUNCTION cancel_jobs(p_run text, p_ordinal integer, p_reason text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_jobs bigint[] := lock_jobs(p_run, p_ordinal);
    v_count bigint;
BEGIN
    IF v_jobs IS NULL THEN
        RETURN NULL;
    END IF;
    UPDATE job j SET is_cancelled = true, cancel_reason = p_reason, is_runnable = false, gate = 'open',
        gate_reason = NULL
    WHERE j.job_id = ANY (v_jobs) AND NOT j.is_cancelled;
    UPDATE shard s SET state = 'cancelled', reason = p_reason, ended_at = clock_timestamp(), not_before = NULL
    WHERE s.job_id = ANY (v_jobs) AND s.state IN ('blocked', 'ready', 'held');
    GET DIAGNOSTICS v_count = ROW_COUNT;
    UPDATE run r SET cancelled_at = clock_timestamp()
    WHERE r.run_id = p_run AND r.cancelled_at IS NULL
        AND NOT EXISTS (SELECT 1 FROM job j WHERE j.run_id = p_run AND NOT j.is_cancelled);
    RETURN v_count;
END $$;

-- Shuts the gate: nothing more is claimed, what runs goes on. Takes the same time for any number of shards.
CREATE FUNCTION hold_jobs(p_run text, p_ordinal integer, p_reason text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_jobs bigint[] := lock_jobs(p_run, p_ordinal);
    v_count bigint;
BEGIN
    IF v_jobs IS NULL THEN
        RETURN NULL;
    END IF;
    UPDATE job j SET gate = 'held', gate_reason = p_reason, is_runnable = false
    WHERE j.job_id = ANY (v_jobs) AND NOT j.is_cancelled AND j.gate <> 'held';
    GET DIAGNOSTICS v_count = ROW_COUNT;
    RETURN v_count;
END $$;

-- Opens the gate, or leaves it to the dependencies that are still to come, and makes held shards ready.
CREATE FUNCTION release_jobs(p_run text, p_ordinal integer) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_jobs bigint[] := lock_jobs(p_run, p_ordinal);
    v_gates bigint;
    v_shards bigint;
BEGIN
    IF v_jobs IS NULL THEN
        RETURN NULL;
    END IF;
    UPDATE job j SET gate = 'waiting', gate_reason = 'waits for other jobs'
    WHERE j.job_id = ANY (v_jobs) AND j.gate = 'held';
    GET DIAGNOSTICS v_gates = ROW_COUNT;
    UPDATE shard s SET state = 'ready', reason = NULL, ended_at = NULL, losses = 0
    WHERE s.job_id = ANY (v_jobs) AND s.state = 'held';
    GET DIAGNOSTICS v_shards = ROW_COUNT;
    PERFORM open_gates();
    PERFORM wake_jobs(v_jobs);
    RETURN v_gates + v_shards;
END $$;

-- Makes claimable again what ended without a result: failed shards, and unless p_only_failed also cancelled and held
-- ones. Their attempts count from the beginning; results stay.
CREATE FUNCTION retry_jobs(p_run text, p_ordinal integer, p_only_failed boolean) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_jobs bigint[] := lock_jobs(p_run, p_ordinal);
    v_count bigint;
BEGIN
    IF v_jobs IS NULL THEN
        RETURN NULL;
    END IF;
    -- Behind a gate that open_gates() opens at once, unless there are dependencies.
    UPDATE job j SET is_cancelled = false, cancel_reason = NULL, gate = 'waiting', gate_reason = 'waits for other jobs'
    WHERE j.job_id = ANY (v_jobs) AND ((j.is_cancelled AND NOT p_only_failed) OR j.gate = 'held');
    UPDATE run r SET cancelled_at = NULL
    WHERE r.run_id = p_run AND r.cancelled_at IS NOT NULL
        AND EXISTS (SELECT 1 FROM job j WHERE j.run_id = p_run AND NOT j.is_cancelled);
    UPDATE shard s SET state = 'ready', reason = NULL, ended_at = NULL, failures = 0, losses = 0, samples_done = 0,
        tokens_done = 0
    FROM job j
    WHERE j.job_id = s.job_id AND s.job_id = ANY (v_jobs) AND NOT j.is_cancelled
        AND (s.state = 'failed' OR (NOT p_only_failed AND s.state IN ('cancelled', 'held')));
    GET DIAGNOSTICS v_count = ROW_COUNT;
    PERFORM open_gates();
    PERFORM wake_jobs(v_jobs);
    RETURN v_count;
END $$;

CREATE FUNCTION set_tier(p_run text, p_ordinal integer, p_tier integer) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_jobs bigint[] := lock_jobs(p_run, p_ordinal);
    v_count bigint;
BEGIN
    IF v_jobs IS NULL THEN
        RETURN NULL;
    END IF;
    UPDATE job j SET tier = p_tier WHERE j.job_id = ANY (v_jobs) AND j.tier <> p_tier;
    GET DIAGNOSTICS v_count = ROW_COUNT;
    IF p_ordinal IS NULL THEN
        UPDATE run r SET tier = p_tier WHERE r.run_id = p_run AND r.tier <> p_tier;
    END IF;
    RETURN v_count;
END $$;

-- Opens the gates of jobs whose dependencies have all ended, and cancels those whose turn can't come any more. A job has
-- ended when nothing of it is open or held; it ended well when all of it is done. Answers how many gates it opened.
CREATE FUNCTION open_gates() RETURNS integer LANGUAGE plpgsql AS $$
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
