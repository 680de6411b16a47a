-- Results of other jobs that do the same work as a shard's, on the engine of the worker that asks: those that share rows with
-- the shard, 1000 at most, of the newest jobs first. Of so many jobs of the same work the newest are looked at. Not those of
-- archived runs: their shards may be on the move.
CREATE OR REPLACE FUNCTION equal_results(p_job bigint, p_shard integer, p_incarnation uuid) RETURNS TABLE (
    job_id bigint, run_id text, ordinal integer, path text, bytes bigint, sha256 bytea, digest text, row_start integer,
    row_count integer
) LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    v_own record;
    v_job record;
    v_first integer;
    v_last integer;
    v_count integer;
    v_left integer := 1000;
BEGIN
    PERFORM check_incarnation(ARRAY[p_incarnation]);
    SELECT j.work, w.identity, s.row_start, s.row_start + s.row_count AS row_end INTO v_own
    FROM shard s JOIN job j ON j.job_id = s.job_id CROSS JOIN worker w
    WHERE s.job_id = p_job AND s.shard_no = p_shard AND w.incarnation = p_incarnation;
    IF v_own.work IS NULL OR v_own.identity IS NULL THEN
        RETURN;
    END IF;
    FOR v_job IN
        SELECT n.job_id, n.run_id, n.ordinal FROM (
            SELECT j.job_id, j.run_id, j.ordinal FROM job j WHERE j.work = v_own.work AND j.job_id <> p_job
            ORDER BY j.job_id DESC LIMIT 1000) n
        JOIN job_engine e ON e.job_id = n.job_id JOIN run r ON r.run_id = n.run_id
        WHERE e.engine = v_own.identity AND NOT e.is_mixed AND r.archived_at IS NULL
        ORDER BY n.job_id DESC
    LOOP
        v_first := shard_at(v_job.job_id, v_own.row_start);
        v_last := shard_at(v_job.job_id, v_own.row_end - 1);
        RETURN QUERY
            SELECT v_job.job_id, v_job.run_id, v_job.ordinal, r.path, r.bytes, r.sha256, r.digest, s.row_start, s.row_count
            FROM shard s JOIN shard_result r ON r.job_id = s.job_id AND r.shard_no = s.shard_no
            -- Results from before workers said what their engine is are in the job, too.
            JOIN worker w ON w.worker_id = r.worker_id AND w.identity = v_own.identity
            WHERE s.job_id = v_job.job_id AND s.shard_no BETWEEN v_first AND v_last
                AND s.row_start < v_own.row_end AND s.row_start + s.row_count > v_own.row_start
            ORDER BY s.shard_no LIMIT v_left;
        GET DIAGNOSTICS v_count = ROW_COUNT;
        v_left := v_left - v_count;
        EXIT WHEN v_left <= 0;
    END LOOP;
END $$;
