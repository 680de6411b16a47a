-- No row when the clock has decided about this due time before.
INSERT INTO schedule_fire (schedule_id, due_at, attempt, kind, outcome, reason, run_id)
VALUES ($1::int8, $2::timestamptz, $3::int4, $4::text, $5::text, $6::text, $7::text)
ON CONFLICT DO NOTHING
RETURNING recorded_at
