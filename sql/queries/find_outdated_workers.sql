-- Those at work that the schema as it is now does not work with; programs that do not say are of version 13.
SELECT w.worker_id, w.host FROM worker w
WHERE w.state = 'live' AND w.lease_until > clock_timestamp()
    AND coalesce(w.schema_version, 13) < (SELECT c.min_program FROM schema_contract c)
ORDER BY w.worker_id
