-- The newest runs with their counts.
SELECT r.run_id, r.name, p.name AS project, r.user_name, r.tier, r.submitted_at, r.cancelled_at, r.archived_at, t.*
FROM (
    SELECT * FROM run
    WHERE $1::text IS NULL OR project_id = (SELECT project_id FROM project WHERE name = $1::text)
    ORDER BY submitted_at DESC, run_id LIMIT $2::int4) r
JOIN project p USING (project_id)
CROSS JOIN LATERAL (
    SELECT count(*) AS jobs, coalesce(sum(c.sample_count), 0)::int8 AS samples,
        coalesce(sum(c.samples_done), 0)::int8 AS samples_done, coalesce(sum(c.tokens_done), 0)::int8 AS tokens_done,
        min(c.started_at) AS started_at, max(c.ended_at) AS ended_at, coalesce(sum(c.blocked), 0)::int8 AS blocked,
        coalesce(sum(c.ready), 0)::int8 AS ready, coalesce(sum(c.running), 0)::int8 AS running,
        coalesce(sum(c.done), 0)::int8 AS done, coalesce(sum(c.failed), 0)::int8 AS failed,
        coalesce(sum(c.cancelled), 0)::int8 AS cancelled, coalesce(sum(c.held), 0)::int8 AS held
    FROM job_counts_in_bulk c WHERE c.run_id = r.run_id) t
ORDER BY r.submitted_at DESC, r.run_id
