-- Gives back what the worker still has and ends its lease; saying good-bye twice does no harm. The note says why, where
-- it was not asked to.
CREATE OR REPLACE FUNCTION deregister_worker(p_worker bigint, p_incarnation uuid, p_note text) RETURNS void
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
AS $$
DECLARE
    v_held record;
BEGIN
    PERFORM check_incarnation(ARRAY[p_incarnation]);
    UPDATE worker w SET state = 'left', ended_at = clock_timestamp(), note = p_note
    WHERE w.worker_id = p_worker AND w.incarnation = p_incarnation AND w.state = 'live';
    SELECT array_agg(s.job_id) AS jobs, array_agg(s.shard_no) AS shards, array_agg(s.epoch) AS epochs INTO v_held
    FROM shard s WHERE s.worker_id = p_worker AND s.state = 'running' AND s.incarnation = p_incarnation;
    IF v_held.jobs IS NOT NULL THEN
        PERFORM 1 FROM give_back(p_incarnation, v_held.jobs, v_held.shards, v_held.epochs,
            coalesce('the worker left: ' || p_note, 'the worker left'), 2000);
    END IF;
END $$;

CREATE OR REPLACE FUNCTION deregister_worker(p_worker bigint, p_incarnation uuid) RETURNS void LANGUAGE sql
AS 'SELECT deregister_worker(p_worker, p_incarnation, NULL)';
