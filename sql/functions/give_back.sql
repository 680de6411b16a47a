-- Gives shards back that were not computed. The epoch stays, so that a result which comes after all is still good.
-- A commit that is under way goes first. Where somebody else has the job locked for longer than p_milliseconds (0 for not
-- waiting at all), the shard stays the caller's for now, as one that was not begun: an idle worker may take it over, and
-- what is left goes back with a later heartbeat, or when the worker is gone.
CREATE OR REPLACE FUNCTION give_back(
    p_incarnation uuid, p_jobs bigint[], p_shards integer[], p_epochs integer[], p_note text, p_milliseconds integer
) RETURNS TABLE (job_id bigint, shard_no integer) LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    v_limit text := current_setting('lock_timeout');
    v_jobs bigint[];
BEGIN
    BEGIN
        IF p_milliseconds > 0 THEN
            PERFORM set_config('lock_timeout', p_milliseconds::text, true);
            PERFORM wake_jobs(p_jobs);
            PERFORM set_config('lock_timeout', v_limit, true);
            v_jobs := p_jobs;
        END IF;
    EXCEPTION WHEN lock_not_available THEN
        NULL;
    END;
    IF v_jobs IS NULL THEN
        SELECT coalesce(array_agg(l.job_id), '{}') INTO v_jobs FROM (
            SELECT j.job_id FROM job j WHERE j.job_id = ANY (p_jobs) ORDER BY j.job_id FOR NO KEY UPDATE SKIP LOCKED) l;
        PERFORM wake_jobs(v_jobs);
    END IF;
    RETURN QUERY
        WITH held AS MATERIALIZED (
            SELECT s.job_id, s.shard_no, j.is_cancelled, j.cancel_reason
            FROM unnest(p_jobs, p_shards, p_epochs) AS h (job_id, shard_no, epoch)
            JOIN shard s ON s.job_id = h.job_id AND s.shard_no = h.shard_no AND s.epoch = h.epoch
            JOIN job j ON j.job_id = s.job_id
            WHERE s.incarnation = p_incarnation AND s.state::text = 'running' AND j.job_id = ANY (v_jobs)
            ORDER BY s.job_id, s.shard_no FOR NO KEY UPDATE OF s),
        given AS (
            UPDATE shard s SET samples_done = 0, tokens_done = 0,
                state = CASE WHEN h.is_cancelled THEN 'cancelled' ELSE 'ready' END::shard_state,
                reason = CASE WHEN h.is_cancelled THEN coalesce(h.cancel_reason, 'the run was cancelled') END,
                ended_at = CASE WHEN h.is_cancelled THEN clock_timestamp() END
            FROM held h WHERE s.job_id = h.job_id AND s.shard_no = h.shard_no
            RETURNING s.job_id, s.shard_no, s.epoch, s.worker_id, s.started_at, s.state)
        INSERT INTO attempt (job_id, shard_no, epoch, outcome, error, worker_id, started_at)
        SELECT g.job_id, g.shard_no, g.epoch, CASE WHEN g.state = 'cancelled' THEN 'cancelled' ELSE 'released' END,
            p_note, g.worker_id, g.started_at
        FROM given g
        RETURNING job_id, shard_no;
    IF p_jobs <@ v_jobs THEN
        RETURN;
    END IF;
    WITH held AS MATERIALIZED (
        SELECT s.job_id, s.shard_no
        FROM unnest(p_jobs, p_shards, p_epochs) AS h (job_id, shard_no, epoch)
        JOIN shard s ON s.job_id = h.job_id AND s.shard_no = h.shard_no AND s.epoch = h.epoch
        WHERE s.incarnation = p_incarnation AND s.state::text = 'running' AND s.job_id <> ALL (v_jobs)
        ORDER BY s.job_id, s.shard_no FOR NO KEY UPDATE OF s)
    UPDATE shard s SET samples_done = 0, tokens_done = 0, is_begun = false
    FROM held h WHERE s.job_id = h.job_id AND s.shard_no = h.shard_no;
END $$;
