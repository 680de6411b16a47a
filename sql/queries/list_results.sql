SELECT r.shard_no, s.row_start, s.row_count, r.epoch, r.incarnation, r.worker_id, r.path, r.bytes,
    encode(r.sha256, 'hex') AS sha256, r.digest, r.samples, r.tokens, r.seconds, r.committed_at
FROM every_result r JOIN every_shard s USING (job_id, shard_no)
WHERE r.job_id = $1::int8
ORDER BY r.shard_no
