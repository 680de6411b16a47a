UPDATE worker SET is_draining = true WHERE worker_id = $1::int8 AND state = 'live' RETURNING worker_id
