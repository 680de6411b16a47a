UPDATE schedule SET removed_at = clock_timestamp() WHERE name = $1::text AND removed_at IS NULL RETURNING schedule_id
