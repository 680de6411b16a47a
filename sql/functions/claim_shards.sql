-- Taking work. The order of locks everywhere: job by number, then shard; commits lock a shard only, and the first one of a
-- job its row, too, unless somebody else has it. Claims wait for no row that somebody else has locked, and hold none of a
-- worker or project.

-- Takes up to p_limit shards of the one job whose turn it is.
--
-- Order: projects below their soft cap; tier; then the project's decayed device time (half-life one week) plus ten minutes
-- for each of its running shards, over its weight, less a bonus when the worker has the model loaded. The bonus is worth
-- the loading time and no more than twenty minutes in a row, so that affinity can't starve anybody. Running shards are
-- counted from their rows: there is no counter that could leak.
--
-- With p_above only jobs of a higher tier: what a worker asks before it starts something it has fetched ahead.
-- With p_is_prefetch the shards are fetched ahead: begin_shards() says when their computation begins. A worker that gets
-- nothing else takes over one that another worker has fetched and not begun.
--
-- Nothing of the jobs p_excluded, nor of the models p_without, for which the worker's node lacks something: wherever the
-- model is (its sha256, in hex), or where a run looks for it ("k3f9m2ab:its name").
--
-- Nothing of a job whose engine is another one than the worker's, unless it may have several. The mark in the job's row may
-- come late, where somebody has it locked; then the commit refuses the result.
--
-- A worker has a lease until it is declared dead. Its row is not locked: shards that a claim takes while the worker is
-- declared dead go back in the next round, like all others of the dead.
--
-- The claim may be lost in a crash of the server (synchronous_commit off): then nobody has it, and the fence of the next
-- claim differs. Specification and pace come with the first row only.
CREATE OR REPLACE FUNCTION claim_shards(
    p_worker bigint, p_incarnation uuid, p_limit integer, p_run text, p_above integer, p_is_prefetch boolean,
    p_excluded bigint[], p_without text[]
) RETURNS TABLE (
    job_id bigint, run_id text, ordinal integer, tier integer, shard_no integer, epoch integer, row_start integer,
    row_count integer, attempt integer, max_attempts integer, task text, model text, model_sha256 bytea,
    specification text, seconds_per_sample double precision
) LANGUAGE plpgsql
-- The first entry of an index is asked for, again and again, and then rows by their keys; the planner would rather read,
-- hash and sort all of them.
SET enable_bitmapscan = off SET enable_sort = off SET enable_seqscan = off SET enable_hashjoin = off
SET enable_mergejoin = off SET jit = off SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
-- Every expression of PL/pgSQL is made ready again in each transaction, for a microsecond or more, and most claims take a
-- shard in the first round: so variables begin as nulls, constants stand in the statements, and what is rare is asked at once.
DECLARE
    v_now timestamptz := clock_timestamp();
    v_worker record;
    v_shares record;
    v_job record;
    v_models text[];
    v_without bytea[];
    v_excluded bigint[];
    v_tried bigint[];
    v_full integer[];
    v_locked text[];
    v_busy text[];
    v_idle bigint[];
    v_room integer;
    v_count integer;
    v_off integer;
    v_is_off boolean;
    v_swept integer;
    v_tries integer;
    v_passed integer;
    v_patience integer;
