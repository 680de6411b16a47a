-- No row when somebody else is at it, or was.
SELECT schedule_id, key, name, cron, time_zone, overlap, catch_up_seconds, jitter_seconds, next_at, waiting_at, waiting_kind,
    paused_at, paused_by, pause_reason, clock_timestamp() AS now
FROM schedule
WHERE schedule_id = $1::int8 AND removed_at IS NULL AND look_at <= clock_timestamp()
FOR UPDATE SKIP LOCKED
