-- Running shards from their rows, ready ones from the tallies; used device time as of now.
SELECT p.name, p.weight, p.soft_cap, p.hard_cap,
    p.used_seconds * exp(-ln(2::float8) * extract(epoch FROM clock_timestamp() - p.used_at)::float8 / 604800)
        AS used_seconds,
    (SELECT count(*) FROM shard s WHERE s.state = 'running' AND s.project_id = p.project_id) AS running,
    (SELECT coalesce(sum(c.ready), 0)::int8 FROM job j JOIN job_counts c USING (job_id)
        WHERE j.project_id = p.project_id AND j.is_runnable) AS ready
FROM project p
WHERE $1::text IS NULL OR p.name = $1::text
ORDER BY p.name
