-- What ended without a result, what ended with one (or had one), and what is running.
SELECT a.shard_no, a.epoch, a.outcome, a.error, a.worker_id, w.host, w.device, a.started_at, a.ended_at, a.seconds
FROM (
    SELECT shard_no, epoch, outcome, error, worker_id, started_at, ended_at, seconds FROM every_attempt
    WHERE job_id = $1::int8
    UNION ALL
    SELECT shard_no, epoch, 'done', NULL, worker_id, started_at, committed_at, seconds FROM every_result
    WHERE job_id = $1::int8
    UNION ALL
    SELECT shard_no, epoch, 'withdrawn', reason, worker_id, started_at, committed_at, seconds FROM withdrawn_result
    WHERE job_id = $1::int8
    UNION ALL
    SELECT shard_no, epoch, 'running', NULL, worker_id, started_at, NULL, NULL FROM shard
    WHERE job_id = $1::int8 AND state = 'running') a
JOIN worker w USING (worker_id)
ORDER BY a.shard_no, a.epoch, a.ended_at NULLS LAST
