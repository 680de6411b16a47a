-- Schedules that somebody should look at; the clock is read once, so that the index can be used.
SELECT schedule_id FROM schedule
WHERE removed_at IS NULL AND look_at <= (SELECT clock_timestamp())
ORDER BY look_at, schedule_id LIMIT $1::int4
