-- What people do with runs and jobs. p_ordinal null means all jobs of the run. Every function answers how many shards
-- (or jobs) it changed, or null when there is no such run or job. What is archived is over and never changes.

-- Locks the jobs that are meant, in the order of all locks.
CREATE OR REPLACE FUNCTION lock_jobs(p_run text, p_ordinal integer) RETURNS bigint[] LANGUAGE plpgsql AS $$
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
CREATE OR REPLACE FUNCTION cancel_jobs(p_run text, p_ordinal integer, p_reason text) RETURNS bigint LANGUAGE plpgsql AS $$
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
CREATE OR REPLACE FUNCTION hold_jobs(p_run text, p_ordinal integer, p_reason text) RETURNS bigint LANGUAGE plpgsql AS $$
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
CREATE OR REPLACE FUNCTION release_jobs(p_run text, p_ordinal integer) RETURNS bigint LANGUAGE plpgsql AS $$
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
CREATE OR REPLACE FUNCTION retry_jobs(p_run text, p_ordinal integer, p_only_failed boolean) RETURNS bigint LANGUAGE plpgsql AS $$
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

CREATE OR REPLACE FUNCTION set_tier(p_run text, p_ordinal integer, p_tier integer) RETURNS bigint LANGUAGE plpgsql AS $$
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
