SELECT job_id, run_id, ordinal, path, bytes, encode(sha256, 'hex') AS sha256, digest, row_start, row_count
FROM equal_results($1::int8, $2::int4, $3::uuid)
