-- Says that the computation of shards begins that were fetched ahead, and answers which of them are still the caller's, by
-- their places in the arrays, from 1.
CREATE OR REPLACE FUNCTION begin_shards(p_incarnation uuid, p_jobs bigint[], p_shards integer[], p_epochs integer[])
RETURNS TABLE (place integer) LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
AS $$
#variable_conflict use_column
BEGIN
    PERFORM check_incarnation(ARRAY[p_incarnation]);
    PERFORM set_config('synchronous_commit', 'off', true);
    RETURN QUERY
        WITH mine AS MATERIALIZED (
            SELECT s.job_id, s.shard_no, i.place FROM unnest(p_jobs, p_shards, p_epochs) WITH ORDINALITY
                AS i (job_id, shard_no, epoch, place)
            JOIN shard s ON s.job_id = i.job_id AND s.shard_no = i.shard_no AND s.epoch = i.epoch
            WHERE s.incarnation = p_incarnation AND s.state::text = 'running'
            ORDER BY s.job_id, s.shard_no FOR NO KEY UPDATE OF s)
        UPDATE shard s SET is_begun = true
        FROM mine m WHERE s.job_id = m.job_id AND s.shard_no = m.shard_no
        RETURNING m.place::integer;
END $$;
