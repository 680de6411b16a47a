-- Taking work, by project first: a claim looks at two index entries a project, however many jobs there are.

-- Takes up to p_limit shards of the one job whose turn it is.
--
-- Order: projects below their soft cap; tier; then the project's decayed device time (half-life one week) plus ten minutes
-- for each of its running shards, over its weight, less a bonus when the worker has the model loaded. The bonus is worth
-- the loading time and no more than twenty minutes in a row, so that affinity can't starve anybody. Running shards are
-- counted from their rows: there is no counter that could leak.
--
-- With p_above only jobs of a higher tier: what a worker asks before it starts something it has fetched ahead.
--
-- The claim may be lost in a crash of the server (synchronous_commit off): then nobody has it, and the fence of whoever
-- claims next differs. The specification comes with the first row only.
DROP FUNCTION claim_shards(bigint, uuid, integer, text);
CREATE FUNCTION claim_shards(p_worker bigint, p_incarnation uuid, p_limit integer, p_run text, p_above integer)
RETURNS TABLE (
    job_id bigint, run_id text, ordinal integer, tier integer, shard_no integer, epoch integer, row_start integer,
    row_count integer, attempt integer, max_attempts integer, task text, model text, model_sha256 bytea,
    specification text
) LANGUAGE plpgsql
-- The first entry of an index is asked for, again and again; the planner would rather read and sort all of them.
SET enable_bitmapscan = off SET enable_sort = off SET enable_seqscan = off SET jit = off
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    c_half_life CONSTANT double precision := 604800;
    c_horizon CONSTANT double precision := 600;
    c_warm_factor CONSTANT double precision := 10;
    c_warm_limit CONSTANT interval := '20 minutes';
    v_worker worker;
    v_warm bytea[];
    v_job record;
    v_tried bigint[] := '{}';
    v_full integer[] := '{}';
    v_room integer;
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

    LOOP
        WITH running AS MATERIALIZED (
            SELECT s.project_id, count(*) AS shards FROM shard s WHERE s.state = 'running' GROUP BY s.project_id),
        share AS MATERIALIZED (
            SELECT p.project_id, p.hard_cap, coalesce(r.shards, 0) >= coalesce(p.soft_cap, 2147483647) AS is_over,
                (p.used_seconds * exp(-ln(2::double precision)
                        * extract(epoch FROM clock_timestamp() - p.used_at)::double precision / c_half_life)
                    + coalesce(r.shards, 0) * c_horizon) / p.weight AS load
            FROM project p LEFT JOIN running r USING (project_id)
            WHERE coalesce(r.shards, 0) < coalesce(p.hard_cap, 2147483647) AND p.project_id <> ALL (v_full))
        SELECT f.*, share.hard_cap INTO v_job
        FROM share CROSS JOIN LATERAL (
            (SELECT j.job_id, j.run_id, j.ordinal, j.project_id, j.tier, j.max_attempts, j.task, j.model,
                j.model_sha256, j.spec_sha256, 0::double precision AS bonus
            FROM job j
            WHERE j.project_id = share.project_id AND j.is_runnable AND j.need_labels <@ v_worker.labels
                AND j.need_gpu_mb <= v_worker.gpu_mb
                AND (j.need_device IS NULL OR j.need_device = v_worker.device_kind)
                AND (p_run IS NULL OR j.run_id = p_run) AND (p_above IS NULL OR j.tier > p_above)
                AND j.job_id <> ALL (v_tried)
            ORDER BY j.tier DESC, j.job_id LIMIT 1)
            UNION ALL
            SELECT w.* FROM unnest(v_warm) AS m (sha256) CROSS JOIN LATERAL (
            SELECT j.job_id, j.run_id, j.ordinal, j.project_id, j.tier, j.max_attempts, j.task, j.model,
                j.model_sha256, j.spec_sha256, j.load_seconds * c_warm_factor
            FROM job j
            WHERE j.project_id = share.project_id AND j.is_runnable AND j.model_sha256 = m.sha256
                AND j.need_labels <@ v_worker.labels AND j.need_gpu_mb <= v_worker.gpu_mb
                AND (j.need_device IS NULL OR j.need_device = v_worker.device_kind)
                AND (p_run IS NULL OR j.run_id = p_run) AND (p_above IS NULL OR j.tier > p_above)
                AND j.job_id <> ALL (v_tried)
            ORDER BY j.tier DESC, j.job_id LIMIT 1) w) f
        ORDER BY share.is_over, f.tier DESC, share.load - f.bonus, f.job_id LIMIT 1;
        EXIT WHEN NOT FOUND;

        v_room := p_limit;
        IF v_job.hard_cap IS NOT NULL THEN
            -- Two claims at once must not both take the last place: under this lock the count is exact.
            PERFORM 1 FROM project p WHERE p.project_id = v_job.project_id FOR NO KEY UPDATE;
            SELECT least(p_limit, v_job.hard_cap - count(*)) INTO v_room
            FROM shard s WHERE s.state = 'running' AND s.project_id = v_job.project_id;
            IF v_room <= 0 THEN
                v_full := v_full || v_job.project_id;
                CONTINUE;
            END IF;
        END IF;

        RETURN QUERY
            WITH pick AS MATERIALIZED (
                SELECT s.job_id, s.shard_no FROM shard s
                WHERE s.job_id = v_job.job_id AND s.state = 'ready'
                ORDER BY s.job_id, s.shard_no LIMIT v_room FOR NO KEY UPDATE SKIP LOCKED),
            taken AS (
                UPDATE shard s SET state = 'running', epoch = s.epoch + 1, worker_id = p_worker,
                    incarnation = p_incarnation, started_at = clock_timestamp(), samples_done = 0, tokens_done = 0
                FROM pick WHERE s.job_id = pick.job_id AND s.shard_no = pick.shard_no
                RETURNING s.shard_no, s.epoch, s.row_start, s.row_count, s.failures)
            SELECT v_job.job_id, v_job.run_id, v_job.ordinal, v_job.tier::integer, t.shard_no, t.epoch, t.row_start,
                t.row_count, t.failures + 1, v_job.max_attempts::integer, v_job.task, v_job.model, v_job.model_sha256,
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
        v_tried := v_tried || v_job.job_id;
        PERFORM 1 FROM job j WHERE j.job_id = v_job.job_id FOR NO KEY UPDATE SKIP LOCKED;
        IF FOUND THEN
            UPDATE job j SET is_runnable = false
            WHERE j.job_id = v_job.job_id AND j.is_runnable
                AND NOT EXISTS (SELECT 1 FROM shard s WHERE s.job_id = v_job.job_id AND s.state = 'ready');
        END IF;
    END LOOP;
END $$;
