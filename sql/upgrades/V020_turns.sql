-- Claims of one project with a cap come one after the other. The lock for that is a row which only claims take, so that
-- nobody who may merely read stops them, as with a lock that has a number.
CREATE TABLE project_turn (project_id integer PRIMARY KEY);

-- Their successors have more parameters. No release had them.
DROP FUNCTION IF EXISTS claim_shards(bigint, uuid, integer, text, integer, boolean, bigint[]);
DROP FUNCTION IF EXISTS give_back(uuid, bigint[], integer[], integer[], text);

-- Both tables before anything that takes time: with one of them this would not wait long for the other.
LOCK TABLE shard IN ACCESS EXCLUSIVE MODE;
SET LOCAL lock_timeout = '200ms';
LOCK TABLE shard_result IN ACCESS EXCLUSIVE MODE;

-- The server reads the stored text of every check again for each statement, and these were a tenth of what a claim and a
-- commit cost. One call is quick to read. To change what is sound, add another function: dumps rely on this one.
CREATE FUNCTION shard_is_sound(
    p_shard_no integer, p_row_start integer, p_row_count integer, p_state shard_state, p_epoch integer, p_failures smallint,
    p_losses smallint, p_samples_done integer, p_tokens_done bigint, p_worker_id bigint, p_incarnation uuid,
    p_not_before timestamptz, p_started_at timestamptz, p_ended_at timestamptz, p_reason text, p_avoid_worker bigint,
    p_avoid_until timestamptz
) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN least(p_shard_no, p_row_start, p_row_count - 1, p_epoch, p_failures, p_losses, p_samples_done, p_tokens_done) >= 0
        AND p_samples_done <= p_row_count
        AND num_nonnulls(p_worker_id, p_incarnation, p_started_at) = CASE WHEN p_epoch > 0 THEN 3 ELSE 0 END
        AND (p_state NOT IN ('running', 'done', 'failed') OR p_epoch > 0)
        AND (p_state = 'blocked') = (p_not_before IS NOT NULL)
        AND (p_state IN ('done', 'failed', 'cancelled', 'held')) = (p_ended_at IS NOT NULL)
        AND (p_state IN ('failed', 'cancelled', 'held')) = (p_reason IS NOT NULL)
        AND (p_state <> 'done' OR p_samples_done = p_row_count)
        AND (p_avoid_worker IS NULL) = (p_avoid_until IS NULL);
END $$;
ALTER TABLE shard
    DROP CONSTRAINT shard_shard_no_check, DROP CONSTRAINT shard_row_start_check, DROP CONSTRAINT shard_row_count_check,
    DROP CONSTRAINT shard_epoch_check, DROP CONSTRAINT shard_failures_check, DROP CONSTRAINT shard_losses_check,
    DROP CONSTRAINT shard_check, DROP CONSTRAINT shard_tokens_done_check, DROP CONSTRAINT shard_claimed,
    DROP CONSTRAINT shard_running_is_claimed, DROP CONSTRAINT shard_blocked_waits, DROP CONSTRAINT shard_ended,
    DROP CONSTRAINT shard_reason, DROP CONSTRAINT shard_done_is_complete, DROP CONSTRAINT shard_avoids,
    ADD CONSTRAINT shard_is_sound CHECK (shard_is_sound(
        shard_no, row_start, row_count, state, epoch, failures, losses, samples_done, tokens_done, worker_id, incarnation,
        not_before, started_at, ended_at, reason, avoid_worker, avoid_until));

CREATE FUNCTION result_is_sound(
    p_epoch integer, p_samples integer, p_bytes bigint, p_tokens bigint, p_seconds double precision, p_sha256 bytea,
    p_path text, p_digest text
) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN p_epoch > 0 AND p_samples > 0 AND p_bytes > 0 AND p_tokens >= 0 AND p_seconds >= 0 AND p_seconds < 'infinity'
        AND octet_length(p_sha256) = 32 AND char_length(p_path) BETWEEN 1 AND 1024
        AND p_path !~ '(^/)|((^|/)\.\.?(/|$))|//|\\' AND char_length(p_digest) BETWEEN 1 AND 200;
END $$;
ALTER TABLE shard_result
    DROP CONSTRAINT shard_result_epoch_check, DROP CONSTRAINT shard_result_samples_check,
    DROP CONSTRAINT shard_result_bytes_check, DROP CONSTRAINT shard_result_tokens_check,
    DROP CONSTRAINT shard_result_seconds_check, DROP CONSTRAINT shard_result_sha256_check,
    DROP CONSTRAINT shard_result_path_check, DROP CONSTRAINT shard_result_digest_check,
    ADD CONSTRAINT shard_result_is_sound CHECK (result_is_sound(
        epoch, samples, bytes, tokens, seconds, sha256, path, digest));
