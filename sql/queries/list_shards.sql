SELECT shard_no, row_start, row_count, state, reason, epoch, failures, losses, not_before, worker_id, started_at,
    ended_at, samples_done, tokens_done
FROM shard WHERE job_id = $1::int8
ORDER BY shard_no
