SELECT schedule_id, key, name, cron, time_zone, overlap, catch_up_seconds, jitter_seconds, next_at, waiting_at, waiting_kind,
    paused_at, paused_by, pause_reason, clock_timestamp() AS now
FROM lock_due_schedule($1::int8)
