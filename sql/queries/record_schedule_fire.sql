SELECT record_schedule_fire($1::int8, $2::timestamptz, $3::int4, $4::text, $5::text, $6::text, $7::text) AS recorded_at
