SELECT cancel_schedule_run($1::int8, $2::text)
