-- Charges device time to projects and notes how fast work went, each ended attempt exactly once: what is charged is deleted
-- from the queue in the same transaction. So many lines at a time; projects that somebody else has locked wait.
CREATE OR REPLACE FUNCTION charge_usage(p_limit integer) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    c_half_life CONSTANT double precision := 604800;
    c_memory CONSTANT double precision := 3600;
    v_now timestamptz := clock_timestamp();
    v_projects integer[];
    v_count bigint;
BEGIN
    SELECT array_agg(l.project_id) INTO v_projects FROM (
        SELECT p.project_id FROM project p WHERE p.project_id IN (
            SELECT j.project_id FROM (SELECT u.job_id FROM usage_queue u LIMIT p_limit) n JOIN job j USING (job_id))
        ORDER BY p.project_id FOR NO KEY UPDATE SKIP LOCKED) l;
    IF v_projects IS NULL THEN
        RETURN 0;
    END IF;
    WITH due AS MATERIALIZED (
        SELECT u.ctid AS place FROM usage_queue u JOIN job j USING (job_id)
        WHERE j.project_id = ANY (v_projects) LIMIT p_limit FOR UPDATE OF u SKIP LOCKED),
    taken AS (
        DELETE FROM usage_queue u WHERE u.ctid = ANY (ARRAY(SELECT d.place FROM due d)) RETURNING u.*),
    -- What was measured lately counts most: each new hour of device time halves what came before. Sixty halvings leave
    -- nothing, and more would leave the range of numbers.
    paced AS (
        INSERT INTO pace AS p (model_sha256, task, device, samples, tokens, seconds)
        SELECT j.model_sha256, j.task, w.device, sum(t.samples), sum(t.tokens), sum(t.seconds)
        -- A worker's row is written so often that looking it up for each line would be slow.
        FROM (
            SELECT t.job_id, t.worker_id, sum(t.samples) AS samples, sum(t.tokens) AS tokens, sum(t.seconds) AS seconds
            FROM taken t WHERE t.is_result GROUP BY t.job_id, t.worker_id) t
        JOIN job j USING (job_id) JOIN worker w USING (worker_id)
        GROUP BY j.model_sha256, j.task, w.device HAVING sum(t.seconds) > 0
        ON CONFLICT (model_sha256, task, device) DO UPDATE SET
            samples = p.samples * 2 ^ greatest(-60, -excluded.seconds / c_memory) + excluded.samples,
            tokens = p.tokens * 2 ^ greatest(-60, -excluded.seconds / c_memory) + excluded.tokens,
            seconds = p.seconds * 2 ^ greatest(-60, -excluded.seconds / c_memory) + excluded.seconds,
            measured_at = excluded.measured_at),
    spent AS (SELECT j.project_id, sum(t.seconds) AS seconds FROM taken t JOIN job j USING (job_id) GROUP BY 1),
    charged AS (
        UPDATE project p SET used_at = v_now, used_seconds = least(1e300, s.seconds + p.used_seconds
            * 2 ^ greatest(-60, least(0, -extract(epoch FROM v_now - p.used_at)::double precision / c_half_life)))
        FROM spent s WHERE p.project_id = s.project_id)
    SELECT count(*) INTO v_count FROM taken;
    RETURN v_count;
END $$;
