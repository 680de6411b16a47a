INSERT INTO job (
    run_id, ordinal, project_id, tier, max_attempts, need_gpu_mb, sample_count, shard_count, task, model, model_sha256,
    spec_sha256, need_labels, need_device, max_failures, is_runnable, gate, gate_reason)
SELECT r.run_id, $2::int4, r.project_id, r.tier, $3::int2, $4::int4, $5::int4, $6::int4, $7::text, $8::text,
    decode($9::text, 'hex'), decode($10::text, 'hex'), $11::text[], $12::text, $13::int4, NOT $14::bool,
    CASE WHEN $14::bool THEN 'waiting' ELSE 'open' END, CASE WHEN $14::bool THEN 'waits for other jobs' END
FROM run r WHERE r.run_id = $1::text
RETURNING job_id
