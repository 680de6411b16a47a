-- The engine only for one job: for ten thousand it would be most of the answer.
SELECT c.job_id, c.run_id, c.ordinal, c.task, c.model, encode(c.model_sha256, 'hex') AS model_sha256, c.need_labels,
    c.need_gpu_mb, c.need_device, c.max_attempts, c.max_failures, c.tier, c.gate, c.reason,
    c.sample_count::int8 AS samples, c.samples_done, c.tokens_done, c.started_at, c.ended_at, c.blocked, c.ready, c.running,
    c.done, c.failed, c.cancelled, c.held, coalesce(e.is_mixed, false) AS is_mixed,
    CASE WHEN $2::int4 IS NOT NULL THEN e.engine END AS engine
FROM job_counts_in_bulk c LEFT JOIN job_engine e ON e.job_id = c.job_id
WHERE c.run_id = $1::text AND ($2::int4 IS NULL OR c.ordinal = $2::int4)
ORDER BY c.ordinal
