-- The note says why, where that is of use to others.
CREATE OR REPLACE FUNCTION release_shards(
    p_incarnation uuid, p_jobs bigint[], p_shards integer[], p_epochs integer[], p_note text
) RETURNS TABLE (job_id bigint, shard_no integer) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM check_incarnation(ARRAY[p_incarnation]);
    RETURN QUERY SELECT * FROM give_back(p_incarnation, p_jobs, p_shards, p_epochs, p_note, 2000);
END $$;

-- For workers of the release before.
CREATE OR REPLACE FUNCTION release_shards(p_incarnation uuid, p_jobs bigint[], p_shards integer[], p_epochs integer[])
RETURNS TABLE (job_id bigint, shard_no integer) LANGUAGE sql
AS 'SELECT * FROM release_shards(p_incarnation, p_jobs, p_shards, p_epochs, NULL)';
