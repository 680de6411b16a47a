-- Makes blocked shards ready whose time has come, p_limit at most. Jobs and shards that others are busy with wait for the
-- next time, and those behind them don't: as long as a pass met a busy job, another one leaves such jobs out.
-- Nobody is told to wait for more than ten minutes: what seems to is left from before the clock was set back.
CREATE OR REPLACE FUNCTION promote_shards(p_limit integer, p_passes integer) RETURNS integer LANGUAGE plpgsql
-- By keys from the front of the index, however many there are behind it.
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
AS $$
DECLARE
    c_longest CONSTANT interval := '11 minutes';
    v_now timestamptz := clock_timestamp();
    v_found bigint[];
    v_jobs bigint[];
    v_busy bigint[] := '{}';
    v_due record;
    v_old record;
    v_count integer;
    v_sum integer := 0;
BEGIN
    FOR v_pass IN 1..p_passes LOOP
        SELECT array_agg(f.job_id) INTO v_found FROM (
            (SELECT s.job_id FROM shard s
            WHERE s.state = 'blocked' AND s.not_before <= v_now AND s.job_id <> ALL (v_busy)
            ORDER BY s.not_before LIMIT p_limit)
            UNION
            (SELECT s.job_id FROM shard s
            WHERE s.state = 'blocked' AND s.not_before > v_now + c_longest AND s.job_id <> ALL (v_busy)
            ORDER BY s.not_before DESC LIMIT p_limit)) f;
        SELECT coalesce(array_agg(l.job_id), '{}') INTO v_jobs FROM (
            SELECT j.job_id FROM job j WHERE j.job_id = ANY (v_found)
            ORDER BY j.job_id FOR NO KEY UPDATE SKIP LOCKED) l;
        IF v_jobs <> '{}' THEN
            PERFORM wake_jobs(v_jobs);
            SELECT array_agg(l.job_id) AS jobs, array_agg(l.shard_no) AS shards INTO v_due FROM (
                SELECT s.job_id, s.shard_no FROM shard s
                WHERE s.state = 'blocked' AND s.not_before <= v_now AND s.job_id = ANY (v_jobs)
                ORDER BY s.not_before LIMIT p_limit - v_sum FOR NO KEY UPDATE SKIP LOCKED) l;
            SELECT array_agg(l.job_id) AS jobs, array_agg(l.shard_no) AS shards INTO v_old FROM (
                SELECT s.job_id, s.shard_no FROM shard s
                WHERE s.state = 'blocked' AND s.not_before > v_now + c_longest AND s.job_id = ANY (v_jobs)
                ORDER BY s.not_before DESC LIMIT p_limit - v_sum FOR NO KEY UPDATE SKIP LOCKED) l;
            UPDATE shard s SET state = 'ready', not_before = NULL
            FROM unnest(v_due.jobs || v_old.jobs, v_due.shards || v_old.shards) AS f (job_id, shard_no)
            WHERE s.job_id = f.job_id AND s.shard_no = f.shard_no;
            GET DIAGNOSTICS v_count = ROW_COUNT;
            v_sum := v_sum + v_count;
        END IF;
        EXIT WHEN v_sum >= p_limit OR cardinality(v_jobs) >= coalesce(cardinality(v_found), 0);
        v_busy := v_busy || ARRAY(SELECT f.job_id FROM unnest(v_found) AS f (job_id) WHERE f.job_id <> ALL (v_jobs));
    END LOOP;
    RETURN v_sum;
END $$;

CREATE OR REPLACE FUNCTION promote_shards(p_limit integer) RETURNS integer LANGUAGE sql AS 'SELECT promote_shards(p_limit, 1)';

-- For programs of the release before.
CREATE OR REPLACE FUNCTION promote_shards() RETURNS integer LANGUAGE sql AS 'SELECT promote_shards(10000)';
