-- Running shards from their rows, ready ones from the tallies; used device time as of now.
SELECT p.name, p.weight, p.soft_cap, p.hard_cap, p.max_tier::int4 AS max_tier,
    p.used_seconds * exp(-ln(2::float8) * extract(epoch FROM clock_timestamp() - p.used_at)::float8 / 604800)
        AS used_seconds,
    coalesce(r.shards, 0) AS running, coalesce(q.shards, 0)::int8 AS ready
FROM project p
LEFT JOIN (
    SELECT s.project_id, count(*) AS shards FROM shard s WHERE s.state = 'running' GROUP BY s.project_id) r USING (project_id)
LEFT JOIN (
    SELECT c.project_id, sum(c.ready) AS shards FROM job_counts_in_bulk c
    WHERE c.is_runnable GROUP BY c.project_id) q USING (project_id)
WHERE $1::text IS NULL OR p.name = $1::text
ORDER BY p.name
