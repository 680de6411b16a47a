-- What is left of a run, how fast its models were on its tasks before, and who could work on it. A run has many jobs, but
-- few kinds of them.
WITH open_job AS MATERIALIZED (
    SELECT c.job_id, c.model_sha256, c.task, c.need_labels, c.need_gpu_mb, c.need_device, o.shards,
        (SELECT e.engine FROM job_engine e WHERE e.job_id = c.job_id AND NOT e.is_mixed) AS engine,
        -- Of what is not done, the part that somebody will still do.
        (c.sample_count - c.samples_done) * o.shards::float8 / (o.shards + c.failed + c.cancelled + c.held) AS samples
    FROM job_counts_in_bulk c
    CROSS JOIN LATERAL (SELECT c.blocked + c.ready + c.running AS shards) o
    WHERE c.run_id = $1::text AND o.shards > 0),
kind AS MATERIALIZED (
    SELECT j.samples, j.shards, j.jobs, p.samples AS known, p.seconds, p.tokens
    FROM (
        SELECT model_sha256, task, sum(samples) AS samples, sum(shards) AS shards, count(*) AS jobs FROM open_job
        GROUP BY model_sha256, task) j
    CROSS JOIN LATERAL (
        SELECT sum(a.samples) AS samples, sum(a.seconds) AS seconds, sum(a.tokens) AS tokens FROM pace a
        WHERE a.model_sha256 = j.model_sha256 AND a.task = j.task) p),
need AS MATERIALIZED (SELECT DISTINCT need_labels, need_gpu_mb, need_device, engine FROM open_job),
holder AS MATERIALIZED (
    SELECT DISTINCT s.worker_id FROM open_job j JOIN shard s USING (job_id) WHERE s.state = 'running')
SELECT coalesce(sum(samples * seconds / known) FILTER (WHERE known > 0), 0) AS device_seconds_left,
    coalesce(round(sum(samples) FILTER (WHERE NOT coalesce(known > 0, false))), 0)::int8 AS samples_of_unknown_pace,
    sum(tokens * jobs) / nullif(sum(seconds * jobs), 0) AS tokens_per_second,
    coalesce(sum(shards), 0)::int8 AS open_shards,
    (SELECT count(*) FROM holder) AS workers_here,
    (SELECT count(*) FROM worker w WHERE w.state = 'live' AND NOT w.is_draining AND EXISTS (
        SELECT 1 FROM need n WHERE n.need_labels <@ w.labels AND n.need_gpu_mb <= w.gpu_mb
            AND (n.need_device IS NULL OR n.need_device = w.device_kind)
            AND (n.engine IS NULL OR n.engine = w.identity))) AS workers_suitable
FROM kind
