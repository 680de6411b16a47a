-- Forgets workers that left a month ago without ever having claimed anything.
CREATE OR REPLACE FUNCTION forget_workers(p_limit integer) RETURNS bigint LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
AS $$
DECLARE
    c_kept CONSTANT interval := '30 days';
    v_count bigint;
BEGIN
    DELETE FROM worker w WHERE w.worker_id IN (
        SELECT e.worker_id FROM worker e
        WHERE e.state <> 'live' AND e.ended_at < clock_timestamp() - c_kept
            AND NOT EXISTS (SELECT 1 FROM worker_use u WHERE u.worker_id = e.worker_id)
        ORDER BY e.ended_at LIMIT p_limit FOR UPDATE SKIP LOCKED);
    GET DIAGNOSTICS v_count = ROW_COUNT;
    RETURN v_count;
END $$;
