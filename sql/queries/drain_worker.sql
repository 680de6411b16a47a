SELECT drain_worker($1::int8) AS worker_id
