-- The number of the next record for a due time, and the run that it has already. The schedule must be locked.
SELECT coalesce(max(attempt), 0) + 1 AS attempt, max(run_id) AS run_id
FROM schedule_fire WHERE schedule_id = $1::int8 AND due_at = $2::timestamptz
