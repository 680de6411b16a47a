-- What is asked of jobs together with their counts, so that no query reads ten thousand jobs a second time for it.
CREATE OR REPLACE VIEW job_counts_in_bulk AS
SELECT j.job_id, j.gate,
    CASE WHEN j.is_cancelled OR j.gate = 'held' THEN 0 WHEN j.gate = 'waiting' THEN n.blocked + n.ready
        ELSE n.blocked END AS blocked,
    CASE WHEN j.is_cancelled OR j.gate <> 'open' THEN 0 ELSE n.ready END AS ready,
    n.running, n.done, n.failed,
    CASE WHEN j.is_cancelled THEN n.cancelled + n.blocked + n.ready + n.held ELSE n.cancelled END AS cancelled,
    CASE WHEN j.is_cancelled THEN 0 WHEN j.gate = 'held' THEN n.held + n.blocked + n.ready ELSE n.held END AS held,
    n.samples_done, n.tokens_done, n.started_at, n.ended_at,
    j.run_id, j.ordinal, j.project_id, j.task, j.model, j.model_sha256, j.need_labels, j.need_gpu_mb, j.need_device,
    j.max_attempts, j.max_failures, j.tier, coalesce(j.gate_reason, j.cancel_reason) AS reason, j.sample_count,
    j.is_runnable
FROM job j
JOIN job_tally t USING (job_id)
LEFT JOIN (
    SELECT c.job_id, sum(c.blocked) AS blocked, sum(c.ready) AS ready, sum(c.running) AS running, sum(c.done) AS done,
        sum(c.failed) AS failed, sum(c.cancelled) AS cancelled, sum(c.held) AS held,
        sum(c.samples_done)::bigint AS samples_done, sum(c.tokens_done)::bigint AS tokens_done,
        min(c.changed_at) FILTER (WHERE c.running > 0) AS started_at,
        max(c.changed_at) FILTER (WHERE c.done + c.failed + c.cancelled + c.held > 0) AS ended_at
    FROM tally_change c GROUP BY c.job_id) c USING (job_id)
CROSS JOIN LATERAL (
    SELECT t.blocked + coalesce(c.blocked, 0) AS blocked, t.ready + coalesce(c.ready, 0) AS ready,
        t.running + coalesce(c.running, 0) AS running, t.done + coalesce(c.done, 0) AS done,
        t.failed + coalesce(c.failed, 0) AS failed, t.cancelled + coalesce(c.cancelled, 0) AS cancelled,
        t.held + coalesce(c.held, 0) AS held, t.samples_done + coalesce(c.samples_done, 0) AS samples_done,
        t.tokens_done + coalesce(c.tokens_done, 0) AS tokens_done, least(t.started_at, c.started_at) AS started_at,
        greatest(t.ended_at, c.ended_at) AS ended_at) n;
