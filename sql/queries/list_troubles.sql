-- The latest attempts of a run that went wrong, as many as are asked for. They may be the latest of all. Where they are not,
-- the index leads from one job that has some to the next, and to the latest of each: the latest ones of the run are among
-- those of the jobs that had one last. A run's jobs have their numbers in the order of their ordinals. The attempts of a run
-- that is not archived are in one place.
WITH RECURSIVE span AS MATERIALIZED (
    SELECT (SELECT j.job_id FROM job j WHERE j.run_id = $1::text ORDER BY j.run_id, j.ordinal LIMIT 1) AS first,
        (SELECT j.job_id FROM job j WHERE j.run_id = $1::text ORDER BY j.run_id DESC, j.ordinal DESC LIMIT 1) AS last),
latest AS MATERIALIZED (
    SELECT a.* FROM (SELECT * FROM attempt ORDER BY attempt_id DESC LIMIT 1000) a JOIN job j USING (job_id)
    WHERE a.error IS NOT NULL AND j.run_id = $1::text ORDER BY a.attempt_id DESC LIMIT $2::int4),
troubled AS (
    (SELECT a.job_id, a.attempt_id FROM span CROSS JOIN LATERAL (
        SELECT a.job_id, a.attempt_id FROM attempt a
        WHERE a.error IS NOT NULL AND a.job_id >= span.first AND a.job_id <= span.last
        ORDER BY a.job_id, a.attempt_id DESC LIMIT 1) a
    WHERE (SELECT count(*) FROM latest) < $2::int4)
    UNION ALL
    SELECT a.job_id, a.attempt_id FROM troubled t CROSS JOIN span CROSS JOIN LATERAL (
        SELECT a.job_id, a.attempt_id FROM attempt a
        WHERE a.error IS NOT NULL AND a.job_id > t.job_id AND a.job_id <= span.last
        ORDER BY a.job_id, a.attempt_id DESC LIMIT 1) a),
recent AS (
    SELECT a.* FROM (
        SELECT t.job_id FROM troubled t JOIN job j USING (job_id) WHERE j.run_id = $1::text
        ORDER BY t.attempt_id DESC LIMIT $2::int4) t
    CROSS JOIN LATERAL (
        SELECT h.* FROM attempt h WHERE h.job_id = t.job_id AND h.error IS NOT NULL
        ORDER BY h.attempt_id DESC LIMIT $2::int4) a
    UNION ALL
    SELECT * FROM latest WHERE (SELECT count(*) FROM latest) = $2::int4
    UNION ALL
    SELECT a.* FROM run r JOIN job j USING (run_id) CROSS JOIN LATERAL (
        SELECT h.* FROM archived_attempt h WHERE h.job_id = j.job_id AND h.error IS NOT NULL
        ORDER BY h.attempt_id DESC LIMIT $2::int4) a
    WHERE r.run_id = $1::text AND r.archived_at IS NOT NULL)
SELECT t.* FROM (
    SELECT j.job_id, j.run_id, j.ordinal, a.attempt_id, a.shard_no, a.epoch, a.outcome, a.error, a.worker_id, w.host,
        w.device, a.started_at, a.ended_at, a.seconds
    FROM recent a JOIN job j USING (job_id) JOIN worker w USING (worker_id)
    ORDER BY a.attempt_id DESC LIMIT $2::int4) t
ORDER BY t.attempt_id
