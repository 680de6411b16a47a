-- Taking work. The order of locks everywhere: worker, then job by number, then shard; commits lock a shard only.

-- Says that a job has something to claim again, and keeps claims from denying it until this transaction ends.
-- Must come before the shards are made ready, or a claim that just found none could switch the job off for good.
CREATE FUNCTION wake_jobs(p_jobs bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM job j WHERE j.job_id = ANY (p_jobs) ORDER BY j.job_id FOR NO KEY UPDATE;
    UPDATE job j SET is_runnable = true WHERE j.job_id = ANY (p_jobs) AND NOT j.is_runnable AND NOT j.is_cancelled;
END $$;

-- Makes blocked shards ready whose time has come. Rows that others are busy with wait for the next round.
CREATE FUNCTION promote_shards() RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    v_jobs bigint[];
    v_count integer;
BEGIN
    SELECT array_agg(due.job_id) INTO v_jobs FROM (
        SELECT j.job_id FROM job j
        WHERE j.job_id IN (
            SELECT s.job_id FROM shard s WHERE s.state = 'blocked' AND s.not_before <= clock_timestamp())
        ORDER BY j.job_id FOR NO KEY UPDATE SKIP LOCKED) due;
    IF v_jobs IS NULL THEN
        RETURN 0;
    END IF;
    PERFORM wake_jobs(v_jobs);
    WITH due AS MATERIALIZED (
        SELECT s.job_id, s.shard_no FROM shard s
        WHERE s.job_id = ANY (v_jobs) AND s.state = 'blocked' AND s.not_before <= clock_timestamp()
        FOR NO KEY UPDATE SKIP LOCKED)
    UPDATE shard s SET state = 'ready', not_before = NULL
    FROM due WHERE s.job_id = due.job_id AND s.shard_no = due.shard_no;
    GET DIAGNOSTICS v_count = ROW_COUNT;
    RETURN v_count;
END $$;

-- Takes up to p_limit shards of the one job whose turn it is.
--
-- Order: tier; then the project's decayed device time (half-life one week) plus ten minutes for each of its running
-- shards, over its weight, less a bonus when the worker has the model loaded. The bonus is worth the loading time and
-- no more than twenty minutes in a row, so that affinity can't starve anybody. Running shards are counted from their
-- rows: there is no counter that could leak.
--
-- The claim may be lost in a crash of the server (synchronous_commit off): then nobody has it, and the fence of whoever
-- claims next differs. The specification comes with the first row only.
CREATE FUNCTION claim_shards(p_worker bigint, p_incarnation uuid, p_limit integer, p_run text)
RETURNS TABLE (
    job_id bigint, run_id text, ordinal integer, shard_no integer, epoch integer, row_start integer,
    row_count integer, attempt integer, max_attempts integer, task text, model text, model_sha256 bytea,
    specification text
) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    c_half_life CONSTANT double precision := 604800;
    c_horizon CONSTANT double precision := 600;
    c_warm_factor CONSTANT double precision := 10;
    c_warm_limit CONSTANT interval := '20 minutes';
    v_worker worker;
    v_warm bytea[];
    v_job record;
    v_count integer;
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    SELECT * INTO v_worker FROM worker w
    WHERE w.worker_id = p_worker AND w.incarnation = p_incarnation AND w.state = 'live'
        AND w.lease_until > clock_timestamp()
    FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'worker % has no lease any more', p_worker USING ERRCODE = 'EW001';
    END IF;
    IF v_worker.is_draining THEN
        RETURN;
    END IF;
    IF EXISTS (SELECT 1 FROM shard s WHERE s.state = 'blocked' AND s.not_before <= clock_timestamp()) THEN
        PERFORM promote_shards();
    END IF;
    v_warm := CASE WHEN v_worker.warm_since > clock_timestamp() - c_warm_limit THEN v_worker.warm ELSE '{}' END;

    FOR v_job IN
        WITH running AS MATERIALIZED (
            SELECT s.project_id, count(*) AS shards FROM shard s WHERE s.state = 'running' GROUP BY s.project_id),
        share AS MATERIALIZED (
            SELECT p.project_id,
                (p.used_seconds * exp(-ln(2::double precision)
                        * extract(epoch FROM clock_timestamp() - p.used_at)::double precision / c_half_life)
                    + coalesce(r.shards, 0) * c_horizon) / p.weight AS load
            FROM project p LEFT JOIN running r USING (project_id))
        SELECT j.job_id, j.run_id, j.ordinal, j.max_attempts, j.task, j.model, j.model_sha256, j.spec_sha256
        FROM job j JOIN share USING (project_id)
        WHERE j.is_runnable AND j.need_labels <@ v_worker.labels AND j.need_gpu_mb <= v_worker.gpu_mb
            AND (p_run IS NULL OR j.run_id = p_run)
        ORDER BY j.tier DESC,
            share.load - CASE WHEN j.model_sha256 = ANY (v_warm) THEN j.load_seconds * c_warm_factor ELSE 0 END,
            j.job_id
    LOOP
        RETURN QUERY
            WITH pick AS MATERIALIZED (
                SELECT s.job_id, s.shard_no FROM shard s
                WHERE s.job_id = v_job.job_id AND s.state = 'ready'
                ORDER BY s.job_id, s.shard_no LIMIT p_limit FOR NO KEY UPDATE SKIP LOCKED),
            taken AS (
                UPDATE shard s SET state = 'running', epoch = s.epoch + 1, worker_id = p_worker,
                    incarnation = p_incarnation, started_at = clock_timestamp(), samples_done = 0, tokens_done = 0
                FROM pick WHERE s.job_id = pick.job_id AND s.shard_no = pick.shard_no
                RETURNING s.shard_no, s.epoch, s.row_start, s.row_count, s.failures)
            SELECT v_job.job_id, v_job.run_id, v_job.ordinal, t.shard_no, t.epoch, t.row_start, t.row_count,
                t.failures + 1, v_job.max_attempts::integer, v_job.task, v_job.model, v_job.model_sha256,
                CASE WHEN row_number() OVER (ORDER BY t.shard_no) = 1
                    THEN (SELECT p.specification FROM job_spec p WHERE p.sha256 = v_job.spec_sha256) END
            FROM taken t ORDER BY t.shard_no;
        GET DIAGNOSTICS v_count = ROW_COUNT;
        IF v_count > 0 THEN
            IF v_worker.warm <> ARRAY[v_job.model_sha256] OR v_worker.warm_since <= clock_timestamp() - c_warm_limit
            THEN
                UPDATE worker w SET warm = ARRAY[v_job.model_sha256], warm_since = clock_timestamp()
                WHERE w.worker_id = p_worker;
            END IF;
            RETURN;
        END IF;
        -- Nothing left here: switch the job off, so that exhausted jobs do not slow claims down.
        PERFORM 1 FROM job j WHERE j.job_id = v_job.job_id FOR NO KEY UPDATE SKIP LOCKED;
        IF FOUND THEN
            UPDATE job j SET is_runnable = false
            WHERE j.job_id = v_job.job_id AND j.is_runnable
                AND NOT EXISTS (SELECT 1 FROM shard s WHERE s.job_id = v_job.job_id AND s.state = 'ready');
        END IF;
    END LOOP;
END $$;
