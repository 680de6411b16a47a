-- Marks shards of cancelled jobs, p_limit at most; answers how many.
CREATE OR REPLACE FUNCTION sweep_cancelled_jobs(p_limit integer) RETURNS bigint LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
AS $$
DECLARE
    v_job record;
    v_left bigint := p_limit;
    v_count bigint;
BEGIN
    FOR v_job IN
        SELECT j.job_id, j.cancel_reason FROM job j WHERE NOT j.is_swept
        ORDER BY j.job_id LIMIT 1000 FOR NO KEY UPDATE SKIP LOCKED
    LOOP
        EXIT WHEN v_left <= 0;
        WITH due AS MATERIALIZED (
            SELECT s.job_id, s.shard_no FROM shard s
            WHERE s.job_id = v_job.job_id AND s.state IN ('blocked', 'ready', 'held')
            LIMIT v_left FOR NO KEY UPDATE SKIP LOCKED)
        UPDATE shard s SET state = 'cancelled', reason = coalesce(v_job.cancel_reason, 'the run was cancelled'),
            ended_at = clock_timestamp(), not_before = NULL
        FROM due d WHERE s.job_id = d.job_id AND s.shard_no = d.shard_no;
        GET DIAGNOSTICS v_count = ROW_COUNT;
        IF v_count < v_left THEN
            UPDATE job j SET is_swept = NOT EXISTS (
                SELECT 1 FROM shard s WHERE s.job_id = j.job_id AND s.state IN ('blocked', 'ready', 'held'))
            WHERE j.job_id = v_job.job_id;
        END IF;
        v_left := v_left - v_count;
    END LOOP;
    RETURN p_limit - v_left;
END $$;
