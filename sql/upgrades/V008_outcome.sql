-- Committing many results at once, and giving a job up after too many failures.

-- Makes results visible, durably: one flush to disk for all of them. Each one is judged by its own fence, epoch and
-- incarnation together; a late result counts as long as nobody else has claimed the shard.
DROP FUNCTION commit_shard(bigint, integer, integer, uuid, text, bigint, bytea, text, integer, bigint, double precision);
CREATE FUNCTION commit_shards(
    p_jobs bigint[], p_shards integer[], p_epochs integer[], p_incarnations uuid[], p_paths text[], p_bytes bigint[],
    p_sha256s text[], p_digests text[], p_samples integer[], p_tokens bigint[], p_seconds double precision[]
) RETURNS TABLE (place integer, outcome text) LANGUAGE plpgsql
-- Rows by their keys, however many there are or statistics say: planning it anew each time costs more than doing it.
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    v_done integer[];
BEGIN
    IF current_setting('synchronous_commit') = 'off' THEN
        PERFORM set_config('synchronous_commit', 'on', true);
    END IF;
    WITH item AS MATERIALIZED (
        SELECT i.* FROM unnest(p_jobs, p_shards, p_epochs, p_incarnations, p_samples, p_tokens) WITH ORDINALITY
            AS i (job_id, shard_no, epoch, incarnation, samples, tokens, place)),
    mine AS MATERIALIZED (
        SELECT s.job_id, s.shard_no, i.place, i.samples, i.tokens FROM item i JOIN shard s USING (job_id, shard_no)
        WHERE s.epoch = i.epoch AND s.incarnation = i.incarnation AND s.state IN ('running', 'ready')
        ORDER BY s.job_id, s.shard_no FOR NO KEY UPDATE OF s),
    done AS (
        UPDATE shard s SET state = 'done', samples_done = m.samples, tokens_done = m.tokens,
            ended_at = clock_timestamp()
        FROM mine m WHERE s.job_id = m.job_id AND s.shard_no = m.shard_no
        RETURNING s.job_id, s.shard_no, s.epoch, s.incarnation, s.worker_id, s.started_at, m.place),
    stored AS (
        INSERT INTO shard_result (
            job_id, shard_no, epoch, incarnation, worker_id, started_at, path, bytes, sha256, digest, samples, tokens,
            seconds)
        SELECT d.job_id, d.shard_no, d.epoch, d.incarnation, d.worker_id, d.started_at, p_paths[d.place],
            p_bytes[d.place], decode(p_sha256s[d.place], 'hex'), p_digests[d.place], p_samples[d.place],
            p_tokens[d.place], p_seconds[d.place]
        FROM done d)
    SELECT array_agg(d.place::integer) INTO v_done FROM done d;
    IF cardinality(v_done) = cardinality(p_jobs) THEN
        RETURN QUERY SELECT g, 'committed' FROM generate_series(1, cardinality(p_jobs)) g;
        RETURN;
    END IF;

    RETURN QUERY
        SELECT i.place::integer, CASE
            WHEN i.place = ANY (v_done) THEN 'committed'
            WHEN r.epoch = i.epoch AND r.incarnation = i.incarnation AND r.path = i.path
                AND r.sha256 = decode(i.sha256, 'hex') THEN 'already'
            ELSE 'fenced' END
        FROM unnest(p_jobs, p_shards, p_epochs, p_incarnations, p_paths, p_sha256s) WITH ORDINALITY
            AS i (job_id, shard_no, epoch, incarnation, path, sha256, place)
        LEFT JOIN shard_result r ON r.job_id = i.job_id AND r.shard_no = i.shard_no
        ORDER BY i.place;
END $$;

-- Records a failed attempt. The next one comes after min(2^n * 5 s, 10 min) with full jitter, as 'blocked' until then.
-- One failed shard too many holds the job: whatever is wrong is probably wrong with the rest, too.
CREATE OR REPLACE FUNCTION fail_shard(
    p_job bigint, p_shard integer, p_epoch integer, p_incarnation uuid, p_error text, p_is_permanent boolean,
    p_seconds double precision
) RETURNS TABLE (outcome text, retry_seconds double precision) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    v_job job;
    v_shard shard;
    v_wait double precision;
    v_failed bigint;
BEGIN
    -- Shared with other failures, but not with a cancel: it must not miss a shard that becomes blocked beside it.
    -- Where failures are counted, one comes after the other.
    IF EXISTS (SELECT 1 FROM job j WHERE j.job_id = p_job AND j.max_failures IS NOT NULL) THEN
        SELECT * INTO v_job FROM job j WHERE j.job_id = p_job FOR NO KEY UPDATE;
    ELSE
        SELECT * INTO v_job FROM job j WHERE j.job_id = p_job FOR SHARE;
    END IF;
    SELECT * INTO v_shard FROM shard s
    WHERE s.job_id = p_job AND s.shard_no = p_shard AND s.epoch = p_epoch AND s.incarnation = p_incarnation
        AND s.state = 'running'
    FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN QUERY SELECT 'fenced', NULL::double precision;
        RETURN;
    END IF;
    INSERT INTO attempt (job_id, shard_no, epoch, outcome, error, worker_id, started_at, seconds)
    VALUES (p_job, p_shard, p_epoch, 'failed', p_error, v_shard.worker_id, v_shard.started_at, p_seconds);
    IF v_job.is_cancelled THEN
        UPDATE shard s SET state = 'cancelled', reason = coalesce(v_job.cancel_reason, 'the run was cancelled'),
            ended_at = clock_timestamp(),
            failures = s.failures + 1, samples_done = 0, tokens_done = 0
        WHERE s.job_id = p_job AND s.shard_no = p_shard;
        RETURN QUERY SELECT 'cancelled', NULL::double precision;
    ELSIF p_is_permanent OR v_shard.failures + 1 >= v_job.max_attempts THEN
        UPDATE shard s SET state = 'failed', reason = p_error, ended_at = clock_timestamp(),
            failures = s.failures + 1, samples_done = 0, tokens_done = 0
        WHERE s.job_id = p_job AND s.shard_no = p_shard;
        IF v_job.max_failures IS NOT NULL AND v_job.gate = 'open' THEN
            SELECT c.failed INTO v_failed FROM job_counts c WHERE c.job_id = p_job;
            IF v_failed > v_job.max_failures THEN
                UPDATE job j SET is_runnable = false, gate = 'held',
                    gate_reason = v_failed || ' shards failed, max_failures is ' || v_job.max_failures
                WHERE j.job_id = p_job;
            END IF;
        END IF;
        RETURN QUERY SELECT 'failed', NULL::double precision;
    ELSE
        v_wait := least(600, 5 * 2 ^ least(v_shard.failures, 10)) * random();
        UPDATE shard s SET state = 'blocked', not_before = clock_timestamp() + make_interval(secs => v_wait),
            failures = s.failures + 1, samples_done = 0, tokens_done = 0
        WHERE s.job_id = p_job AND s.shard_no = p_shard;
        RETURN QUERY SELECT 'retry', v_wait;
    END IF;
END $$;
