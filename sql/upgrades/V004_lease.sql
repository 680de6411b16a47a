-- Who is alive, and what becomes of the shards of those who are not.

-- Renews a lease, notes progress, and compares what the worker holds with what stands here.
--
-- Answers one row of kind 'lease' (with whether to drain), and one for each shard that is 'lost', 'cancelled' or
-- 'orphaned'. A lease that ran out is renewed too as long as no reaper has seen it. Progress is written only where
-- nobody else is at the row: a heartbeat waits for no commit. Shards that were claimed long ago and that the worker
-- does not know were claimed by a call whose answer got lost; they go back.
CREATE FUNCTION heartbeat(
    p_worker bigint, p_incarnation uuid, p_jobs bigint[], p_shards integer[], p_epochs integer[], p_samples integer[],
    p_tokens bigint[]
) RETURNS TABLE (
    kind text, ttl_seconds double precision, is_draining boolean, job_id bigint, run_id text, ordinal integer,
    shard_no integer
) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    v_worker worker;
    v_orphan record;
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    UPDATE worker w SET seen_at = clock_timestamp(),
        lease_until = clock_timestamp() + make_interval(secs => w.ttl_seconds)
    WHERE w.worker_id = p_worker AND w.incarnation = p_incarnation AND w.state = 'live'
    RETURNING * INTO v_worker;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'worker % was declared dead or has left', p_worker USING ERRCODE = 'EW001';
    END IF;
    RETURN QUERY SELECT 'lease', v_worker.ttl_seconds, v_worker.is_draining, NULL::bigint, NULL::text, NULL::integer,
        NULL::integer;

    WITH report AS MATERIALIZED (
        SELECT s.job_id, s.shard_no, least(h.samples, s.row_count) AS samples, h.tokens
        FROM unnest(p_jobs, p_shards, p_epochs, p_samples, p_tokens) AS h (job_id, shard_no, epoch, samples, tokens)
        JOIN shard s ON s.job_id = h.job_id AND s.shard_no = h.shard_no AND s.epoch = h.epoch
        WHERE s.incarnation = p_incarnation AND s.state = 'running'
            AND (s.samples_done, s.tokens_done) <> (least(h.samples, s.row_count), h.tokens)
        FOR NO KEY UPDATE OF s SKIP LOCKED)
    UPDATE shard s SET samples_done = r.samples, tokens_done = r.tokens
    FROM report r WHERE s.job_id = r.job_id AND s.shard_no = r.shard_no;

    RETURN QUERY
        SELECT CASE WHEN s.job_id IS NULL THEN 'lost' ELSE 'cancelled' END, NULL::double precision, NULL::boolean,
            j.job_id, j.run_id, j.ordinal, h.shard_no
        FROM unnest(p_jobs, p_shards, p_epochs) AS h (job_id, shard_no, epoch)
        JOIN job j ON j.job_id = h.job_id
        LEFT JOIN shard s ON s.job_id = h.job_id AND s.shard_no = h.shard_no AND s.epoch = h.epoch
            AND s.incarnation = p_incarnation AND s.state IN ('running', 'done')
        WHERE s.job_id IS NULL OR (s.state = 'running' AND j.is_cancelled)
        ORDER BY j.job_id, h.shard_no;

    SELECT array_agg(s.job_id) AS jobs, array_agg(s.shard_no) AS shards, array_agg(s.epoch) AS epochs INTO v_orphan
    FROM shard s
    WHERE s.worker_id = p_worker AND s.state = 'running' AND s.incarnation = p_incarnation
        AND s.started_at < clock_timestamp() - make_interval(secs => v_worker.ttl_seconds / 2)
        AND NOT EXISTS (
            SELECT 1 FROM unnest(p_jobs, p_shards, p_epochs) AS h (job_id, shard_no, epoch)
            WHERE s.job_id = h.job_id AND s.shard_no = h.shard_no AND s.epoch = h.epoch);
    IF v_orphan.jobs IS NOT NULL THEN
        PERFORM wake_jobs(v_orphan.jobs);
        RETURN QUERY
            SELECT 'orphaned', NULL::double precision, NULL::boolean, j.job_id, j.run_id, j.ordinal, g.shard_no
            FROM give_back(p_incarnation, v_orphan.jobs, v_orphan.shards, v_orphan.epochs,
                'the worker does not know of this claim') g
            JOIN job j USING (job_id)
            ORDER BY j.job_id, g.shard_no;
    END IF;
END $$;

-- Gives back what the worker still has and ends its lease; saying good-bye twice does no harm.
CREATE FUNCTION deregister_worker(p_worker bigint, p_incarnation uuid) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_held record;
BEGIN
    UPDATE worker w SET state = 'left', ended_at = clock_timestamp()
    WHERE w.worker_id = p_worker AND w.incarnation = p_incarnation AND w.state = 'live';
    SELECT array_agg(s.job_id) AS jobs, array_agg(s.shard_no) AS shards, array_agg(s.epoch) AS epochs INTO v_held
    FROM shard s WHERE s.worker_id = p_worker AND s.state = 'running' AND s.incarnation = p_incarnation;
    IF v_held.jobs IS NOT NULL THEN
        PERFORM wake_jobs(v_held.jobs);
        PERFORM 1 FROM give_back(p_incarnation, v_held.jobs, v_held.shards, v_held.epochs, 'the worker left');
    END IF;
