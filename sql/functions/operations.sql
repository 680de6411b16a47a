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

-- The same for people, who must be allowed to.
CREATE OR REPLACE FUNCTION cancel_jobs(p_run text, p_ordinal integer, p_reason text) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    PERFORM check_run(p_run);
    RETURN cancel_work(p_run, p_ordinal, p_reason, 20000);
END $$;

-- Marks shards of cancelled jobs, p_limit at most; answers how many.
CREATE OR REPLACE FUNCTION sweep_cancelled_jobs(p_limit integer) RETURNS bigint LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
AS $$
DECLARE
    v_job record;
    v_left bigint := p_limit;
    v_count bigint;
BEGIN
    FOR v_job IN
        SELECT j.job_id, j.cancel_reason FROM job j WHERE NOT j.is_swept
        ORDER BY j.job_id LIMIT 1000 FOR NO KEY UPDATE SKIP LOCKED
    LOOP
        EXIT WHEN v_left <= 0;
        WITH due AS MATERIALIZED (
            SELECT s.job_id, s.shard_no FROM shard s
            WHERE s.job_id = v_job.job_id AND s.state IN ('blocked', 'ready', 'held')
            LIMIT v_left FOR NO KEY UPDATE SKIP LOCKED)
        UPDATE shard s SET state = 'cancelled', reason = coalesce(v_job.cancel_reason, 'the run was cancelled'),
            ended_at = clock_timestamp(), not_before = NULL
        FROM due d WHERE s.job_id = d.job_id AND s.shard_no = d.shard_no;
        GET DIAGNOSTICS v_count = ROW_COUNT;
        IF v_count < v_left THEN
            UPDATE job j SET is_swept = NOT EXISTS (
                SELECT 1 FROM shard s WHERE s.job_id = j.job_id AND s.state IN ('blocked', 'ready', 'held'))
            WHERE j.job_id = v_job.job_id;
        END IF;
        v_left := v_left - v_count;
    END LOOP;
    RETURN p_limit - v_left;
END $$;

-- Shuts the gate: nothing more is claimed, what runs goes on. Takes the same time for any number of shards.
CREATE OR REPLACE FUNCTION hold_jobs(p_run text, p_ordinal integer, p_reason text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_jobs bigint[] := lock_jobs(p_run, p_ordinal);
    v_count bigint;
BEGIN
    PERFORM check_run(p_run);
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
    v_held bigint[];
    v_shards bigint;
BEGIN
    PERFORM check_run(p_run);
    IF v_jobs IS NULL THEN
        RETURN NULL;
    END IF;
    SELECT array_agg(j.job_id) INTO v_held FROM job j WHERE j.job_id = ANY (v_jobs) AND j.gate = 'held';
    UPDATE shard s SET state = 'ready', reason = NULL, ended_at = NULL, losses = 0
    FROM job j
    WHERE j.job_id = s.job_id AND s.job_id = ANY (v_jobs) AND s.state = 'held' AND NOT j.is_cancelled;
    GET DIAGNOSTICS v_shards = ROW_COUNT;
    PERFORM wait_again(v_held);
    PERFORM open_due_gates();
    PERFORM wake_ready_jobs(v_jobs);
    RETURN coalesce(cardinality(v_held), 0) + v_shards;
END $$;

-- Makes claimable again what ended without a result: failed shards, and unless p_only_failed also cancelled and held
-- ones. Their attempts count from the beginning; results stay. Where there are none, any engine may give the first one.
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

CREATE OR REPLACE FUNCTION set_tier(p_run text, p_ordinal integer, p_tier integer) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_jobs bigint[] := lock_jobs(p_run, p_ordinal);
    v_count bigint;
BEGIN
    PERFORM check_run(p_run);
    IF v_jobs IS NULL THEN
        RETURN NULL;
    END IF;
    PERFORM check_tier(j.project_id, p_tier, session_user) FROM job j WHERE j.job_id = v_jobs[1];
    UPDATE job j SET tier = p_tier WHERE j.job_id = ANY (v_jobs) AND j.tier <> p_tier;
    GET DIAGNOSTICS v_count = ROW_COUNT;
    IF p_ordinal IS NULL THEN
        UPDATE run r SET tier = p_tier WHERE r.run_id = p_run AND r.tier <> p_tier;
    END IF;
    RETURN v_count;
END $$;
