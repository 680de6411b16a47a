-- Behind a closed gate nothing is ready: it is held, or it waits; of a cancelled job nothing is left to come.
SELECT s.shard_no, s.row_start, s.row_count,
    CASE WHEN j.is_cancelled AND s.state IN ('blocked', 'ready', 'held') THEN 'cancelled'
        WHEN s.state IN ('blocked', 'ready') AND j.gate = 'held' THEN 'held'
        WHEN s.state = 'ready' AND j.gate = 'waiting' THEN 'blocked' ELSE s.state::text END AS state,
    CASE WHEN j.is_cancelled AND s.state IN ('blocked', 'ready', 'held') THEN coalesce(j.cancel_reason, 'cancelled')
        WHEN s.state IN ('blocked', 'ready') THEN j.gate_reason ELSE s.reason END AS reason,
    s.epoch, s.failures, s.losses, s.not_before, s.worker_id, s.started_at, s.ended_at, s.samples_done, s.tokens_done
FROM job j JOIN every_shard s USING (job_id)
WHERE j.job_id = $1::int8
ORDER BY s.shard_no
