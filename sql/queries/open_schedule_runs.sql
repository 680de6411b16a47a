-- Forgets the runs that have ended, and answers the others. The schedule must be locked.
WITH ended AS (DELETE FROM schedule_run WHERE schedule_id = $1::int8 AND NOT run_is_open(run_id))
SELECT run_id FROM schedule_run WHERE schedule_id = $1::int8 AND run_is_open(run_id)
ORDER BY opened_at, run_id
