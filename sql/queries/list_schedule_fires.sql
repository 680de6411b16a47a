-- The latest due times first, and of each one what was recorded last first.
SELECT s.name, f.due_at, f.attempt, f.kind, f.outcome, f.reason, f.run_id, f.recorded_at
FROM schedule s JOIN schedule_fire f USING (schedule_id)
WHERE s.name = $1::text AND s.removed_at IS NULL AND f.due_at >= $2::timestamptz AND f.due_at <= $3::timestamptz
ORDER BY f.due_at DESC, f.attempt DESC LIMIT $4::int4
