-- The newest runs with their counts; the counts are taken over these runs' shards only.
SELECT r.run_id, r.name, p.name AS project, r.user_name, r.tier, r.submitted_at, r.cancelled_at, t.*
FROM (
    SELECT * FROM run
    WHERE $1::text IS NULL OR project_id = (SELECT project_id FROM project WHERE name = $1::text)
    ORDER BY submitted_at DESC, run_id LIMIT $2::int4) r
JOIN project p USING (project_id)
CROSS JOIN LATERAL (
    SELECT count(DISTINCT s.job_id) AS jobs, sum(s.row_count) AS samples, sum(s.samples_done) AS samples_done,
        sum(s.tokens_done)::int8 AS tokens_done, min(s.started_at) AS started_at, max(s.ended_at) AS ended_at,
        count(*) FILTER (WHERE s.state = 'blocked') AS blocked, count(*) FILTER (WHERE s.state = 'ready') AS ready,
        count(*) FILTER (WHERE s.state = 'running') AS running, count(*) FILTER (WHERE s.state = 'done') AS done,
        count(*) FILTER (WHERE s.state = 'failed') AS failed,
        count(*) FILTER (WHERE s.state = 'cancelled') AS cancelled,
        count(*) FILTER (WHERE s.state = 'held') AS held
    FROM job j JOIN shard s USING (job_id) WHERE j.run_id = r.run_id) t
ORDER BY r.submitted_at DESC, r.run_id
