-- Moves the shards of archived runs, with their results and attempts, p_limit shards at most; answers how many.
CREATE OR REPLACE FUNCTION move_archived_shards(p_limit integer) RETURNS bigint LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
AS $$
DECLARE
    v_run text;
    v_jobs bigint[];
    v_shards integer[];
    v_left integer := p_limit;
BEGIN
    FOR v_run IN
        SELECT r.run_id FROM run r WHERE NOT r.is_moved
        ORDER BY r.archived_at, r.run_id LIMIT 1000 FOR NO KEY UPDATE SKIP LOCKED
    LOOP
        SELECT array_agg(k.job_id), array_agg(k.shard_no) INTO v_jobs, v_shards FROM (
            SELECT s.job_id, s.shard_no FROM job j CROSS JOIN LATERAL (
                SELECT s.job_id, s.shard_no FROM shard s WHERE s.job_id = j.job_id ORDER BY s.shard_no LIMIT v_left) s
            WHERE j.run_id = v_run LIMIT v_left) k;
        IF v_jobs IS NOT NULL THEN
            PERFORM permit_history_move();
            WITH moved AS (
                DELETE FROM shard_result r USING unnest(v_jobs, v_shards) AS k (job_id, shard_no)
                WHERE r.job_id = k.job_id AND r.shard_no = k.shard_no RETURNING r.*)
            INSERT INTO archived_result SELECT * FROM moved;
            WITH moved AS (
                DELETE FROM attempt a USING unnest(v_jobs, v_shards) AS k (job_id, shard_no)
                WHERE a.job_id = k.job_id AND a.shard_no = k.shard_no RETURNING a.*)
            INSERT INTO archived_attempt SELECT * FROM moved;
            WITH moved AS (
                DELETE FROM shard s USING unnest(v_jobs, v_shards) AS k (job_id, shard_no)
                WHERE s.job_id = k.job_id AND s.shard_no = k.shard_no RETURNING s.*)
            INSERT INTO archived_shard SELECT * FROM moved;
            PERFORM forbid_history_move();
        END IF;
        v_left := v_left - coalesce(cardinality(v_jobs), 0);
        EXIT WHEN v_left <= 0;
        UPDATE run r SET is_moved = true WHERE r.run_id = v_run;
    END LOOP;
    RETURN p_limit - v_left;
END $$;
