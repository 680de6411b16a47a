-- What is known of claims that files in the store name: 'dead' if the claim's result can never become visible, 'alive' if
-- it is or may, 'newer' for an epoch that this database has not seen, 'stranger' for a worker that it has not seen,
-- 'unknown' for a shard that it has not. Only 'dead' proves anything: a database that was restored from a copy knows
-- less than the store. The last claim of a shard that failed or was cancelled is alive before its run is archived, because
-- a retry would let it commit. The file of a withdrawn result stays until its shard is claimed again or
-- cancelled.
--
-- Claims are committed asynchronously; one that a crash of the server undid would bring its predecessor back to life.
-- The message forces all that is seen here to disk before this statement is answered.
WITH durable AS MATERIALIZED (
    SELECT CASE WHEN current_setting('synchronous_commit') = 'off' THEN set_config('synchronous_commit', 'on', true)
        END, pg_logical_emit_message(true, 'assay', 'dead claims'))
SELECT c.number::int4 AS number, CASE
    WHEN s.job_id IS NULL THEN 'unknown'
    WHEN r.epoch = c.epoch AND r.incarnation = c.incarnation THEN 'alive'
    WHEN c.epoch > s.epoch THEN 'newer'
    WHEN c.epoch < s.epoch THEN 'dead'
    WHEN c.incarnation = s.incarnation AND r.job_id IS NULL AND n.archived_at IS NULL THEN 'alive'
    WHEN s.state <> 'cancelled' AND EXISTS (
        SELECT 1 FROM withdrawn_result w
        WHERE w.job_id = s.job_id AND w.shard_no = s.shard_no AND w.epoch = c.epoch AND w.incarnation = c.incarnation)
        THEN 'alive'
    WHEN EXISTS (SELECT 1 FROM worker w WHERE w.incarnation = c.incarnation) THEN 'dead'
    ELSE 'stranger' END AS verdict
FROM durable, unnest($1::text[], $2::int4[], $3::int4[], $4::int4[], $5::uuid[]) WITH ORDINALITY
    AS c (run_id, ordinal, shard_no, epoch, incarnation, number)
LEFT JOIN job j ON j.run_id = c.run_id AND j.ordinal = c.ordinal
LEFT JOIN run n ON n.run_id = j.run_id
LEFT JOIN every_shard s ON s.job_id = j.job_id AND s.shard_no = c.shard_no
LEFT JOIN every_result r ON r.job_id = s.job_id AND r.shard_no = s.shard_no
