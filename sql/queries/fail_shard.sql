SELECT outcome, retry_seconds
FROM fail_shard($1::int8, $2::int4, $3::int4, $4::uuid, $5::text, $6::bool, $7::float8)
