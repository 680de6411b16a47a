-- Those of the given claims that can't be committed any more: somebody else has claimed the shard since, or it was
-- cancelled or given up. A claim that a crash of the server undid stands as long as nobody else has the shard.
SELECT c.number::int4 AS number
FROM unnest($1::int8[], $2::int4[], $3::int4[], $4::uuid[]) WITH ORDINALITY
    AS c (job_id, shard_no, epoch, incarnation, number)
WHERE NOT EXISTS (
    SELECT 1 FROM shard s
    WHERE s.job_id = c.job_id AND s.shard_no = c.shard_no
        AND (s.epoch = c.epoch AND s.incarnation = c.incarnation AND s.state IN ('ready', 'running', 'held', 'done')
            OR s.epoch BETWEEN c.epoch - 100 AND c.epoch - 1 AND s.state IN ('ready', 'blocked')))
