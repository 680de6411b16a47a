UPDATE schedule SET paused_at = NULL, paused_by = NULL, pause_reason = NULL WHERE schedule_id = $1::int8
