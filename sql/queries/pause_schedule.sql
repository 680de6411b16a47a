UPDATE schedule SET paused_at = clock_timestamp(), paused_by = $2::text, pause_reason = $3::text
WHERE schedule_id = $1::int8 AND paused_at IS NULL
