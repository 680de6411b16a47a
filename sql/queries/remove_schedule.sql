SELECT remove_schedule($1::text) AS schedule_id
