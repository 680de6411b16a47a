UPDATE schedule SET cron = $2::text, time_zone = $3::text, overlap = $4::text, catch_up_seconds = $5::int4,
    jitter_seconds = $6::int4, project = $7::text, user_name = $8::text, template = $9::text,
    updated_at = clock_timestamp()
WHERE schedule_id = $1::int8
