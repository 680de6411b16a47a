SELECT count(*) AS open
FROM job j JOIN shard s USING (job_id)
WHERE j.run_id = $1::text AND s.state IN ('blocked', 'ready', 'running')
