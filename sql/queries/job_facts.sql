-- All that bears on whether a job's shards run, besides the job's and the project's own rows.
WITH fit AS MATERIALIZED (
    SELECT w.worker_id, w.is_draining, j.need_labels <@ w.labels AS has_labels, j.need_gpu_mb <= w.gpu_mb AS has_memory,
        j.need_device IS NULL OR j.need_device = w.device_kind AS has_device,
        EXISTS (SELECT 1 FROM shard s WHERE s.worker_id = w.worker_id AND s.state = 'running' AND s.job_id = j.job_id)
            AS is_here,
        EXISTS (SELECT 1 FROM shard s WHERE s.worker_id = w.worker_id AND s.state = 'running' AND s.job_id <> j.job_id)
            AS is_elsewhere
    FROM worker w, job j WHERE w.state = 'live' AND j.job_id = $1::int8),
rivals AS MATERIALIZED (
    SELECT r.tier, r.job_id, r.project_id, c.ready FROM job r JOIN job_counts c USING (job_id)
    WHERE r.is_runnable AND r.job_id <> $1::int8)
SELECT clock_timestamp() AS now, p.name AS project,
    (SELECT min(s.not_before) FROM shard s WHERE s.state = 'blocked' AND s.job_id = j.job_id) AS next_attempt_at,
    (SELECT s.reason FROM every_shard s WHERE s.job_id = j.job_id AND s.state = 'failed' ORDER BY s.shard_no LIMIT 1)
        AS failure,
    (SELECT s.reason FROM every_shard s WHERE s.job_id = j.job_id AND s.state = 'held' ORDER BY s.shard_no LIMIT 1)
        AS hold_reason,
    f.*,
    (SELECT coalesce(sum(r.ready), 0)::int8 FROM rivals r WHERE r.tier > j.tier) AS ready_in_higher_tiers,
    (SELECT coalesce(sum(r.ready), 0)::int8 FROM rivals r
        WHERE r.tier = j.tier AND r.project_id = j.project_id AND r.job_id < j.job_id) AS ready_in_older_jobs,
    (SELECT coalesce(sum(r.ready), 0)::int8 FROM rivals r WHERE r.tier = j.tier AND r.project_id <> j.project_id)
        AS ready_in_other_projects,
    (SELECT sum(a.seconds) / nullif(sum(a.samples), 0) FROM pace a
        WHERE a.model_sha256 = j.model_sha256 AND a.task = j.task) AS seconds_per_sample
FROM job j JOIN project p USING (project_id)
CROSS JOIN (
    SELECT count(*) AS live, count(*) FILTER (WHERE is_draining) AS draining,
        count(*) FILTER (WHERE has_labels) AS with_labels, count(*) FILTER (WHERE has_memory) AS with_memory,
        count(*) FILTER (WHERE has_device) AS with_device,
        count(*) FILTER (WHERE has_labels AND has_memory AND has_device AND NOT is_draining) AS suitable,
        count(*) FILTER (WHERE has_labels AND has_memory AND has_device AND NOT is_draining AND is_elsewhere)
            AS busy_elsewhere,
        count(*) FILTER (WHERE is_here) AS here
    FROM fit) f
WHERE j.job_id = $1::int8
