SELECT job_id, shard_no FROM release_shards($1::uuid, $2::int8[], $3::int4[], $4::int4[], $5::text)
