-- All that bears on whether jobs' shards run, besides the jobs' and the projects' own rows: of a run ($2 null), or of one
-- of its jobs. Everything is added up once for all jobs: there may be ten thousand.
WITH mine AS MATERIALIZED (
    SELECT c.job_id, c.ordinal, c.project_id, c.tier, c.is_runnable, c.need_labels, c.need_gpu_mb, c.need_device, c.task,
        c.model_sha256, c.ready, c.failed, c.held, e.engine
    FROM job_counts_in_bulk c LEFT JOIN job_engine e ON e.job_id = c.job_id AND NOT e.is_mixed
    WHERE c.run_id = $1::text AND ($2::int4 IS NULL OR c.ordinal = $2::int4)),
holder AS MATERIALIZED (
    SELECT s.worker_id, count(DISTINCT s.job_id) AS jobs, min(s.job_id) AS job_id
    FROM shard s WHERE s.state = 'running' GROUP BY s.worker_id),
fit AS MATERIALIZED (
    SELECT n.need_labels, n.need_gpu_mb, n.need_device, n.engine, w.worker_id, w.is_draining, w.identity,
        n.need_labels <@ w.labels AS has_labels, n.need_gpu_mb <= w.gpu_mb AS has_memory,
        n.need_device IS NULL OR n.need_device = w.device_kind AS has_device,
        coalesce(n.engine = w.identity, n.engine IS NULL) AS has_engine, h.jobs, h.job_id
    FROM (SELECT DISTINCT need_labels, need_gpu_mb, need_device, engine FROM mine) n
    CROSS JOIN worker w LEFT JOIN holder h USING (worker_id)
    WHERE w.state = 'live'),
fits AS MATERIALIZED (
    SELECT need_labels, need_gpu_mb, need_device, engine, count(*) AS live,
        count(*) FILTER (WHERE is_draining) AS draining,
        count(*) FILTER (WHERE has_labels) AS with_labels, count(*) FILTER (WHERE has_memory) AS with_memory,
        count(*) FILTER (WHERE has_device) AS with_device,
        count(*) FILTER (WHERE could AND has_engine) AS suitable,
        count(*) FILTER (WHERE could AND has_engine AND jobs > 0) AS busy,
        count(*) FILTER (WHERE could AND NOT has_engine) AS unlike,
        min(identity COLLATE "C") FILTER (WHERE could AND NOT has_engine) AS other_engine
    FROM (SELECT *, has_labels AND has_memory AND has_device AND NOT is_draining AS could FROM fit) fit
    GROUP BY need_labels, need_gpu_mb, need_device, engine),
-- Suitable workers that hold shards of one job only.
busy_here AS MATERIALIZED (
    SELECT m.job_id, count(*) AS workers
    FROM mine m JOIN fit f ON f.job_id = m.job_id AND f.jobs = 1 AND f.need_labels = m.need_labels
        AND f.need_gpu_mb = m.need_gpu_mb AND f.need_device IS NOT DISTINCT FROM m.need_device
        AND f.engine IS NOT DISTINCT FROM m.engine
    WHERE f.has_labels AND f.has_memory AND f.has_device AND f.has_engine AND NOT f.is_draining
    GROUP BY m.job_id),
here AS MATERIALIZED (
    -- What a worker says of a job that it leaves to others ("job k3f9m2ab.0 can't be ...") is no trouble of this one.
    SELECT s.job_id, count(DISTINCT s.worker_id) AS workers,
        min(w.host || ': ' || w.note) FILTER (WHERE w.note NOT LIKE 'job %') AS trouble
    FROM shard s JOIN worker w USING (worker_id)
    WHERE s.state = 'running' AND w.state = 'live' AND s.job_id IN (SELECT m.job_id FROM mine m)
    GROUP BY s.job_id),
rival AS MATERIALIZED (
    SELECT c.job_id, c.tier, c.project_id, c.ready FROM job_counts_in_bulk c WHERE c.is_runnable),
