SELECT job_id, run_id, ordinal, tier, shard_no, epoch, row_start, row_count, attempt, max_attempts, task, model,
    encode(model_sha256, 'hex') AS model_sha256, specification, seconds_per_sample
FROM claim_shards($1::int8, $2::uuid, $3::int4, $4::text, $5::int4, $6::bool, $7::int8[], $8::text[])
