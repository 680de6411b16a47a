SELECT j.job_id, j.run_id, j.ordinal, j.task, j.model, encode(j.model_sha256, 'hex') AS model_sha256, j.need_labels,
    j.need_gpu_mb, j.need_device, j.max_attempts, j.max_failures, j.tier, j.gate,
    coalesce(j.gate_reason, j.cancel_reason) AS reason, j.sample_count::int8 AS samples, c.samples_done, c.tokens_done,
    c.started_at, c.ended_at, c.blocked, c.ready, c.running, c.done, c.failed, c.cancelled, c.held
FROM job j JOIN job_counts_in_bulk c USING (job_id)
WHERE j.run_id = $1::text AND ($2::int4 IS NULL OR j.ordinal = $2::int4)
ORDER BY j.ordinal
