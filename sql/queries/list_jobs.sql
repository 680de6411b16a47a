SELECT j.job_id, j.run_id, j.ordinal, j.task, j.model, encode(j.model_sha256, 'hex') AS model_sha256, j.need_labels,
    j.need_gpu_mb, j.max_attempts, t.*
FROM job j
CROSS JOIN LATERAL (
    SELECT sum(s.row_count) AS samples, sum(s.samples_done) AS samples_done, sum(s.tokens_done)::int8 AS tokens_done,
        min(s.started_at) AS started_at, max(s.ended_at) AS ended_at,
        count(*) FILTER (WHERE s.state = 'blocked') AS blocked, count(*) FILTER (WHERE s.state = 'ready') AS ready,
        count(*) FILTER (WHERE s.state = 'running') AS running, count(*) FILTER (WHERE s.state = 'done') AS done,
        count(*) FILTER (WHERE s.state = 'failed') AS failed,
        count(*) FILTER (WHERE s.state = 'cancelled') AS cancelled,
        count(*) FILTER (WHERE s.state = 'held') AS held
    FROM shard s WHERE s.job_id = j.job_id) t
WHERE j.run_id = $1::text AND ($2::int4 IS NULL OR j.ordinal = $2::int4)
ORDER BY j.ordinal
