-- Takes results of one job out: their rows move to withdrawn_result, and the shards can be computed again, or with
-- p_again false are cancelled together with the job. Of each only the result of the given claim is meant. The epoch stays,
-- so that the next result has another name; the incarnation does not, so that the old claim can't commit again.
-- Answers the numbers of the shards; no row is null where there is no such job.
CREATE OR REPLACE FUNCTION withdraw_results(
    p_run text, p_ordinal integer, p_shards integer[], p_epochs integer[], p_incarnations uuid[], p_reasons text[],
    p_user text, p_again boolean
) RETURNS integer[] LANGUAGE plpgsql AS $$
DECLARE
    v_jobs bigint[] := lock_jobs(p_run, p_ordinal);
    v_withdrawn integer[];
BEGIN
    PERFORM check_run(p_run);
    p_user := user_or_role(p_user);
    IF v_jobs IS NULL THEN
        RETURN NULL;
    END IF;
    IF NOT p_again THEN
        UPDATE job j SET is_cancelled = true, cancel_reason = 'its results were removed by ' || p_user,
            is_runnable = false, gate = 'open', gate_reason = NULL
        WHERE j.job_id = ANY (v_jobs) AND NOT j.is_cancelled;
        UPDATE run r SET cancelled_at = clock_timestamp()
        WHERE r.run_id = p_run AND r.cancelled_at IS NULL
            AND NOT EXISTS (SELECT 1 FROM job j WHERE j.run_id = p_run AND NOT j.is_cancelled);
    END IF;
    PERFORM permit_history_move();
    WITH item AS (
        SELECT i.* FROM unnest(p_shards, p_epochs, p_incarnations, p_reasons)
            AS i (shard_no, epoch, incarnation, reason)),
    gone AS (
        DELETE FROM shard_result r USING item i
        WHERE r.job_id = v_jobs[1] AND r.shard_no = i.shard_no AND r.epoch = i.epoch AND r.incarnation = i.incarnation
        RETURNING r.*, i.reason),
    kept AS (
        INSERT INTO withdrawn_result (
            job_id, shard_no, epoch, samples, incarnation, worker_id, bytes, tokens, seconds, started_at, committed_at,
            sha256, path, digest, reason, withdrawn_by)
        SELECT g.job_id, g.shard_no, g.epoch, g.samples, g.incarnation, g.worker_id, g.bytes, g.tokens, g.seconds,
            g.started_at, g.committed_at, g.sha256, g.path, g.digest, g.reason, p_user
        FROM gone g RETURNING job_id, shard_no, reason),
    changed AS (
        UPDATE shard s SET incarnation = gen_random_uuid(), samples_done = 0, tokens_done = 0, failures = 0, losses = 0,
            state = CASE WHEN j.is_cancelled THEN 'cancelled' ELSE 'ready' END::shard_state,
            reason = CASE WHEN j.is_cancelled THEN k.reason END,
            ended_at = CASE WHEN j.is_cancelled THEN clock_timestamp() END
        FROM kept k JOIN job j USING (job_id)
        WHERE s.job_id = k.job_id AND s.shard_no = k.shard_no
        RETURNING s.shard_no)
    SELECT array_agg(c.shard_no ORDER BY c.shard_no) INTO v_withdrawn FROM changed c;
    PERFORM forbid_history_move();
    PERFORM unfix_engines(v_jobs);
    PERFORM wake_jobs(v_jobs);
    RETURN coalesce(v_withdrawn, '{}');
END $$;
