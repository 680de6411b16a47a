-- A new worker with its lease.
INSERT INTO worker (
    incarnation, host, pid, device, device_kind, labels, gpu_mb, engine, warm, ttl_seconds, lease_until)
VALUES ($1::uuid, $2::text, $3::int4, $4::text, $10::text, $5::text[], $6::int4, $7::text,
    ARRAY(SELECT decode(sha, 'hex') FROM unnest($8::text[]) AS sha), $9::float8,
    clock_timestamp() + make_interval(secs => $9::float8))
RETURNING worker_id
