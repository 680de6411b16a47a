-- The latest attempts of a run that went wrong, of each job at most so many as are asked for: there may be many. Those of a
-- run that is not archived are in one place.
SELECT t.* FROM (
    SELECT j.job_id, j.run_id, j.ordinal, a.attempt_id, a.shard_no, a.epoch, a.outcome, a.error, a.worker_id, w.host,
        w.device, a.started_at, a.ended_at, a.seconds
    FROM run r JOIN job j USING (run_id)
    CROSS JOIN LATERAL (
        (SELECT * FROM attempt h WHERE h.job_id = j.job_id AND h.error IS NOT NULL
        ORDER BY h.attempt_id DESC LIMIT $2::int4)
        UNION ALL
        (SELECT * FROM archived_attempt h
        WHERE r.archived_at IS NOT NULL AND h.job_id = j.job_id AND h.error IS NOT NULL
        ORDER BY h.attempt_id DESC LIMIT $2::int4)) a
    JOIN worker w USING (worker_id)
    WHERE r.run_id = $1::text
    ORDER BY a.attempt_id DESC LIMIT $2::int4) t
ORDER BY t.attempt_id