tier_sum AS MATERIALIZED (SELECT r.tier, sum(r.ready) AS ready FROM rival r GROUP BY r.tier),
project_sum AS MATERIALIZED (
    SELECT r.tier, r.project_id, sum(r.ready) AS ready FROM rival r GROUP BY r.tier, r.project_id),
older AS MATERIALIZED (
    SELECT q.job_id, sum(q.ready) OVER (
        PARTITION BY q.tier, q.project_id ORDER BY q.job_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS ready
    FROM (
        SELECT r.job_id, r.tier, r.project_id, r.ready FROM rival r
        UNION ALL
        SELECT m.job_id, m.tier, m.project_id, 0 FROM mine m WHERE NOT m.is_runnable) q),
wait AS MATERIALIZED (
    SELECT s.job_id, min(s.not_before) AS next FROM shard s
    WHERE s.state = 'blocked' AND s.job_id IN (SELECT m.job_id FROM mine m) GROUP BY s.job_id),
speed AS MATERIALIZED (
    SELECT a.model_sha256, a.task, sum(a.seconds) / nullif(sum(a.samples), 0) AS seconds_per_sample
    FROM pace a GROUP BY a.model_sha256, a.task)
SELECT m.job_id, clock_timestamp() AS now, p.name AS project, w.next AS next_attempt_at,
    CASE WHEN m.failed > 0 THEN (
        SELECT s.reason FROM every_shard s WHERE s.job_id = m.job_id AND s.state = 'failed' ORDER BY s.shard_no LIMIT 1)
        END AS failure,
    CASE WHEN m.held > 0 THEN (
        SELECT s.reason FROM every_shard s WHERE s.job_id = m.job_id AND s.state = 'held' ORDER BY s.shard_no LIMIT 1)
        END AS hold_reason,
    g.error AS given_back_reason, g.host AS given_back_host, g.ended_at AS given_back_at,
    coalesce(f.live, 0) AS live, coalesce(f.draining, 0) AS draining, coalesce(f.with_labels, 0) AS with_labels,
    coalesce(f.with_memory, 0) AS with_memory, coalesce(f.with_device, 0) AS with_device,
    coalesce(f.suitable, 0) AS suitable, coalesce(f.unlike, 0) AS unlike, m.engine, f.other_engine,
    coalesce(f.busy, 0) - coalesce(b.workers, 0) AS busy_elsewhere,
    coalesce(h.workers, 0) AS here, h.trouble,
    (SELECT coalesce(sum(t.ready), 0)::int8 FROM tier_sum t WHERE t.tier > m.tier) AS ready_in_higher_tiers,
    coalesce(o.ready, 0)::int8 AS ready_in_older_jobs,
    (coalesce(t.ready, 0) - coalesce(s.ready, 0))::int8 AS ready_in_other_projects,
    v.seconds_per_sample
FROM mine m
JOIN project p USING (project_id)
LEFT JOIN wait w USING (job_id)
-- The last thing that went wrong, where a worker gave a shard back and said why.
LEFT JOIN LATERAL (
    SELECT a.error, b.host, a.ended_at FROM (
        SELECT a.error, a.outcome, a.worker_id, a.ended_at FROM attempt a
        WHERE a.job_id = m.job_id AND a.error IS NOT NULL
            AND a.error NOT IN (
                'an idle worker took it over', 'the worker does not know of this claim', 'the worker left')
        ORDER BY a.job_id, a.attempt_id DESC LIMIT 1) a
    JOIN worker b USING (worker_id) WHERE a.outcome = 'released') g ON m.ready > 0
LEFT JOIN fits f ON f.need_labels = m.need_labels AND f.need_gpu_mb = m.need_gpu_mb
    AND f.need_device IS NOT DISTINCT FROM m.need_device AND f.engine IS NOT DISTINCT FROM m.engine
LEFT JOIN busy_here b USING (job_id)
LEFT JOIN here h USING (job_id)
LEFT JOIN older o USING (job_id)
LEFT JOIN tier_sum t ON t.tier = m.tier
LEFT JOIN project_sum s ON s.tier = m.tier AND s.project_id = m.project_id
LEFT JOIN speed v ON v.model_sha256 = m.model_sha256 AND v.task = m.task
ORDER BY m.ordinal
