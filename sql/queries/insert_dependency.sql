-- No row when there is no such job. Needing its results outweighs needing its end.
INSERT INTO job_dependency (job_id, needs_job, condition)
SELECT $1::int8, j.job_id, $4::text FROM job j
WHERE j.run_id = $2::text AND ($3::int4 IS NULL OR j.ordinal = $3::int4) AND j.job_id < $1::int8
ON CONFLICT (job_id, needs_job) DO UPDATE
SET condition = CASE WHEN excluded.condition = 'ok' THEN 'ok' ELSE job_dependency.condition END
RETURNING needs_job
