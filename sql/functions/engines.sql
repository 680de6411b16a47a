-- Which engine a job's results come from, and which results another job could use.

-- What stands for an engine where many are compared: the first bytes of its sha256. It is in rows for years, and servers may
-- change their own hashes.
CREATE OR REPLACE FUNCTION engine_mark(p_identity text) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
    SELECT ('x' || left(encode(sha256(convert_to(p_identity, 'UTF8')), 'hex'), 16))::bit(64)::bigint
$$;

-- Lets the next result of these jobs, which are locked, fix their engines anew where no result is left.
--
-- Commits read a job's engine without a lock. So that none goes by what is taken away here, nothing may be running on that
-- engine, or it stays until the next retry; and a late result of an old claim does not count any more.
CREATE OR REPLACE FUNCTION unfix_engines(p_jobs bigint[]) RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
AS $$
DECLARE
    v_jobs bigint[];
BEGIN
    SELECT array_agg(e.job_id) INTO v_jobs FROM job_engine e
    WHERE e.job_id = ANY (p_jobs) AND NOT e.is_mixed
        AND NOT EXISTS (SELECT 1 FROM shard_result r WHERE r.job_id = e.job_id);
    -- A claim or commit that is under way goes first, and what it did is seen below.
    PERFORM 1 FROM shard s WHERE s.job_id = ANY (v_jobs) ORDER BY s.job_id, s.shard_no FOR NO KEY UPDATE;
    SELECT array_agg(e.job_id) INTO v_jobs FROM job_engine e
    WHERE e.job_id = ANY (v_jobs) AND NOT EXISTS (SELECT 1 FROM shard_result r WHERE r.job_id = e.job_id)
        AND NOT EXISTS (
            SELECT 1 FROM shard s JOIN worker w ON w.worker_id = s.worker_id
            WHERE s.job_id = e.job_id AND s.state::text = 'running' AND w.identity = e.engine);
    UPDATE shard s SET incarnation = gen_random_uuid()
    WHERE s.job_id = ANY (v_jobs) AND s.epoch > 0 AND s.state::text <> 'running';
    DELETE FROM job_engine e WHERE e.job_id = ANY (v_jobs);
    UPDATE job j SET engine_mark = NULL
    WHERE j.job_id = ANY (p_jobs) AND j.engine_mark IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM job_engine e WHERE e.job_id = j.job_id AND NOT e.is_mixed);
END $$;

-- Lets other engines finish what is not finished: jobs whose engine is fixed may have results of several from now on.
-- Answers how many jobs; null when there is no such run or job.
CREATE OR REPLACE FUNCTION mix_engines(p_run text, p_ordinal integer) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_jobs bigint[] := lock_jobs(p_run, p_ordinal);
    v_count bigint;
BEGIN
    PERFORM check_run(p_run);
    IF v_jobs IS NULL THEN
        RETURN NULL;
    END IF;
    UPDATE job_engine e SET is_mixed = true
    FROM job j JOIN job_counts c USING (job_id)
    WHERE j.job_id = e.job_id AND e.job_id = ANY (v_jobs) AND NOT e.is_mixed AND c.done < j.shard_count;
    GET DIAGNOSTICS v_count = ROW_COUNT;
    UPDATE job j SET engine_mark = NULL
    WHERE j.job_id = ANY (v_jobs) AND j.engine_mark IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM job_engine e WHERE e.job_id = j.job_id AND NOT e.is_mixed);
    RETURN v_count;
END $$;

-- The number of the shard that has a row of a job, or of the last one for a row behind it. By halves: shards may differ in
-- size, and no index has their rows, since each claim and commit would have to write it.
CREATE OR REPLACE FUNCTION shard_at(p_job bigint, p_row integer) RETURNS integer LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_low integer := 0;
    v_high integer;
    v_middle integer;
BEGIN
    SELECT j.shard_count - 1 INTO v_high FROM job j WHERE j.job_id = p_job;
    WHILE v_low < v_high LOOP
        v_middle := v_low + (v_high - v_low + 1) / 2;
        IF (SELECT s.row_start FROM shard s WHERE s.job_id = p_job AND s.shard_no = v_middle) <= p_row THEN
            v_low := v_middle;
        ELSE
            v_high := v_middle - 1;
        END IF;
    END LOOP;
    RETURN v_low;
END $$;

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
