-- Who is alive, and what happens to the shards of those who are not. Leases run in observed time: see queue_clock.

-- Declares workers dead whose lease ran out and takes the shards of all dead workers back, so many at a time. A lost worker
-- burns no attempt, but the third one that is lost while it computes a shard holds it; what it had only fetched is under no
-- suspicion. Whatever is locked by others waits for the next round.
CREATE OR REPLACE FUNCTION reap_workers(p_workers integer, p_shards integer)
RETURNS TABLE (workers integer, requeued integer, held integer) LANGUAGE plpgsql
-- By keys; a plan for some hundred orphans would look for each of them in all shards of its job.
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    c_poison_losses CONSTANT integer := 3;
    v_now timestamptz := clock_timestamp();
    v_seconds double precision := observe_time();
    v_workers integer;
    v_orphan record;
    v_requeued integer := 0;
    v_held integer := 0;
BEGIN
    WITH silent AS MATERIALIZED (
        SELECT w.worker_id FROM worker w
        WHERE w.state = 'live' AND v_seconds - w.seen_seconds > w.ttl_seconds
        ORDER BY w.worker_id LIMIT p_workers FOR NO KEY UPDATE SKIP LOCKED)
    UPDATE worker w SET state = 'dead', ended_at = v_now
    FROM silent WHERE w.worker_id = silent.worker_id;
    GET DIAGNOSTICS v_workers = ROW_COUNT;

    SELECT array_agg(o.job_id) AS jobs, array_agg(o.shard_no) AS shards INTO v_orphan FROM (
        SELECT s.job_id, s.shard_no FROM shard s JOIN worker w USING (worker_id) JOIN job j USING (job_id)
        WHERE s.state = 'running' AND w.state <> 'live'
        ORDER BY s.job_id, s.shard_no LIMIT p_shards FOR NO KEY UPDATE OF j SKIP LOCKED) o;
    IF v_orphan.jobs IS NOT NULL THEN
        PERFORM wake_jobs(v_orphan.jobs);
        WITH orphan AS MATERIALIZED (
            SELECT s.job_id, s.shard_no, j.is_cancelled, j.cancel_reason
            FROM unnest(v_orphan.jobs, v_orphan.shards) AS o (job_id, shard_no)
            JOIN shard s USING (job_id, shard_no) JOIN worker w USING (worker_id) JOIN job j USING (job_id)
            WHERE s.state::text = 'running' AND w.state <> 'live'
            FOR NO KEY UPDATE OF s SKIP LOCKED),
        verdict AS MATERIALIZED (
            SELECT o.job_id, o.shard_no, o.cancel_reason, s.losses + s.is_begun::integer AS losses, CASE
                WHEN o.is_cancelled THEN 'cancelled'
                WHEN s.is_begun AND s.losses + 1 >= c_poison_losses THEN 'held'
                ELSE 'ready' END::shard_state AS state
            FROM orphan o JOIN shard s USING (job_id, shard_no)),
        taken AS (
            UPDATE shard s SET state = v.state, losses = v.losses, samples_done = 0, tokens_done = 0,
                ended_at = CASE WHEN v.state <> 'ready' THEN v_now END,
                reason = CASE v.state WHEN 'cancelled' THEN coalesce(v.cancel_reason, 'the run was cancelled')
                    WHEN 'held' THEN 'suspected poison: '
                        || v.losses || ' workers died while they had this shard' END
            FROM verdict v WHERE s.job_id = v.job_id AND s.shard_no = v.shard_no
            RETURNING s.job_id, s.shard_no, s.epoch, s.worker_id, s.started_at, s.state),
        logged AS (
            INSERT INTO attempt (job_id, shard_no, epoch, outcome, error, worker_id, started_at)
            SELECT t.job_id, t.shard_no, t.epoch, 'lost',
                CASE w.state WHEN 'left' THEN 'the worker left' ELSE 'the worker''s lease ran out' END, t.worker_id,
                t.started_at
            FROM taken t JOIN worker w USING (worker_id))
        SELECT count(*) FILTER (WHERE t.state = 'ready'), count(*) FILTER (WHERE t.state = 'held')
        INTO v_requeued, v_held FROM taken t;
    END IF;
    RETURN QUERY SELECT v_workers, v_requeued, v_held;
END $$;
