-- Those of the given claims whose results can never become visible: the shard has the result of another claim, or was
-- claimed again. The last claim of a shard that failed or was cancelled is not among them before its run is archived,
-- because a retry would let it commit. A shard that is not here proves nothing, so its claims are not answered.
--
-- Claims are committed asynchronously; one that a crash of the server undid would bring its predecessor back to life.
-- The message forces all that is seen here to disk before this statement is answered.
WITH durable AS MATERIALIZED (
    SELECT CASE WHEN current_setting('synchronous_commit') = 'off' THEN set_config('synchronous_commit', 'on', true)
        END, pg_logical_emit_message(true, 'assay', 'dead claims'))
SELECT c.number::int4 AS number
FROM durable, unnest($1::text[], $2::int4[], $3::int4[], $4::int4[], $5::uuid[]) WITH ORDINALITY
    AS c (run_id, ordinal, shard_no, epoch, incarnation, number)
JOIN job j ON j.run_id = c.run_id AND j.ordinal = c.ordinal
JOIN run n ON n.run_id = j.run_id
JOIN every_shard s ON s.job_id = j.job_id AND s.shard_no = c.shard_no
LEFT JOIN every_result r ON r.job_id = s.job_id AND r.shard_no = s.shard_no
WHERE CASE WHEN r.job_id IS NOT NULL THEN (r.epoch, r.incarnation) <> (c.epoch, c.incarnation)
    ELSE n.archived_at IS NOT NULL OR (s.epoch, s.incarnation) IS DISTINCT FROM (c.epoch, c.incarnation) END
