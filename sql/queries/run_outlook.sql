-- What is left of a run, how fast its models were on its tasks before, and who could work on it.
WITH open_job AS MATERIALIZED (
    SELECT c.job_id, c.need_labels, c.need_gpu_mb, c.need_device, o.shards, p.samples AS known, p.seconds, p.tokens,
        -- Of what is not done, the part that somebody will still do.
        (c.sample_count - c.samples_done) * o.shards::float8 / (o.shards + c.failed + c.cancelled + c.held) AS samples
    FROM job_counts_in_bulk c
    CROSS JOIN LATERAL (SELECT c.blocked + c.ready + c.running AS shards) o
    CROSS JOIN LATERAL (
        SELECT sum(a.samples) AS samples, sum(a.seconds) AS seconds, sum(a.tokens) AS tokens FROM pace a
        WHERE a.model_sha256 = c.model_sha256 AND a.task = c.task) p
    WHERE c.run_id = $1::text AND o.shards > 0),
holder AS MATERIALIZED (
    SELECT DISTINCT s.worker_id FROM open_job j JOIN shard s USING (job_id) WHERE s.state = 'running')
SELECT coalesce(sum(samples * seconds / known) FILTER (WHERE known > 0), 0) AS device_seconds_left,
    coalesce(round(sum(samples) FILTER (WHERE NOT coalesce(known > 0, false))), 0)::int8 AS samples_of_unknown_pace,
    sum(tokens) / nullif(sum(seconds), 0) AS tokens_per_second,
    coalesce(sum(shards), 0)::int8 AS open_shards,
    (SELECT count(*) FROM holder) AS workers_here,
    (SELECT count(*) FROM worker w WHERE w.state = 'live' AND NOT w.is_draining AND EXISTS (
        SELECT 1 FROM open_job j WHERE j.need_labels <@ w.labels AND j.need_gpu_mb <= w.gpu_mb
            AND (j.need_device IS NULL OR j.need_device = w.device_kind))) AS workers_suitable
FROM open_job
