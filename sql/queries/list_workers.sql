-- The living, and those who ended within a day.
SELECT w.worker_id, w.incarnation, w.host, w.pid, w.device, w.device_kind, w.labels, w.gpu_mb, w.engine, w.identity,
    ARRAY(SELECT encode(sha, 'hex') FROM unnest(w.warm) AS sha) AS warm, w.state, w.is_draining, w.registered_at,
    w.seen_at,
    least(w.lease_until, clock_timestamp() + make_interval(secs => w.ttl_seconds)) AS lease_until, w.note,
    (SELECT count(*) FROM shard s WHERE s.worker_id = w.worker_id AND s.state = 'running') AS holding
FROM worker w
WHERE w.state = 'live' OR w.ended_at > clock_timestamp() - interval '1 day'
ORDER BY w.worker_id DESC
