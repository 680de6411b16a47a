-- Giving work back: as a result, as a failure, or untouched. The fence is epoch and incarnation together: after a
-- fail-over the same epoch can be issued twice, the same incarnation can't.

-- Makes a result visible, durably. A late result counts as long as nobody else has claimed the shard.
CREATE FUNCTION commit_shard(
    p_job bigint, p_shard integer, p_epoch integer, p_incarnation uuid, p_path text, p_bytes bigint, p_sha256 bytea,
    p_digest text, p_samples integer, p_tokens bigint, p_seconds double precision
) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_shard shard;
    v_result shard_result;
BEGIN
    IF current_setting('synchronous_commit') = 'off' THEN
        PERFORM set_config('synchronous_commit', 'on', true);
    END IF;
    UPDATE shard s SET state = 'done', samples_done = p_samples, tokens_done = p_tokens, ended_at = clock_timestamp()
    WHERE s.job_id = p_job AND s.shard_no = p_shard AND s.epoch = p_epoch AND s.incarnation = p_incarnation
        AND s.state IN ('running', 'ready')
    RETURNING * INTO v_shard;
    IF FOUND THEN
        INSERT INTO shard_result (
            job_id, shard_no, epoch, incarnation, worker_id, started_at, path, bytes, sha256, digest, samples, tokens,
            seconds)
        VALUES (
            p_job, p_shard, p_epoch, p_incarnation, v_shard.worker_id, v_shard.started_at, p_path, p_bytes, p_sha256,
            p_digest, p_samples, p_tokens, p_seconds);
        RETURN 'committed';
    END IF;
    SELECT * INTO v_result FROM shard_result r WHERE r.job_id = p_job AND r.shard_no = p_shard;
    IF v_result.epoch = p_epoch AND v_result.incarnation = p_incarnation AND v_result.path = p_path
        AND v_result.sha256 = p_sha256
    THEN
        RETURN 'already';
    END IF;
    RETURN 'fenced';
END $$;

-- Records a failed attempt. The next one comes after min(2^n * 5 s, 10 min) with full jitter, as 'blocked' until then.
CREATE FUNCTION fail_shard(
    p_job bigint, p_shard integer, p_epoch integer, p_incarnation uuid, p_error text, p_is_permanent boolean,
    p_seconds double precision
) RETURNS TABLE (outcome text, retry_seconds double precision) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    v_job job;
    v_shard shard;
    v_wait double precision;
BEGIN
    -- Shared with other failures, but not with a cancel: it must not miss a shard that becomes blocked beside it.
    SELECT * INTO v_job FROM job j WHERE j.job_id = p_job FOR SHARE;
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
        UPDATE shard s SET state = 'cancelled', reason = 'the run was cancelled', ended_at = clock_timestamp(),
            failures = s.failures + 1, samples_done = 0, tokens_done = 0
        WHERE s.job_id = p_job AND s.shard_no = p_shard;
        RETURN QUERY SELECT 'cancelled', NULL::double precision;
    ELSIF p_is_permanent OR v_shard.failures + 1 >= v_job.max_attempts THEN
        UPDATE shard s SET state = 'failed', reason = p_error, ended_at = clock_timestamp(),
            failures = s.failures + 1, samples_done = 0, tokens_done = 0
        WHERE s.job_id = p_job AND s.shard_no = p_shard;
        RETURN QUERY SELECT 'failed', NULL::double precision;
    ELSE
        v_wait := least(600, 5 * 2 ^ least(v_shard.failures, 10)) * random();
        UPDATE shard s SET state = 'blocked', not_before = clock_timestamp() + make_interval(secs => v_wait),
            failures = s.failures + 1, samples_done = 0, tokens_done = 0
        WHERE s.job_id = p_job AND s.shard_no = p_shard;
        RETURN QUERY SELECT 'retry', v_wait;
    END IF;
END $$;

-- Gives shards back that were not computed. The epoch stays, so that a result which comes after all is still good.
-- The jobs must have been woken. A commit that is under way goes first.
CREATE FUNCTION give_back(p_incarnation uuid, p_jobs bigint[], p_shards integer[], p_epochs integer[], p_note text)
RETURNS TABLE (job_id bigint, shard_no integer) LANGUAGE sql AS $$
    WITH held AS MATERIALIZED (
        SELECT s.job_id, s.shard_no, j.is_cancelled
        FROM unnest(p_jobs, p_shards, p_epochs) AS h (job_id, shard_no, epoch)
        JOIN shard s ON s.job_id = h.job_id AND s.shard_no = h.shard_no AND s.epoch = h.epoch
        JOIN job j ON j.job_id = s.job_id
        WHERE s.incarnation = p_incarnation AND s.state = 'running'
        FOR NO KEY UPDATE OF s),
    given AS (
        UPDATE shard s SET samples_done = 0, tokens_done = 0,
            state = CASE WHEN h.is_cancelled THEN 'cancelled' ELSE 'ready' END::shard_state,
            reason = CASE WHEN h.is_cancelled THEN 'the run was cancelled' END,
            ended_at = CASE WHEN h.is_cancelled THEN clock_timestamp() END
        FROM held h WHERE s.job_id = h.job_id AND s.shard_no = h.shard_no
        RETURNING s.job_id, s.shard_no, s.epoch, s.worker_id, s.started_at, s.state)
    INSERT INTO attempt (job_id, shard_no, epoch, outcome, error, worker_id, started_at)
    SELECT g.job_id, g.shard_no, g.epoch, CASE WHEN g.state = 'cancelled' THEN 'cancelled' ELSE 'released' END,
        p_note, g.worker_id, g.started_at
    FROM given g
    RETURNING job_id, shard_no
$$;

CREATE FUNCTION release_shards(p_incarnation uuid, p_jobs bigint[], p_shards integer[], p_epochs integer[])
RETURNS TABLE (job_id bigint, shard_no integer) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM wake_jobs(p_jobs);
    RETURN QUERY SELECT * FROM give_back(p_incarnation, p_jobs, p_shards, p_epochs, NULL);
END $$;

-- Cancels what waits; whoever has the rest learns it from the next heartbeat. False when there is no such run.
CREATE FUNCTION cancel_run(p_run text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    UPDATE run r SET cancelled_at = coalesce(r.cancelled_at, clock_timestamp()) WHERE r.run_id = p_run;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM 1 FROM job j WHERE j.run_id = p_run ORDER BY j.job_id FOR NO KEY UPDATE;
    UPDATE job j SET is_cancelled = true, is_runnable = false WHERE j.run_id = p_run AND NOT j.is_cancelled;
    UPDATE shard s SET state = 'cancelled', reason = 'the run was cancelled', ended_at = clock_timestamp(),
        not_before = NULL
    FROM job j WHERE j.run_id = p_run AND s.job_id = j.job_id AND s.state IN ('blocked', 'ready', 'held');
    RETURN true;
END $$;
