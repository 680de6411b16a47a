SELECT run_id FROM open_schedule_runs($1::int8)