END $$;

-- Charges device time to projects, each ended attempt exactly once, without any row that commits wait for.
--
-- A transaction below the snapshot's xmin has ended, so its rows are all visible or will never be. A mark ahead of
-- the current transaction comes from a restored dump and starts over.
CREATE FUNCTION charge_usage() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    c_half_life CONSTANT double precision := 604800;
    v_from xid8;
    v_until xid8;
BEGIN
    SELECT m.charged_below INTO v_from FROM usage_mark m FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    v_until := pg_snapshot_xmin(pg_current_snapshot());
    IF v_from = v_until THEN
        RETURN;
    END IF;
    WITH ended AS (
        SELECT r.job_id, r.seconds FROM shard_result r WHERE r.txid >= v_from AND r.txid < v_until
        UNION ALL
        SELECT a.job_id, a.seconds FROM attempt a
        WHERE a.txid >= v_from AND a.txid < v_until AND a.seconds IS NOT NULL),
    spent AS (SELECT j.project_id, sum(e.seconds) AS seconds FROM ended e JOIN job j USING (job_id) GROUP BY 1)
    UPDATE project p SET used_at = clock_timestamp(), used_seconds = s.seconds + p.used_seconds
        * exp(-ln(2::double precision) * extract(epoch FROM clock_timestamp() - p.used_at)::double precision
            / c_half_life)
    FROM spent s WHERE p.project_id = s.project_id;
    UPDATE usage_mark SET charged_below = v_until;
END $$;

-- Declares workers dead whose lease ran out and takes the shards of all dead workers back; a lost worker burns no
-- attempt, but the third loss of one shard holds it. Workers that could not renew because this server was down get one
-- lease's time after its start. Whatever is locked by others waits for the next round.
CREATE FUNCTION reap() RETURNS TABLE (workers integer, requeued integer, held integer, promoted integer)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    c_poison_losses CONSTANT integer := 3;
    v_workers integer;
    v_jobs bigint[];
    v_requeued integer := 0;
    v_held integer := 0;
BEGIN
    WITH silent AS MATERIALIZED (
        SELECT w.worker_id FROM worker w
        WHERE w.state = 'live' AND w.lease_until < clock_timestamp()
            AND (w.seen_at >= pg_postmaster_start_time()
                OR clock_timestamp() > pg_postmaster_start_time() + make_interval(secs => w.ttl_seconds))
        ORDER BY w.worker_id FOR NO KEY UPDATE SKIP LOCKED)
    UPDATE worker w SET state = 'dead', ended_at = clock_timestamp()
    FROM silent WHERE w.worker_id = silent.worker_id;
    GET DIAGNOSTICS v_workers = ROW_COUNT;

    SELECT array_agg(DISTINCT s.job_id) INTO v_jobs
    FROM shard s JOIN worker w USING (worker_id) WHERE s.state = 'running' AND w.state <> 'live';
    IF v_jobs IS NOT NULL THEN
        PERFORM wake_jobs(v_jobs);
        WITH orphan AS MATERIALIZED (
            SELECT s.job_id, s.shard_no, j.is_cancelled
            FROM shard s JOIN worker w USING (worker_id) JOIN job j USING (job_id)
            WHERE s.state = 'running' AND w.state <> 'live' AND s.job_id = ANY (v_jobs)
            FOR NO KEY UPDATE OF s SKIP LOCKED),
        verdict AS MATERIALIZED (
            SELECT o.job_id, o.shard_no, CASE
                WHEN o.is_cancelled THEN 'cancelled'
                WHEN s.losses + 1 >= c_poison_losses THEN 'held'
                ELSE 'ready' END::shard_state AS state
            FROM orphan o JOIN shard s USING (job_id, shard_no)),
        taken AS (
            UPDATE shard s SET state = v.state, losses = s.losses + 1, samples_done = 0, tokens_done = 0,
                ended_at = CASE WHEN v.state <> 'ready' THEN clock_timestamp() END,
                reason = CASE v.state WHEN 'cancelled' THEN 'the run was cancelled'
                    WHEN 'held' THEN 'suspected poison: '
                        || (s.losses + 1) || ' workers died while they had this shard' END
            FROM verdict v WHERE s.job_id = v.job_id AND s.shard_no = v.shard_no
            RETURNING s.job_id, s.shard_no, s.epoch, s.worker_id, s.started_at, s.state),
        logged AS (
            INSERT INTO attempt (job_id, shard_no, epoch, outcome, error, worker_id, started_at)
            SELECT t.job_id, t.shard_no, t.epoch, 'lost', 'the worker''s lease ran out', t.worker_id, t.started_at
            FROM taken t)
        SELECT count(*) FILTER (WHERE t.state = 'ready'), count(*) FILTER (WHERE t.state = 'held')
        INTO v_requeued, v_held FROM taken t;
    END IF;
    PERFORM charge_usage();
    RETURN QUERY SELECT v_workers, v_requeued, v_held, promote_shards();
END $$;
