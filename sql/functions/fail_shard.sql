-- Records a failed attempt. The next one comes after min(2^n * 5 s, 10 min) with full jitter, as 'blocked' until then.
-- Where somebody else has the job locked for seconds, it is an error: then the caller gives the shard back.
-- One failed shard too many holds the job: whatever is wrong is probably wrong with the rest, too.
--
-- A shard is given up after max_attempts failures. Where other workers could take it, the one that failed it leaves it to
-- them for half a minute more than the wait, and failures of one worker alone count half: its node may be what is wrong.
CREATE OR REPLACE FUNCTION fail_shard(
    p_job bigint, p_shard integer, p_epoch integer, p_incarnation uuid, p_error text, p_is_permanent boolean,
    p_seconds double precision
) RETURNS TABLE (outcome text, retry_seconds double precision) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    v_job job;
    v_shard shard;
    c_avoid CONSTANT double precision := 30;
    v_now timestamptz := clock_timestamp();
    v_wait double precision;
    v_failed bigint;
    v_has_others boolean;
    v_is_alone boolean;
    v_limit text := current_setting('lock_timeout');
BEGIN
    PERFORM check_incarnation(ARRAY[p_incarnation]);
    p_seconds := least(p_seconds, 1e7);
    PERFORM set_config('lock_timeout', '2000', true);
    -- Shared with other failures, but not with a cancel: it must not miss a shard that becomes blocked beside it.
    -- Where failures are counted, one comes after the other.
    IF EXISTS (SELECT 1 FROM job j WHERE j.job_id = p_job AND j.max_failures IS NOT NULL) THEN
        SELECT * INTO v_job FROM job j WHERE j.job_id = p_job FOR NO KEY UPDATE;
    ELSE
        SELECT * INTO v_job FROM job j WHERE j.job_id = p_job FOR SHARE;
    END IF;
    PERFORM set_config('lock_timeout', v_limit, true);
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
    IF p_seconds IS NOT NULL THEN
        INSERT INTO usage_queue (job_id, worker_id, samples, tokens, seconds, is_result)
        VALUES (p_job, v_shard.worker_id, 0, 0, p_seconds, false);
    END IF;
    v_has_others := EXISTS (
        SELECT 1 FROM worker w
        WHERE w.state = 'live' AND NOT w.is_draining AND w.worker_id <> v_shard.worker_id
            AND v_job.need_labels <@ w.labels AND v_job.need_gpu_mb <= w.gpu_mb
            AND (v_job.need_device IS NULL OR v_job.need_device = w.device_kind)
            AND NOT EXISTS (
                SELECT 1 FROM job_engine e
                WHERE e.job_id = p_job AND NOT e.is_mixed AND e.engine IS DISTINCT FROM w.identity));
    v_is_alone := v_has_others AND NOT EXISTS (
        SELECT 1 FROM attempt a
        WHERE a.job_id = p_job AND a.shard_no = p_shard AND a.outcome = 'failed' AND a.worker_id <> v_shard.worker_id);
    IF v_job.is_cancelled THEN
        UPDATE shard s SET state = 'cancelled', reason = coalesce(v_job.cancel_reason, 'the run was cancelled'),
            ended_at = clock_timestamp(),
            failures = s.failures + 1, samples_done = 0, tokens_done = 0
        WHERE s.job_id = p_job AND s.shard_no = p_shard;
        RETURN QUERY SELECT 'cancelled', NULL::double precision;
    ELSIF p_is_permanent OR v_shard.failures + 1 >= v_job.max_attempts * (1 + v_is_alone::integer) THEN
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
        UPDATE shard s SET state = 'blocked', not_before = v_now + make_interval(secs => v_wait),
            failures = s.failures + 1, samples_done = 0, tokens_done = 0,
            avoid_worker = CASE WHEN v_has_others THEN s.worker_id END,
            avoid_until = CASE WHEN v_has_others THEN v_now + make_interval(secs => v_wait + c_avoid) END
        WHERE s.job_id = p_job AND s.shard_no = p_shard;
        RETURN QUERY SELECT 'retry', v_wait;
    END IF;
END $$;
