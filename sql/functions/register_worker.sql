-- A new worker with its lease, and its number. p_identity says what its engine is; null where it does not.
CREATE OR REPLACE FUNCTION register_worker(
    p_incarnation uuid, p_host text, p_pid integer, p_device text, p_device_kind text, p_labels text[], p_gpu_mb integer,
    p_engine text, p_warm text[], p_ttl_seconds double precision, p_schema_version integer, p_identity text
) RETURNS bigint LANGUAGE sql AS $$
    WITH registered AS (
        INSERT INTO worker (
            incarnation, host, pid, device, device_kind, labels, gpu_mb, engine, warm, ttl_seconds, lease_until,
            schema_version, identity, engine_mark)
        VALUES (
            p_incarnation, p_host, p_pid, p_device, p_device_kind, p_labels, p_gpu_mb, p_engine,
            ARRAY(SELECT decode(w.sha256, 'hex') FROM unnest(p_warm) AS w (sha256)), p_ttl_seconds,
            clock_timestamp() + make_interval(secs => p_ttl_seconds), p_schema_version, p_identity,
            engine_mark(p_identity))
        RETURNING worker_id, warm),
    noted AS (INSERT INTO worker_use SELECT r.worker_id FROM registered r WHERE r.warm <> '{}')
    SELECT r.worker_id FROM registered r
$$;

-- For workers that do not say what their engine is.
CREATE OR REPLACE FUNCTION register_worker(
    p_incarnation uuid, p_host text, p_pid integer, p_device text, p_device_kind text, p_labels text[], p_gpu_mb integer,
    p_engine text, p_warm text[], p_ttl_seconds double precision, p_schema_version integer
) RETURNS bigint LANGUAGE sql AS $$
    SELECT register_worker(
        p_incarnation, p_host, p_pid, p_device, p_device_kind, p_labels, p_gpu_mb, p_engine, p_warm, p_ttl_seconds,
        p_schema_version, NULL)
$$;