BEGIN
    SELECT w.worker_id, w.labels, w.gpu_mb, w.device_kind, w.engine_mark, w.is_draining, w.registered_by,
        w.registered_by IS DISTINCT FROM session_user OR w.is_draining OR p_excluded <> '{}' OR p_without <> '{}'
            OR d.has_due OR set_config('synchronous_commit', 'off', true) IS NULL AS is_odd,
        d.has_due,
        CASE WHEN w.warm_since > v_now - interval '20 minutes' AND w.warm_since <= v_now THEN w.warm ELSE '{}' END AS warm
    INTO v_worker
    FROM worker w CROSS JOIN (
        SELECT EXISTS (SELECT 1 FROM shard s WHERE s.state = 'blocked' AND s.not_before <= v_now) AS has_due) d
    WHERE w.worker_id = p_worker AND w.incarnation = p_incarnation AND w.state = 'live';
    IF v_worker.is_odd IS NOT FALSE THEN
        IF v_worker.worker_id IS NULL THEN
            RAISE EXCEPTION 'worker % has no lease any more', p_worker USING ERRCODE = 'EW001';
        END IF;
        PERFORM set_config('synchronous_commit', 'off', true);
        IF v_worker.registered_by IS DISTINCT FROM session_user THEN
            PERFORM check_incarnation(ARRAY[p_incarnation]);
        END IF;
        IF v_worker.is_draining THEN
            RETURN;
        END IF;
        v_excluded := array_remove(p_excluded, NULL);
        v_tried := v_excluded;
        v_models := array_remove(p_without, NULL);
        v_without := ARRAY(SELECT decode(m.sha256, 'hex') FROM unnest(v_models) AS m (sha256) WHERE m.sha256 !~ ':');
        IF v_worker.has_due THEN
            BEGIN
                PERFORM promote_shards(100, 1);
            EXCEPTION WHEN OTHERS THEN
                -- The chore says so; what is ready can be claimed all the same.
                NULL;
            END;
        END IF;
    END IF;

    WITH running AS MATERIALIZED (
        SELECT s.project_id, count(*) AS shards FROM shard s WHERE s.state = 'running' GROUP BY s.project_id)
    SELECT array_agg(p.project_id) AS projects, array_agg(p.hard_cap) AS hard_caps,
        array_agg(coalesce(r.shards, 0) >= coalesce(p.soft_cap, 2147483647)) AS are_over,
        array_agg((p.used_seconds * 2 ^ greatest(-60, least(0, -extract(epoch FROM v_now - p.used_at)::double precision
                / 604800))
            + coalesce(r.shards, 0) * 600) / p.weight) AS loads
    INTO v_shares FROM project p LEFT JOIN running r USING (project_id)
    WHERE coalesce(r.shards, 0) < coalesce(p.hard_cap, 2147483647);

    LOOP
        SELECT f.*, share.hard_cap INTO v_job
        FROM unnest(v_shares.projects, v_shares.hard_caps, v_shares.are_over, v_shares.loads)
            AS share (project_id, hard_cap, is_over, load)
        CROSS JOIN LATERAL (
            SELECT j.job_id, j.run_id, j.ordinal, j.project_id, j.tier, j.max_attempts, j.task, j.model,
                j.model_sha256, j.spec_sha256,
                CASE WHEN j.model_sha256 = ANY (v_worker.warm) THEN j.load_seconds * 10 ELSE 0 END AS bonus
            FROM job j
            WHERE j.project_id = share.project_id AND j.is_runnable AND j.need_labels <@ v_worker.labels
                AND j.need_gpu_mb <= v_worker.gpu_mb
                AND (j.need_device IS NULL OR j.need_device = v_worker.device_kind)
                AND (p_run IS NULL OR j.run_id = p_run) AND (p_above IS NULL OR j.tier > p_above)
                AND (v_tried IS NULL OR j.job_id <> ALL (v_tried)) AND (v_busy IS NULL OR j.run_id <> ALL (v_busy))
                AND (v_without IS NULL OR j.model_sha256 <> ALL (v_without))
                AND (v_models IS NULL OR j.run_id || ':' || j.model <> ALL (v_models))
                AND (j.engine_mark IS NULL OR j.engine_mark = v_worker.engine_mark)
            ORDER BY j.tier DESC, j.job_id LIMIT 1) first
        CROSS JOIN LATERAL (
            SELECT first.*
            UNION ALL
            -- Where the first one needs another model, the first that needs a warm one competes with it.
            SELECT w.* FROM unnest(v_worker.warm) AS m (sha256) CROSS JOIN LATERAL (
            SELECT j.job_id, j.run_id, j.ordinal, j.project_id, j.tier, j.max_attempts, j.task, j.model,
                j.model_sha256, j.spec_sha256, j.load_seconds * 10
            FROM job j
            WHERE j.project_id = share.project_id AND j.is_runnable AND j.model_sha256 = m.sha256
                AND j.need_labels <@ v_worker.labels AND j.need_gpu_mb <= v_worker.gpu_mb
                AND (j.need_device IS NULL OR j.need_device = v_worker.device_kind)
                AND (p_run IS NULL OR j.run_id = p_run) AND (p_above IS NULL OR j.tier > p_above)
                AND (v_tried IS NULL OR j.job_id <> ALL (v_tried)) AND (v_busy IS NULL OR j.run_id <> ALL (v_busy))
                AND (v_without IS NULL OR j.model_sha256 <> ALL (v_without))
                AND (v_models IS NULL OR j.run_id || ':' || j.model <> ALL (v_models))
                AND (j.engine_mark IS NULL OR j.engine_mark = v_worker.engine_mark)
            ORDER BY j.tier DESC, j.job_id LIMIT 1) w
            WHERE first.model_sha256 <> ALL (v_worker.warm)) f
        WHERE v_full IS NULL OR share.project_id <> ALL (v_full)
        ORDER BY share.is_over, f.tier DESC, share.load - f.bonus, f.job_id LIMIT 1;
        EXIT WHEN NOT FOUND;

        IF v_job.hard_cap IS NOT NULL THEN
            -- For the first project with a cap it waits a while; for others, whose claims may wait for this one, hardly.
            IF NOT take_turn(v_job.project_id, coalesce(v_patience, 200)) THEN
                v_full := v_full || v_job.project_id;
                CONTINUE;
            END IF;
            v_patience := 1;
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
                    AND (s.avoid_worker IS NULL OR s.avoid_worker <> p_worker OR s.avoid_until <= v_now)
                ORDER BY s.job_id, s.shard_no LIMIT coalesce(v_room, p_limit) FOR NO KEY UPDATE SKIP LOCKED),
            taken AS (
                UPDATE shard s SET state = 'running', epoch = s.epoch + 1, worker_id = p_worker,
                    incarnation = p_incarnation, started_at = v_now, samples_done = 0, tokens_done = 0,
                    is_begun = NOT p_is_prefetch
                FROM pick WHERE s.job_id = pick.job_id AND s.shard_no = pick.shard_no
                RETURNING s.shard_no, s.epoch, s.row_start, s.row_count, s.failures)
            SELECT v_job.job_id, v_job.run_id, v_job.ordinal, v_job.tier::integer, t.shard_no, t.epoch, t.row_start,
                t.row_count, t.failures + 1, v_job.max_attempts::integer, v_job.task, v_job.model, v_job.model_sha256,
                -- They come as they were picked; sorting them again would cost as much as picking one.
                CASE WHEN row_number() OVER () = 1 THEN (
                    SELECT p.specification FROM job_spec p WHERE p.sha256 = v_job.spec_sha256) END,
                CASE WHEN row_number() OVER () = 1 THEN (
                    SELECT sum(a.seconds) / nullif(sum(a.samples), 0) FROM pace a
                    WHERE a.model_sha256 = v_job.model_sha256 AND a.task = v_job.task) END
            FROM taken t;
        GET DIAGNOSTICS v_count = ROW_COUNT;
        IF v_count >= coalesce(v_room, p_limit) AND v_worker.warm = ARRAY[v_job.model_sha256] THEN
            RETURN;
        END IF;
        -- Less than was asked for: a job of which nothing is ready is switched off, so that exhausted jobs do not slow
        -- claims down; behind one that was, its neighbors too. What a second look finds under the jobs' locks counts.
        v_idle := NULL;
        IF v_count < coalesce(v_room, p_limit) THEN
            IF v_is_off IS NOT TRUE THEN
                SELECT array_agg(l.job_id) INTO v_idle FROM (
                    SELECT j.job_id FROM job j
                    WHERE j.job_id = v_job.job_id
                        AND NOT EXISTS (SELECT 1 FROM shard s WHERE s.job_id = j.job_id AND s.state = 'ready')
                    FOR NO KEY UPDATE SKIP LOCKED) l;
            ELSE
                SELECT array_agg(l.job_id) INTO v_idle FROM (
                    -- An array: in a join all jobs would be read for each of these.
                    SELECT j.job_id FROM job j WHERE j.job_id = ANY (ARRAY(
                        SELECT n.job_id FROM (
                            SELECT c.job_id FROM job c
                            WHERE c.project_id = v_job.project_id AND c.tier = v_job.tier AND c.is_runnable
                                AND c.job_id >= v_job.job_id
                            ORDER BY c.tier DESC, c.job_id LIMIT 100) n
                        WHERE NOT EXISTS (SELECT 1 FROM shard s WHERE s.job_id = n.job_id AND s.state = 'ready')))
                    ORDER BY j.job_id FOR NO KEY UPDATE SKIP LOCKED) l;
            END IF;
            IF v_idle IS NOT NULL THEN
                UPDATE job j SET is_runnable = false
                WHERE j.job_id = ANY (v_idle) AND j.is_runnable
                    AND NOT EXISTS (SELECT 1 FROM shard s WHERE s.job_id = j.job_id AND s.state = 'ready');
                GET DIAGNOSTICS v_off = ROW_COUNT;
                v_is_off := v_off > 0;
                v_swept := coalesce(v_swept, 0) + v_off;
            END IF;
        END IF;
        IF v_count > 0 THEN
            IF v_worker.warm <> ARRAY[v_job.model_sha256] THEN
                -- What is warm was claimed before, or said at the registration, which notes it.
                PERFORM note_use(p_worker);
                -- A hint for later claims; a transaction that holds the row goes first.
                UPDATE worker w SET warm = ARRAY[v_job.model_sha256], warm_since = v_now
                WHERE w.worker_id = (
                    SELECT l.worker_id FROM worker l WHERE l.worker_id = p_worker FOR NO KEY UPDATE SKIP LOCKED);
            END IF;
            RETURN;
        END IF;
        -- So many jobs are tried in vain, and so many switched off, before the claim ends empty-handed: what is off by
        -- then stays off, and the next claim goes on from there. Jobs that have something, but not for this worker, are
        -- passed over, and so are runs that somebody is changing: a cancel, for one, locks all jobs and shards of its run.
        -- The first three count whatever they are: others take the last shards of a job all the time.
        v_passed := coalesce(v_passed, 0) + 1;
        IF v_idle IS NOT NULL OR v_passed <= 3 THEN
            v_tries := coalesce(v_tries, 0) + 1;
        ELSE
            PERFORM 1 FROM job j WHERE j.job_id = v_job.job_id FOR SHARE SKIP LOCKED;
            IF NOT FOUND THEN
                v_locked := v_locked || v_job.run_id;
                IF cardinality(array_positions(v_locked, v_job.run_id)) >= 5 THEN
                    v_busy := v_busy || v_job.run_id;
                END IF;
            ELSIF NOT EXISTS (
                SELECT 1 FROM shard s
                WHERE s.job_id = v_job.job_id AND s.state = 'ready' AND s.avoid_worker = p_worker
                    AND s.avoid_until > v_now)
            THEN
                v_tries := v_tries + 1;
            END IF;
        END IF;
        EXIT WHEN v_swept >= 500 OR v_tries >= 20 OR v_passed >= 200;
        v_tried := v_tried || v_job.job_id;
        v_room := NULL;
    END LOOP;

    IF p_is_prefetch OR p_above IS NOT NULL THEN
        RETURN;
    END IF;
    RETURN QUERY
        WITH pick AS MATERIALIZED (
            SELECT s.job_id, s.shard_no, s.epoch, s.worker_id, s.started_at, j.run_id, j.ordinal, j.tier,
                j.max_attempts, j.task, j.model, j.model_sha256, j.spec_sha256
            FROM shard s JOIN job j USING (job_id)
            WHERE s.state = 'running' AND NOT s.is_begun AND s.started_at < v_now - interval '2 seconds'
                AND s.worker_id <> p_worker AND NOT j.is_cancelled AND j.gate = 'open'
                AND (v_excluded IS NULL OR j.job_id <> ALL (v_excluded))
                AND (v_without IS NULL OR j.model_sha256 <> ALL (v_without))
                AND (v_models IS NULL OR j.run_id || ':' || j.model <> ALL (v_models))
                AND j.need_labels <@ v_worker.labels AND j.need_gpu_mb <= v_worker.gpu_mb
                AND (j.need_device IS NULL OR j.need_device = v_worker.device_kind)
                AND (p_run IS NULL OR j.run_id = p_run)
                AND (j.engine_mark IS NULL OR j.engine_mark = v_worker.engine_mark)
            ORDER BY s.started_at LIMIT 1 FOR NO KEY UPDATE OF s SKIP LOCKED),
        logged AS (
            INSERT INTO attempt (job_id, shard_no, epoch, outcome, error, worker_id, started_at)
            SELECT k.job_id, k.shard_no, k.epoch, 'released', 'an idle worker took it over', k.worker_id, k.started_at
            FROM pick k),
        taken AS (
            UPDATE shard s SET epoch = s.epoch + 1, worker_id = p_worker, incarnation = p_incarnation,
                started_at = v_now, samples_done = 0, tokens_done = 0, is_begun = true
            FROM pick k WHERE s.job_id = k.job_id AND s.shard_no = k.shard_no
            RETURNING s.shard_no, s.epoch, s.row_start, s.row_count, s.failures)
        SELECT k.job_id, k.run_id, k.ordinal, k.tier::integer, t.shard_no, t.epoch, t.row_start, t.row_count,
            t.failures + 1, k.max_attempts::integer, k.task, k.model, k.model_sha256,
            (SELECT p.specification FROM job_spec p WHERE p.sha256 = k.spec_sha256),
            (SELECT sum(a.seconds) / nullif(sum(a.samples), 0) FROM pace a
                WHERE a.model_sha256 = k.model_sha256 AND a.task = k.task)
        FROM taken t, pick k;
    IF FOUND THEN
        PERFORM note_use(p_worker);
    END IF;
END $$;

-- For workers of the release before: they begin what they claim at once, as far as anybody can tell.
CREATE OR REPLACE FUNCTION claim_shards(p_worker bigint, p_incarnation uuid, p_limit integer, p_run text, p_above integer)
RETURNS TABLE (
    job_id bigint, run_id text, ordinal integer, tier integer, shard_no integer, epoch integer, row_start integer,
    row_count integer, attempt integer, max_attempts integer, task text, model text, model_sha256 bytea,
    specification text
) LANGUAGE sql AS $$
    SELECT c.job_id, c.run_id, c.ordinal, c.tier, c.shard_no, c.epoch, c.row_start, c.row_count, c.attempt,
        c.max_attempts, c.task, c.model, c.model_sha256, c.specification
    FROM claim_shards(p_worker, p_incarnation, p_limit, p_run, p_above, false, '{}'::bigint[], '{}'::text[]) c
$$;
