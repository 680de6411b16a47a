-- Schedules by name, each with what was recorded for its latest due time.
SELECT s.name, s.cron, s.time_zone, s.overlap, s.catch_up_seconds, s.jitter_seconds, s.project, s.user_name,
    s.created_at, s.updated_at, s.next_at, s.waiting_at, s.waiting_kind, s.paused_at, s.paused_by, s.pause_reason,
    f.due_at, f.attempt, f.kind, f.outcome, f.reason, f.run_id, f.recorded_at
FROM schedule s
LEFT JOIN LATERAL (
    SELECT * FROM schedule_fire WHERE schedule_id = s.schedule_id ORDER BY due_at DESC, attempt DESC LIMIT 1) f ON true
WHERE s.removed_at IS NULL AND ($1::text IS NULL OR s.name = $1::text)
ORDER BY s.name
