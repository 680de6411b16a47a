SELECT kind, ttl_seconds, is_draining, job_id, run_id, ordinal, shard_no
FROM heartbeat($1::int8, $2::uuid, $3::int8[], $4::int4[], $5::int4[], $6::int4[], $7::int8[], $8::text, $9::text[])
