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
