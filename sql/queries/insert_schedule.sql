-- No row when the name is taken.
INSERT INTO schedule (
    name, cron, time_zone, overlap, catch_up_seconds, jitter_seconds, project, user_name, template, look_at)
VALUES ($1::text, $2::text, $3::text, $4::text, $5::int4, $6::int4, $7::text, $8::text, $9::text, clock_timestamp())
ON CONFLICT (name) WHERE removed_at IS NULL DO NOTHING
RETURNING schedule_id
