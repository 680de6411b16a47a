INSERT INTO schedule_run (run_id, schedule_id) VALUES ($1::text, $2::int8)
