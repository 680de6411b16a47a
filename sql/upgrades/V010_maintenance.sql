-- What any process does now and then: dead workers, gates, device time, pace, tallies; and what is over and done with.

-- How fast work went, by what it was and where, for estimates; outlives the results themselves.
CREATE TABLE pace (
    model_sha256 bytea NOT NULL,
    task text NOT NULL,
    device text NOT NULL,
    samples double precision NOT NULL CHECK (samples >= 0),
    tokens double precision NOT NULL CHECK (tokens >= 0),
    seconds double precision NOT NULL CHECK (seconds > 0),
    measured_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (model_sha256, task, device)
);

-- Charges device time to projects, each ended attempt exactly once, without any row that commits wait for.
--
-- A transaction below the snapshot's xmin has ended, so its rows are all visible or will never be. A mark ahead of
-- the current transaction comes from a restored dump and starts over.
CREATE OR REPLACE FUNCTION charge_usage() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    c_half_life CONSTANT double precision := 604800;
    c_memory CONSTANT double precision := 3600;
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
    -- What was measured lately counts most: each new hour of device time halves what came before.
    INSERT INTO pace AS p (model_sha256, task, device, samples, tokens, seconds)
    SELECT j.model_sha256, j.task, w.device, sum(r.samples), sum(r.tokens), sum(r.seconds)
    FROM shard_result r JOIN job j USING (job_id) JOIN worker w USING (worker_id)
    WHERE r.txid >= v_from AND r.txid < v_until
    GROUP BY j.model_sha256, j.task, w.device HAVING sum(r.seconds) > 0
    ON CONFLICT (model_sha256, task, device) DO UPDATE SET
        samples = p.samples * 2 ^ (-excluded.seconds / c_memory) + excluded.samples,
        tokens = p.tokens * 2 ^ (-excluded.seconds / c_memory) + excluded.tokens,
        seconds = p.seconds * 2 ^ (-excluded.seconds / c_memory) + excluded.seconds,
        measured_at = excluded.measured_at;
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

-- Gives shards back that were not computed. The epoch stays, so that a result which comes after all is still good.
-- The jobs must have been woken. A commit that is under way goes first.
CREATE OR REPLACE FUNCTION give_back(p_incarnation uuid, p_jobs bigint[], p_shards integer[], p_epochs integer[], p_note text)
RETURNS TABLE (job_id bigint, shard_no integer) LANGUAGE sql AS $$
    WITH held AS MATERIALIZED (
        SELECT s.job_id, s.shard_no, j.is_cancelled, j.cancel_reason
        FROM unnest(p_jobs, p_shards, p_epochs) AS h (job_id, shard_no, epoch)
        JOIN shard s ON s.job_id = h.job_id AND s.shard_no = h.shard_no AND s.epoch = h.epoch
        JOIN job j ON j.job_id = s.job_id
        WHERE s.incarnation = p_incarnation AND s.state = 'running'
        FOR NO KEY UPDATE OF s),
    given AS (
        UPDATE shard s SET samples_done = 0, tokens_done = 0,
            state = CASE WHEN h.is_cancelled THEN 'cancelled' ELSE 'ready' END::shard_state,
            reason = CASE WHEN h.is_cancelled THEN coalesce(h.cancel_reason, 'the run was cancelled') END,
            ended_at = CASE WHEN h.is_cancelled THEN clock_timestamp() END
        FROM held h WHERE s.job_id = h.job_id AND s.shard_no = h.shard_no
        RETURNING s.job_id, s.shard_no, s.epoch, s.worker_id, s.started_at, s.state)
    INSERT INTO attempt (job_id, shard_no, epoch, outcome, error, worker_id, started_at)
    SELECT g.job_id, g.shard_no, g.epoch, CASE WHEN g.state = 'cancelled' THEN 'cancelled' ELSE 'released' END,
        p_note, g.worker_id, g.started_at
    FROM given g
    RETURNING job_id, shard_no
$$;

-- Declares workers dead whose lease ran out and takes the shards of all dead workers back; a lost worker burns no
-- attempt, but the third loss of one shard holds it. Workers that could not renew because this server was down get one
-- lease's time after its start. Whatever is locked by others waits for the next round. Besides, everything that is done
-- now and then: gates whose dependencies have ended, device time, tallies.
CREATE OR REPLACE FUNCTION reap() RETURNS TABLE (workers integer, requeued integer, held integer, promoted integer)
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
            SELECT s.job_id, s.shard_no, j.is_cancelled, j.cancel_reason
            FROM shard s JOIN worker w USING (worker_id) JOIN job j USING (job_id)
            WHERE s.state = 'running' AND w.state <> 'live' AND s.job_id = ANY (v_jobs)
            FOR NO KEY UPDATE OF s SKIP LOCKED),
        verdict AS MATERIALIZED (
            SELECT o.job_id, o.shard_no, o.cancel_reason, CASE
                WHEN o.is_cancelled THEN 'cancelled'
                WHEN s.losses + 1 >= c_poison_losses THEN 'held'
                ELSE 'ready' END::shard_state AS state
            FROM orphan o JOIN shard s USING (job_id, shard_no)),
        taken AS (
            UPDATE shard s SET state = v.state, losses = s.losses + 1, samples_done = 0, tokens_done = 0,
                ended_at = CASE WHEN v.state <> 'ready' THEN clock_timestamp() END,
                reason = CASE v.state WHEN 'cancelled' THEN coalesce(v.cancel_reason, 'the run was cancelled')
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
    PERFORM open_gates();
    PERFORM charge_usage();
    PERFORM roll_up();
    RETURN QUERY SELECT v_workers, v_requeued, v_held, promote_shards();
END $$;
