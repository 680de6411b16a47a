SELECT w.shard_no, w.epoch, w.path, w.bytes, encode(w.sha256, 'hex') AS sha256, w.digest, w.reason, w.withdrawn_by,
    w.withdrawn_at
FROM withdrawn_result w WHERE w.job_id = $1::int8
ORDER BY w.shard_no, w.epoch
