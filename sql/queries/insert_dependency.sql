-- No row when there is no such job, or none that was submitted before. Needing results outweighs needing an end.
INSERT INTO job_need (job_id, needs_run, needs_ordinal, condition)
SELECT me.job_id, r.run_id, $3::int4, $4::text
FROM job me JOIN run r ON r.run_id = $2::text
WHERE me.job_id = $1::int8 AND EXISTS (
    SELECT 1 FROM job n WHERE n.run_id = r.run_id AND ($3::int4 IS NULL OR n.ordinal = $3::int4) AND n.job_id < me.job_id)
    AND (r.run_id <> me.run_id OR $3::int4 IS NOT NULL)
ON CONFLICT (job_id, needs_run, (coalesce(needs_ordinal, -1))) DO UPDATE
SET condition = CASE WHEN excluded.condition = 'ok' THEN 'ok' ELSE job_need.condition END
RETURNING job_id
